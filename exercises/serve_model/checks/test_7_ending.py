"""The end: SIGTERM while requests are under way."""

from __future__ import annotations

import pytest
from ending import end_under_load
from gates import uses_the_model

from grader.checker.api import Reason


@pytest.mark.check(
    id="C4",
    points=3,
    competency="operations",
    requirement="R20",
    title="Finishes what is under way when it is asked to end, and ends by itself",
    question="The orchestrator replaces your service during the day. What does a caller notice, and why?",
    feedback="After SIGTERM requests under way are lost, or the service does not end in time with exit status 0.",
)
def test_sigterm(strata, award):
    gate = uses_the_model(strata.plain)
    found = end_under_load(strata)
    status = found.ending.exit_status
    evidence = {
        "exit status": f"none, ended by signal {found.ending.signal}" if status is None else status,
        "time from the signal to the end": f"{found.ending.seconds:.2f} s",
        "requests under way at the signal": found.under_way,
        "of these, answered": found.finished,
        "processes left behind": found.ending.leftovers,
    }
    lost = Reason.EXIT_STATUS if status != 0 else Reason.WRONG_ANSWER  # what is missing then are answers
    reason = Reason.TIMEOUT if found.ending.timed_out else lost
    award(found.share * gate.value, found.because + gate.note, reason=reason, evidence=evidence)

"""Trace: a prediction of yesterday can be explained today. Files of checks are numbered, as starts are used in turn."""

from __future__ import annotations

import pytest
from calls import tally
from logbook import PREDICTIONS, trace
from parity import HI, LO

from grader.checker.api import Reason, linear


@pytest.mark.check(
    id="E1",
    points=4,
    competency="monitoring",
    requirement="R22",
    title="Writes a log from which each prediction can be recomputed",
    question="A customer asks why they were reviewed last week. What do you need to have kept to answer?",
    feedback="Some predictions are not in the log, or cannot be recomputed from the features that were logged.",
)
def test_prediction_log(strata, variant, award):
    found = trace(strata, variant.path / "artifacts")
    if not found.files:
        award(0, "There is no *.jsonl file in the working directory.", reason=Reason.MISSING_OUTPUT)
        return
    because = f"{found.right} of {PREDICTIONS} predictions can be recomputed from the log; {found.found} have one line."
    evidence = {"logs": ", ".join(found.files)[:200]}
    if found.problems:
        evidence["what is not right"] = tally(found.problems)
    award(linear(found.value, LO, HI), because, evidence=evidence, metrics={"recomputed": found.value})

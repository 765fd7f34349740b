"""Starts: with a model that loads slowly, and with one that is damaged."""

from __future__ import annotations

import pytest
from gates import uses_the_model
from starting import corrupt_start, refused_activation

from grader.checker.api import Reason


@pytest.mark.check(
    id="C1",
    points=4,
    competency="operations",
    requirement="R2, R16, R17, R18",
    title="Is ready when it can answer and not before, and never with a damaged model",
    question="Traffic arrives the moment your service says that it is ready. What must have happened before?",
    feedback=(
        "The service says that it is ready too early, does not answer while it loads, or serves a version whose files "
        "are damaged."
    ),
)
def test_readiness(strata, slow, names, award):
    gate = uses_the_model(strata.plain)
    corrupt = corrupt_start(strata)
    refused = refused_activation(strata.bench, names, strata.rows("plain", 3, "refused activation"))
    in_time = slow.ready and not slow.early
    parts = {
        "ready when it can answer": 0.25 * in_time,
        "answers while it loads": 0.25 * (slow.alive and slow.waiting and in_time),
        "never ready with a damaged model": 0.15 * corrupt.refused,
        "alive with a damaged model": 0.1 * (corrupt.refused and corrupt.alive),
        "serves again once a sound model is activated": 0.1 * corrupt.recovers,
        "refuses to activate a damaged model": 0.15 * (refused.status == 409 and refused.goes_on),
    }
    evidence = {
        "started with a model that loads slowly": slow.told,
        "started with a damaged model": corrupt.told,
        "a damaged model is activated": refused.told,
    }
    missing = [name for name, value in parts.items() if not value]
    because = f"Missing: {'; '.join(missing)}." if missing else "It is ready when it can answer, and never otherwise."
    share = min(1.0, round(sum(parts.values()), 9)) * gate.value
    award(share, because + gate.note, reason=gate.reason(Reason.WRONG_ANSWER), evidence=evidence)

"""Trace: a prediction of yesterday can be explained today. Files of checks are numbered, as starts are used in turn."""

from __future__ import annotations

import pytest
from calls import tally
from logbook import trace

from grader.checker.api import Reason


@pytest.mark.check(
    id="E1",
    points=4,
    competency="monitoring",
    requirement="R15, R22",
    title="Writes a log from which each prediction can be recomputed",
    question="A customer asks why they were reviewed last week. What do you need to have kept to answer?",
    feedback=(
        "Some predictions, those of batches perhaps, are not in the log, cannot be recomputed from the features that "
        "were logged, or are there again where a request was repeated."
    ),
)
def test_prediction_log(strata, variant, award):
    found = trace(strata, variant.path / "artifacts")
    if not found.files:
        award(0, "There is no *.jsonl file in the working directory.", reason=Reason.MISSING_OUTPUT)
        return
    evidence = {"logs": ", ".join(found.files)[:200]}
    if found.problems:
        evidence["what is not right"] = tally(found.problems)
    parts = {"alone": found.alone, "in a batch": found.together, "repeated": found.twice}
    metrics = {name: found.value(names) for name, names in parts.items()}
    award(found.share, found.because, evidence=evidence, metrics=metrics)

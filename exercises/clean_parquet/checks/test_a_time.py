"""Time: moments that can be read, and dates that must not be."""

from __future__ import annotations

import pytest
from fates import leaked
from measure import CLASS_HI, CLASS_LO, accuracy, gate_note, recall_gate, thousands

from grader.checker.api import linear


@pytest.mark.check(
    id="A1",
    points=3,
    competency="data-pipelines",
    title="Reads times with an offset and epoch milliseconds",
    requirement="R9",
    question=(
        "A time arrives as 2025-03-02T09:05:09-05:00 and another as 1740924309000. How does your program "
        "tell the forms apart, and what could fool it?"
    ),
    feedback="Look again at times with a UTC offset and at epochs in milliseconds (RULES.md 3.2).",
)
def test_offset_and_epoch(standing, award):
    found = accuracy(standing, "offset", "epoch")
    award(found.credit, found.because("times with an offset or as epochs"), metrics={"accuracy": found.value})


@pytest.mark.check(
    id="A2",
    points=4,
    competency="data-quality",
    title="Reads each shop's local times, in its order of day and month and its time zone",
    requirement="R9",
    question=(
        "How would you notice in production that a shop changed its order of day and month, when most texts "
        "can be read both ways?"
    ),
    feedback=(
        "Look again at local times: order of day and month, 12-hour clock, and daylight saving time of each "
        "shop (RULES.md 2.1 and 3.2)."
    ),
)
def test_local_times(standing, award):
    found = accuracy(standing, "local")
    evidence = {f"example {place}": text for place, text in enumerate(found.examples, start=1)}
    award(found.credit, found.because("local times"), evidence=evidence, metrics={"accuracy": found.value})


@pytest.mark.check(
    id="A3",
    points=2,
    competency="data-quality",
    title="Does not invent a time for dates that are impossible or out of range",
    requirement="R9, R17",
    question="A text says 31/02/2025. Which repairs did you consider, and why is none of them right for finance?",
    feedback="Some rows whose date is impossible or out of range are among the orders (RULES.md 3.2 and 4).",
)
def test_impossible_dates_stay_out(standing, award):
    wrong, total = leaked(standing, "bad_date")
    value = 1 - wrong / total if total else 0.0
    because = (
        f"{thousands(wrong)} of {thousands(total)} rows with an impossible date or one out of range are among "
        f"the orders."
    )
    credit = linear(value, CLASS_LO, CLASS_HI) * recall_gate(standing)
    award(credit, because + gate_note(standing), metrics={"kept out": value, "recall": standing.recall})

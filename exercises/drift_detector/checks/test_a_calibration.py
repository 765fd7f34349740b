"""Calibration: as many false alarms as promised, whatever the size of a window and the hours it comes from."""

from __future__ import annotations

import anchors
import pytest
from answers import DECISION, Reading, fault_facts, main_reason
from asking import CLEAN, POOLED, SLICE
from figures import alarm_rates
from measures import Share, activity, false_alarms, percent, validity
from powers import noticed

from grader.checker.api import Reason, linear

SETTINGS = {
    "A1": ("all week, 500 rows", POOLED, anchors.PLAIN_ROWS),
    "A2": ("all week, 60 rows", POOLED, anchors.FEW_ROWS),
    "A3": ("four hours, 500 rows", SLICE, anchors.PLAIN_ROWS),
    "A4": ("four hours, 2000 rows", SLICE, anchors.MANY_ROWS),
}


@pytest.mark.check(
    id="A1",
    points=4,
    competency="statistics",
    requirement="R2",
    title="Keeps the promised rate of false alarms on windows of 500 rows from all hours of the week",
    question=(
        "You test ten features at once and report one p-value. How did you make sure that alpha still means alpha?"
    ),
    feedback=(
        "Windows without drift (500 rows, all hours) raise more alarms than alpha allows, or clear drift too few."
    ),
)
def test_pooled(panel, award, plot):
    shares = {name: false_alarms(panel.of(CLEAN, mode, rows)) for name, mode, rows in SETTINGS.values()}
    plot(alarm_rates(shares, anchors.ALPHA), "False alarms on windows without drift, with exact 95 % intervals")
    award_calibration("A1", panel, award)


@pytest.mark.check(
    id="A2",
    points=4,
    competency="statistics",
    requirement="R2",
    title="Keeps it on windows of 60 rows",
    question="Which of your tests relies on large samples, and what happens to it at 60 rows?",
    feedback="Windows without drift of only 60 rows raise more alarms than alpha allows, or gross drift too few.",
)
def test_few_rows(panel, award):
    award_calibration("A2", panel, award)


@pytest.mark.check(
    id="A3",
    points=8,
    competency="monitoring",
    requirement="R2",
    title="Keeps it on windows of four hours: Saturday evening is no drift",
    question="The team was paged every Saturday evening. What does your detector compare such a window with, and why?",
    feedback=(
        "Windows without drift from a few hours of one day raise more alarms than alpha allows, or clear drift too few."
    ),
)
def test_slice(panel, award):
    award_calibration("A3", panel, award)


@pytest.mark.check(
    id="A4",
    points=4,
    competency="statistics",
    requirement="R2",
    title="Keeps it on windows of four hours with 2000 rows, where the reference itself is uncertain",
    question="Your reference has few rows from these four hours, the window has 2000. Which of the two limits you?",
    feedback="Large windows without drift from a few hours raise more alarms than alpha allows, or clear drift few.",
)
def test_many_rows(panel, award):
    award_calibration("A4", panel, award)


def award_calibration(check: str, panel, award) -> None:
    """Award a rate of false alarms, gated by how much of clear drift is noticed, in windows of this size as well.

    Other sizes count as far as the rate is kept at the usual one: a fixed cut-off is right at some size by luck.
    """
    name, mode, rows = SETTINGS[check]
    clean: list[Reading] = panel.of(CLEAN, mode, rows)
    found, seen = false_alarms(clean), noticed(panel, mode, rows)
    gate = activity(seen)
    because = f"{name}: false alarms on {found.words()} windows; promised are {percent(anchors.ALPHA)}."
    if gate < 1:
        because += f" Of clear drift it noticed only {seen.words()}."
    usual = 1.0 if rows == anchors.PLAIN_ROWS else validity(false_alarms(panel.of(CLEAN, mode)))
    if usual < 1:
        because += f" It counts {usual:.0%}, as false alarms at {anchors.PLAIN_ROWS} rows do."
    reason = Reason.INACTIVE if gate < 0.5 else main_reason(clean, DECISION)
    award(
        linear(found.value, *anchors.ALARMS[check]) * gate * usual,
        because,
        reason=reason,
        evidence=facts(found, seen) | fault_facts(clean, DECISION),
        metrics={"false alarms": found.value, "clear drift noticed": seen.value},
    )


def facts(found: Share, seen: Share) -> dict[str, str]:
    """Return what every check of this group tells."""
    return {"false alarms": found.words(), "clear drift noticed": seen.words()}

"""Corrections by people in words; the same in every format."""

from __future__ import annotations

from collections.abc import Sequence

from grader.model.sheet import CheckLine, ScoreSheet
from grader.render.words import OUTCOME_WORDS, points


def measured(check: CheckLine) -> str:
    """What was measured of a check that a person corrected: `failed, 0 of 6 points`; "" without an override."""
    if check.override is None:
        return ""
    was = check.override.measured
    if was.earned is None:
        return "not measured"
    return f"{OUTCOME_WORDS[was.outcome]}, {points(was.earned)} of {points(check.possible)} points"


def mark(check: CheckLine) -> str:
    """Say of a check that its points are a person's, and what was measured; "" without an override."""
    if check.override is None:
        return ""
    if check.override.measured.earned is None:
        return "Decided by a person, since it could not be measured."
    return f"Corrected by a person. Measured: {measured(check)}."


def why(check: CheckLine) -> str:
    """The reason, by whom and when, where the sheet's reader may know; else ""."""
    override = check.override
    if override is None or not override.reason:
        return ""
    return f"{override.reason} ({override.by}, {override.made:%Y-%m-%d})"


def sentence(sheet: ScoreSheet) -> str:
    """Everything about overrides in a line or two; "" where there are none."""
    if not sheet.overridden:
        return ""
    told = "; ".join(map(_change, sheet.overridden))
    return f"Corrected by people: {told}. {_total(sheet, sheet.overridden)}".strip()


def _change(check: CheckLine) -> str:
    was = check.override.measured.earned if check.override else None
    before = "it could not be measured" if was is None else f"measured: {points(was)}"
    return f"{check.id} has {points(check.earned)} of {points(check.possible)} points ({before})"


def _total(sheet: ScoreSheet, changed: Sequence[CheckLine]) -> str:
    notebook = {check.id for check in sheet.notebook_checks}
    if sheet.earned is None or all(check.id in notebook for check in changed):
        return ""
    if sheet.measured_earned is None:
        return "Without them there is no total."
    return f"The total as measured: {points(sheet.measured_earned)} of {points(sheet.possible)}."

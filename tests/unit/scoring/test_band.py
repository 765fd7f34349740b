"""The error band: from the solutions next to a total, of the same version, and from nothing else."""

from __future__ import annotations

from datetime import date

import pytest

from grader.model.calibration import Calibration, ErrorBand, RungSpread
from grader.model.sheet import Audience
from grader.render import html, markdown, words
from grader.scoring.audience import for_audience
from grader.scoring.band import error_band
from tests.factories import make_rejected_sheet, make_sheet

MADE = date(2026, 11, 28)


def spread(rung: str, mean: float, sd: float) -> RungSpread:
    return RungSpread(rung=rung, n=10, mean=mean, sd=sd, low=mean - sd, high=mean + sd)


CALIBRATION = Calibration(
    exercise="x", version="1.0.0", digest="", made=MADE, machine="", worlds=10, repeats=2, seconds=1, peak_memory=1,
    spreads=(spread("naive", 20, 2.5), spread("plain", 60, 1.5), spread("odd", 80, 0.5), spread("reference", 100, 0)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("percent", "solution", "sd"),
    [
        (0, "naive", 2.5), (20, "naive", 2.5), (56, "naive", 2.5), (57.5, "plain", 1.5), (60, "plain", 1.5),
        (70, "plain", 1.5), (79, "odd", 0.5), (90, "odd", 0.5), (98.9, "odd", 0.5), (99.1, "reference", 0),
        (100, "reference", 0),
    ],
)  # fmt: skip
def test_the_spread_is_that_of_such_totals_or_of_a_neighbour(percent: float, solution: str, sd: float) -> None:
    assert error_band(CALIBRATION, "1.0.0", percent) == ErrorBand(sd=sd, worlds=10, solution=solution, made=MADE)


def test_what_was_not_measured_has_no_band() -> None:
    assert error_band(None, "1.0.0", 50) is None
    assert error_band(CALIBRATION, "1.0.1", 50) is None
    assert error_band(CALIBRATION, "1.0.0", None) is None
    assert error_band(CALIBRATION.model_copy(update={"spreads": ()}), "1.0.0", 50) is None


def test_every_sheet_that_has_one_says_so() -> None:
    sheet = make_sheet(band=ErrorBand(sd=1.46, worlds=10, solution="plain", made=MADE))
    for audience in Audience:
        shown = for_audience(sheet, audience)
        for text in (html.render(shown), markdown.render(shown)):
            assert "Error band: ± 1.5 points in a hundred" in text
            assert "10 hidden worlds (standard deviation, measured on 2026-11-28)" in text
    assert words.band(make_sheet()) == ""
    assert "Error band" not in markdown.render(for_audience(make_rejected_sheet(), Audience.RECRUITER))


def test_candidates_are_not_told_the_names_of_solutions() -> None:
    sheet = make_sheet(band=ErrorBand(sd=1, worlds=10, solution="flaw_of_the_day", made=MADE))
    assert "flaw_of_the_day" not in for_audience(sheet, Audience.CANDIDATE).model_dump_json()

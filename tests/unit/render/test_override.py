"""A correction by a person is told in every format, and whatever it says is only text."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import pytest
from rich.console import Console

from grader.model.calibration import ErrorBand
from grader.model.sheet import Audience, ScoreSheet
from grader.render import words
from grader.render.csv_row import summary_table
from grader.render.files import export_sheet
from grader.render.terminal import sheet_view
from grader.scoring.override import with_override
from tests.factories import STARTED, make_faulted_sheet, make_sheet

EVIL = "=1+1 <script>alert(1)</script> [a](http://b) `x`"
LOST = next(check for check in make_sheet().checks if not check.earned)


def corrected(sheet: ScoreSheet, check: str = LOST.id, points: Decimal = LOST.possible) -> ScoreSheet:
    return with_override(sheet, check, points, reason=EVIL, by="Bo <b>Eklund</b>", made=STARTED)


SHEET = corrected(make_sheet())
DECIDED = corrected(corrected(make_faulted_sheet(), "E4", Decimal(1)), "G4", Decimal(0))


def in_the_terminal(sheet: ScoreSheet) -> str:
    console = Console(width=400, file=io.StringIO())
    console.print(sheet_view(sheet))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("name", ["html", "md", "json", "terminal"])
def test_the_correction_and_the_measurement_stand_beside_each_other(name: str) -> None:
    text = in_the_terminal(SHEET) if name == "terminal" else export_sheet(SHEET, name)
    assert ('"measured": {' if name == "json" else f"Measured: {LOST.outcome}, 0 of") in text
    if name != "json":
        assert "Corrected by a person." in text
        assert "The total as measured: 76.4 of 100." in text


def test_a_reason_is_only_text() -> None:
    page = export_sheet(SHEET, "html")
    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "Bo &lt;b&gt;Eklund" in page
    assert "\\<script\\>" in export_sheet(SHEET, "md")


@pytest.mark.parametrize("name", ["html", "md", "json", "gradescope"])
def test_candidates_are_told_without_reason_and_name(name: str) -> None:
    text = export_sheet(SHEET, name, Audience.CANDIDATE)
    assert "alert(1)" not in text
    assert "Eklund" not in text
    assert ("override" if name == "json" else "Corrected by a person") in text


def test_a_decided_run_has_a_total_and_nobody_has_to_act() -> None:
    for text in (export_sheet(DECIDED, "html"), export_sheet(DECIDED, "md"), in_the_terminal(DECIDED)):
        assert "Decided by a person, since it could not be measured." in text
        assert "Without them there is no total." in text
        assert "Why there is no total yet" not in text
    assert "will be repeated" not in export_sheet(DECIDED, "html", Audience.CANDIDATE)
    assert "<error" not in export_sheet(DECIDED, "junit")
    (row,) = csv.DictReader(io.StringIO(export_sheet(DECIDED, "csv")))
    assert (row["status"], row["reason"], row["overrides"], row["measured"]) == ("graded", "", "E4 G4", "")


def test_the_error_band_is_that_of_what_was_measured() -> None:
    band = ErrorBand(sd=2.4, worlds=10, solution="plain", made=STARTED.date())
    sheet = make_sheet(band=band)
    assert "next to this total" in words.band(sheet)
    assert corrected(sheet).band == band
    assert "next to the measured total" in words.band(corrected(sheet))


def test_tables_have_columns_for_it_only_where_somebody_has_corrected_something() -> None:
    names, rows = summary_table([(make_sheet(), "a"), (SHEET, "b")])
    cells = [dict(zip(names, each, strict=True)) for each in rows]
    assert [(each["overrides"], each["measured"]) for each in cells] == [("", 76.4), (LOST.id, 76.4)]
    assert cells[1]["earned"] == 76.4 + float(LOST.possible)
    assert "overrides" not in summary_table([(make_sheet(), "a")])[0]


def test_programs_read_what_counts() -> None:
    results = json.loads(export_sheet(SHEET, "gradescope", Audience.CANDIDATE))
    assert results["score"] == 76.4 + float(LOST.possible)
    (test,) = [each for each in results["tests"] if each["number"] == LOST.id]
    assert (test["score"], test["status"]) == (float(LOST.possible), "passed")
    assert 'name="overrides"' in export_sheet(SHEET, "junit")

"""Rows for spreadsheets: stable columns, numbers as numbers, text as text."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.render.csv_row import header, render, row, safe_cell, summary_csv
from tests.factories import make_faulted_sheet, make_rejected_sheet, make_sheet

COMPETENCIES = ["data-quality", "serving"]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_columns_are_always_these() -> None:
    assert header(COMPETENCIES) == [
        "candidate", "exercise", "version", "status", "reason", "earned", "possible", "percent",
        "data-quality", "serving", "wall_seconds", "run", "sheet",
    ]  # fmt: skip


def test_a_graded_sheet_is_one_row_of_facts() -> None:
    assert row(make_sheet(), COMPETENCIES, "out/ada/sheet.json") == [
        "Ada Lindqvist", "clean_parquet", "1.0.0", "graded", "", 76.4, 100.0, 76.4, 43.45, "", 94.7,
        "0123456789abcdef0123456789abcdef", "out/ada/sheet.json",
    ]  # fmt: skip


def test_a_rejected_sheet_has_a_reason_and_no_points_at_all() -> None:
    (cells,) = read(summary_csv([(make_rejected_sheet(), "")], COMPETENCIES))
    assert (cells["status"], cells["reason"]) == ("rejected", "missing_package")
    assert [cells[name] for name in ("earned", "possible", "percent", "data-quality")] == ["", "", "", ""]


def test_a_faulted_sheet_names_the_parties_and_has_no_total() -> None:
    (cells,) = read(summary_csv([(make_faulted_sheet(), "")]))
    assert cells["reason"] == "author+infrastructure"
    assert cells["earned"] == cells["percent"] == ""


def test_a_summary_has_a_line_per_sheet_and_columns_of_all() -> None:
    lines = read(summary_csv([(make_rejected_sheet(), "a"), (make_sheet(), "b")]))
    assert [line["sheet"] for line in lines] == ["a", "b"]
    assert lines[1]["data-pipelines"] == "16.25"


def test_one_sheet_alone_is_a_file_too() -> None:
    assert len(read(render(make_sheet()))) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [("=1+1", "'=1+1"), ("+49 30", "'+49 30"), ("-x", "'-x"), ("@x", "'@x"), (" =1", " '=1"), ("a;=1", "a;'=1"),
     ('a","=1', "a\",\"'=1"), ("\t=1", "\\t=1"), ("\uff1d1", "'\uff1d1"), ("Anna-Lena", "Anna-Lena"),
     ("a@b.example", "a@b.example"), ("", "")],
)  # fmt: skip
def test_formulas_are_disarmed_and_ordinary_text_is_left_alone(text: str, shown: str) -> None:
    assert safe_cell(text) == shown


@given(st.text(max_size=40))
def test_no_text_makes_a_second_row_or_column(text: str) -> None:
    lines = read(summary_csv([(make_sheet(candidate="x", checks=()).model_copy(update={"candidate": text}), text)]))
    assert len(lines) == 1
    assert lines[0]["candidate"] == safe_cell(text)
    assert None not in lines[0]

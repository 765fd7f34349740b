"""Sheets in the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console, RenderableType

from grader.model.sheet import Audience
from grader.render.terminal import findings_table, sheet_view, summary_row, summary_table
from grader.sandbox.doctor import Finding
from grader.scoring.audience import for_audience
from tests.factories import make_check_line, make_faulted_sheet, make_rejected_sheet, make_sheet


def shown(renderable: RenderableType, width: int = 120) -> str:
    buffer = io.StringIO()
    Console(file=buffer, width=width).print(renderable)
    return buffer.getvalue()


def test_a_sheet_shows_total_checks_and_questions() -> None:
    text = shown(sheet_view(make_sheet()))
    assert "76.4 of 100 points. Strongest: Data quality (84 %)." in text
    assert "◐ partial   2.25 / 4   Reads local times of each shop" in text
    assert "What to ask in the follow-up interview" in text
    assert "1 min 35 s · peak memory 1.17 GiB · run 01234567 · signed · for the author" in text


def test_a_candidate_sees_feedback_instead_of_questions() -> None:
    text = shown(sheet_view(for_audience(make_sheet(), Audience.CANDIDATE)))
    assert "What to look at" in text
    assert "interview" not in text


def test_a_passed_check_takes_one_line() -> None:
    check = make_check_line(outcome="passed", earned=4, because="All of them.")
    assert "All of them." not in shown(sheet_view(make_sheet(checks=(check,))))


def test_a_rejection_says_what_to_do() -> None:
    text = shown(sheet_view(make_rejected_sheet()))
    assert "(missing_package)" in text
    assert "Use one of the packages that the brief lists" in text
    assert "points" not in text


def test_a_fault_names_who_acts() -> None:
    text = shown(sheet_view(make_faulted_sheet()))
    assert "the author of the exercise: checks/test_quarantine.py:88" in text
    assert "? not measured" in text


@pytest.mark.parametrize("width", [80, 120])
def test_a_summary_has_a_line_for_everyone(width: int) -> None:
    sheets = (make_sheet(), make_rejected_sheet(submission="bob"), make_faulted_sheet(submission="eve"))
    text = shown(summary_table(map(summary_row, sheets)), width)
    assert "76.4 / 100" in text
    assert f"69.8{chr(0x2013)}77.8" in text
    assert "Data quality 84%" in text
    for word in ("graded", "rejected", "faulted", "bob", "eve"):
        assert word in text


def test_a_summary_names_people_where_their_files_do_not() -> None:
    forks = [make_sheet(candidate=name, submission="take-home") for name in ("Ada Lovelace", "Grace")]
    text = shown(summary_table(map(summary_row, [*forks, make_sheet(candidate="eve", submission="Eve.zip")])))
    assert "Ada Lovelace" in text
    assert "Grace" in text
    assert text.count("take-home") == 2
    assert text.casefold().count("eve") == 1


def test_bars_can_be_read_without_colours() -> None:
    text = shown(summary_table(map(summary_row, [make_sheet()])))
    assert "━━━━━━━━╌╌" in text


def test_a_summary_says_why_there_are_no_points() -> None:
    text = " ".join(shown(summary_table(map(summary_row, [make_rejected_sheet(), make_faulted_sheet()])), 200).split())
    assert "The program needs a package that is not available while grading." in text
    assert "To act: the author of the exercise, whoever runs the grader." in text


def test_findings_show_their_level_by_symbol_and_word() -> None:
    findings = (
        Finding(id="engine", level="ok", what="Docker 29.7.0 answers."),
        Finding(id="disk", level="warn", what="5 GiB left."),
        Finding(id="images", level="error", what="No image.", hint="Run `grader setup`."),
    )
    text = shown(findings_table(findings))
    assert "✓ ok" in text
    assert "! warn" in text
    assert "✗ error  images  No image." in text
    assert "Run `grader setup`." in text


def test_nothing_to_note_and_nothing_to_ask_take_no_room() -> None:
    sheet = make_sheet(checks=(make_check_line(earned=4, outcome="passed"),), observations=())
    text = shown(sheet_view(sheet))
    assert "Please note" not in text
    assert "interview" not in text


def test_a_rejection_without_a_hint_ends_with_its_message() -> None:
    note = make_rejected_sheet().rejection
    assert note is not None
    text = shown(sheet_view(make_rejected_sheet(rejection=note.model_copy(update={"hint": ""}))))
    assert "Use one of" not in text

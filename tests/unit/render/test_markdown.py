"""Markdown that people read, in text and rendered."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from grader.model.sheet import Audience, ScoreSheet
from grader.render.markdown import quote, render
from grader.scoring.audience import for_audience
from tests.factories import make_check_line, make_faulted_sheet, make_rejected_sheet, make_sheet


def markdown(sheet: ScoreSheet, audience: Audience = Audience.RECRUITER) -> str:
    return render(for_audience(sheet, audience))


@pytest.mark.parametrize("text", ["clean.py", "1.5 of 3", "Zoë – (new)", "a, b; c: d", "part-07.parquet", "3,204"])
def test_ordinary_text_is_not_littered_with_backslashes(text: str) -> None:
    assert quote(text) == text


@pytest.mark.parametrize(
    ("text", "quoted"),
    [("a|b", "a\\|b"), ("*x*", "\\*x\\*"), ("- x", "\\- x"), ("1. x", "1\\. x"), ("http://x", "http\\://x"),
     ("www.x", "www\\.x"), ("a\nb", "a\\\\nb"), ("  # x", "\\# x")],
)  # fmt: skip
def test_what_markdown_would_act_upon_is_escaped(text: str, quoted: str) -> None:
    assert quote(text) == quoted


def test_totals_stand_in_tables_that_renderers_understand() -> None:
    html = MarkdownIt("commonmark").enable("table").render(markdown(make_sheet()))
    assert html.count("<table>") == 2
    assert '<td style="text-align:right">43.45</td>' in html


def test_each_check_tells_outcome_points_reason_and_evidence() -> None:
    text = markdown(make_sheet(checks=(make_check_line(),)))
    assert "- **B1 Reads amounts with a decimal comma** \N{EN DASH} ◐ partial, 2 / 4\n" in text
    assert "  The result is not right, or right only in part. 812 of 1204 amounts" in text
    assert "  - right: 812 of 1204\n" in text
    assert "  - Picture, in the HTML sheet: Share of amounts read right, by shop\n" in text


def test_questions_are_for_recruiters_and_feedback_for_candidates() -> None:
    sheet = make_sheet(checks=(make_check_line(),))
    assert make_check_line().question in markdown(sheet)
    candidate = markdown(sheet, Audience.CANDIDATE)
    assert make_check_line().feedback in candidate
    assert "interview" not in candidate


def test_metrics_and_source_are_for_the_author() -> None:
    sheet = make_sheet(checks=(make_check_line(),))
    assert "checks/test\\_numbers.py:41, 0.4 s, accuracy 0.6744" in markdown(sheet, Audience.AUTHOR)
    assert "0.6744" not in markdown(sheet)


def test_a_rejection_is_explained_without_points() -> None:
    text = markdown(make_rejected_sheet())
    assert "## Not gradable" in text
    assert "'dateparser'" in text
    assert "What can be done: Use one of the packages" in text
    assert "100" not in text


def test_a_rejection_without_a_hint_has_no_empty_advice() -> None:
    note = make_rejected_sheet().rejection
    assert note is not None
    text = markdown(make_rejected_sheet(rejection=note.model_copy(update={"hint": ""})))
    assert "What can be done" not in text


def test_a_fault_names_who_acts_and_what_was_not_measured() -> None:
    text = markdown(make_faulted_sheet())
    assert "- To act: the author of the exercise. checks/test\\_quarantine.py:88" in text
    assert "- Not measured: E4 Sets unreadable amounts aside, with the right reason, G4" in text
    assert "To act" not in markdown(make_faulted_sheet(), Audience.CANDIDATE)


def test_a_fault_that_left_no_check_out_lists_none() -> None:
    assert "Not measured" not in markdown(make_faulted_sheet(checks=(make_check_line(),)))


def test_provenance_warnings_and_signature_are_listed() -> None:
    text = markdown(make_sheet(), Audience.AUTHOR)
    assert f"- Submission: {'9a03' * 16}" in text
    assert "- Warning: The engine is older than 29.7.0" in text
    assert "- Signature: Ed25519" in text
    assert "Signature" not in markdown(make_sheet())


def test_nothing_lost_means_nothing_to_ask() -> None:
    text = markdown(make_sheet(checks=(make_check_line(earned=4, outcome="passed"),), groups=(), competencies=()))
    assert "interview" not in text
    assert "By competency" not in text

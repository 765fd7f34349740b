"""The decision notebook on every kind of sheet: apart from the code, plain when it is missing, and nobody is led."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from xml.etree.ElementTree import fromstring

import pytest

from grader.model.run import RunStatus
from grader.model.sheet import Audience, ScoreSheet
from grader.render import csv_row, gradescope, html, json_sheet, junit, markdown, notebook_words, words
from grader.render.terminal import sheet_view
from grader.scoring.audience import for_audience
from grader.scoring.override import with_override
from tests.dom import Page
from tests.factories import make_faulted_sheet, make_notebook_sheet, make_review, make_sheet
from tests.unit.render.test_terminal import shown as printed

UNRATED = make_notebook_sheet()
THIRD = make_notebook_sheet(make_review("Grace Hopper", 4, 1), make_review("Edsger D.", 4, 4))
RATED = make_notebook_sheet(make_review("Grace Hopper", 4, 3), make_review("Edsger D.", 5, 4))
ABSENT = make_notebook_sheet(handed_in=False)


def texts(sheet: ScoreSheet, audience: Audience) -> dict[str, str]:
    shown = for_audience(sheet, audience)
    return {
        "html": Page(html.render(shown)).text,
        "md": markdown.render(shown).replace("\\", ""),
        "terminal": printed(sheet_view(shown), 400),
    }


@pytest.mark.parametrize("audience", Audience)
def test_the_code_stays_the_headline(audience: Audience) -> None:
    for text in texts(UNRATED, audience).values():
        assert "76.4 of 100 points" in text
        assert text.index("76.4 of 100 points") < text.index("Decision notebook")


def test_points_are_a_range_until_two_people_have_rated() -> None:
    for text in texts(UNRATED, Audience.RECRUITER).values():
        assert "8 of 9 points measured automatically; 6 by reviewers: not yet rated" in text
        assert "between 72.94 and 78.94 of 100" in text


def test_rated_points_are_added_up_for_all_to_see() -> None:
    for text in texts(RATED, Audience.RECRUITER).values():
        assert "0.85 x 76.4 + 8 + 4.51 = 77.45." in text
        assert "Grace Hopper" in text
        assert "Good enough for a 5." in text


@pytest.mark.parametrize("sheet", [THIRD, make_notebook_sheet(make_review("Grace Hopper", 4, 1))])
def test_nobody_sees_a_rating_before_it_is_final(sheet: ScoreSheet) -> None:
    for text in texts(sheet, Audience.RECRUITER).values():
        assert "Good enough" not in text


def test_the_sheet_asks_for_a_third() -> None:
    for text in texts(THIRD, Audience.RECRUITER).values():
        assert "a third is needed" in text


@pytest.mark.parametrize("audience", Audience)
def test_a_missing_notebook_is_said_plainly(audience: Audience) -> None:
    for text in texts(ABSENT, audience).values():
        assert "0 of 9 points. No notebook was handed in" in text
        assert "64.94 of 100" in text
        assert "by reviewers" not in text


def test_the_rubric_stands_beside_the_points_with_a_form_to_fill_in() -> None:
    page = html.render(for_audience(UNRATED, Audience.RECRUITER))
    text = Page(page).text
    assert "A product owner could act on the first paragraph alone." in text
    assert page.count("☐ 5") == 3
    assert text.index("Measured automatically") < text.index("Rated by people")
    assert "☐" not in html.render(for_audience(RATED, Audience.RECRUITER))
    assert "☐" not in html.render(for_audience(ABSENT, Audience.RECRUITER))


def test_candidates_see_outcomes_and_final_points_only() -> None:
    for text in texts(THIRD, Audience.CANDIDATE).values():
        assert "6 more points by reviewers, who have yet to finish" in text
        for hidden in ("Hopper", "Good enough", "between 72", "covered the true value", "Ties the metric"):
            assert hidden not in text
    for text in texts(RATED, Audience.CANDIDATE).values():
        assert "4.51 of 6 points by reviewers" in text
        assert "77.45 of 100" in text
        assert "Hopper" not in text


def test_notebook_checks_are_in_their_own_section_and_not_counted_above() -> None:
    page = html.render(for_audience(UNRATED, Audience.RECRUITER))
    assert page.index('id="checks"') < page.index('id="decision"') < page.index('id="check-N5"')
    tally = page[page.index('class="tally"') : page.index('class="facts"')]
    assert tally == _tally(html.render(for_audience(make_sheet(), Audience.RECRUITER)))


def _tally(page: str) -> str:
    return page[page.index('class="tally"') : page.index('class="facts"')]


def test_questions_about_the_notebook_come_after_those_about_the_code() -> None:
    assert [check.id for check in words.losses(UNRATED)][-1] == "N5"


def test_nobody_is_told_or_asked_about_a_notebook_that_was_not_handed_in() -> None:
    """Nothing was run, so nothing can be said to be wrong with it."""
    notebook = {check.id for check in ABSENT.notebook_checks}
    assert not notebook & {check.id for check in words.questions(ABSENT)}
    shown = for_audience(ABSENT, Audience.CANDIDATE)
    assert [check.feedback for check in shown.notebook_checks] == [""] * len(notebook)
    assert "read it in the submission" not in texts(ABSENT, Audience.RECRUITER)["html"]
    assert "read it in the submission" in texts(UNRATED, Audience.RECRUITER)["html"]


def test_a_run_that_is_not_complete_asks_for_no_rating() -> None:
    faulted = UNRATED.model_copy(update={"status": RunStatus.FAULTED})
    assert (notebook_words.needs_reviews(UNRATED), notebook_words.needs_reviews(faulted)) == (True, False)


def test_a_correction_of_the_notebook_leaves_the_points_of_the_code_as_measured() -> None:
    made = {"reason": "The data were wrong.", "by": "Bo Ek", "made": UNRATED.started}
    said = [
        texts(with_override(UNRATED, check, Decimal(0), **made), Audience.RECRUITER)["html"] for check in ("N1", "A1")
    ]
    assert ["corrected by people" in text for text in said] == [False, True]


@pytest.mark.parametrize("audience", Audience)
def test_a_sheet_without_a_notebook_has_no_trace_of_one(audience: Audience) -> None:
    shown = for_audience(make_sheet(), audience)
    for text in texts(make_sheet(), audience).values():
        assert "notebook" not in text.lower()
    assert "notebook" not in junit.render(shown).lower()
    assert "notebook" not in csv_row.render(shown).lower()
    assert notebook_words.sentence(shown) == ""


def test_junit_has_a_suite_of_its_own_for_it() -> None:
    root = fromstring(junit.render(for_audience(UNRATED, Audience.RECRUITER)))
    code, notebook = root.findall("testsuite")
    plain = fromstring(junit.render(for_audience(make_sheet(), Audience.RECRUITER))).find("testsuite")
    assert plain is not None
    assert code.attrib == plain.attrib
    assert (notebook.attrib["name"], notebook.attrib["tests"], notebook.attrib["failures"]) == (
        "clean_parquet.notebook", "6", "1",
    )  # fmt: skip
    (value,) = [each.attrib["value"] for each in notebook.findall("properties/property")]
    assert "between 72.94 and 78.94" in value


def test_gradescope_gives_the_points_of_the_code_and_words_for_the_notebook() -> None:
    found = json.loads(gradescope.render(for_audience(RATED, Audience.CANDIDATE)))
    assert found["score"] == 76.4
    assert "77.45 of 100" in found["output"]
    notebook = [test for test in found["tests"] if test["name"].startswith("Decision notebook")]
    assert len(notebook) == 6
    assert all("score" not in test and "max_score" not in test for test in notebook)
    assert [test["status"] for test in notebook].count("failed") == 1


@pytest.mark.parametrize(
    ("sheet", "cells"),
    [
        (UNRATED, ["8.0", "", "72.94", "78.94"]),
        (RATED, ["8.0", "4.51", "77.45", "77.45"]),
        (ABSENT, ["0.0", "", "64.94", "64.94"]),
    ],
)
def test_csv_has_its_columns_where_a_sheet_has_one(sheet: ScoreSheet, cells: list[str]) -> None:
    header, one, other = csv.reader(io.StringIO(csv_row.summary_csv([(sheet, "a"), (make_sheet(), "b")])))
    place = header.index("notebook_automatic")
    assert header[place : place + 4] == [
        "notebook_automatic", "notebook_human", "together_lowest", "together_highest",
    ]  # fmt: skip
    assert one[place : place + 4] == cells
    assert other[place : place + 4] == [""] * 4
    assert len(header) == len(one) == len(other)


def test_json_has_all_of_it() -> None:
    part = json.loads(json_sheet.render(RATED))["decision"]
    assert (part["earned"], part["human"]["earned"], part["total"]) == (8.0, 4.51, 77.45)
    assert part["human"]["reviews"][0]["ratings"][0]["why"] == "Good enough for a 4."


def test_what_reviewers_write_is_text() -> None:
    why = "<script>alert(1)</script> [x](javascript:y) \x1b[31m"
    first = make_review("<b>Eve</b>")
    hostile = first.model_copy(
        update={"ratings": (first.ratings[0].model_copy(update={"why": why}), *first.ratings[1:])}
    )
    shown = for_audience(make_notebook_sheet(hostile, make_review("Bob")), Audience.RECRUITER)
    page = html.render(shown)
    assert "<script" not in page
    assert "<b>Eve" not in page
    assert "[x](javascript" not in markdown.render(shown)
    assert "\x1b[31m" not in printed(sheet_view(shown), 400)


def test_a_fault_of_its_checks_alone_leaves_the_code_known() -> None:
    lost = {"earned": None, "outcome": None, "reason": None, "words": "", "because": "", "evidence": ()}
    checks = tuple(check.model_copy(update=lost) if check.id == "N5" else check for check in UNRATED.checks)
    faulted = UNRATED.model_copy(
        update={
            "checks": checks, "status": "faulted", "earned": None, "lowest": UNRATED.earned, "highest": UNRATED.earned,
            "faults": make_faulted_sheet().faults,
        }
    )  # fmt: skip
    assert "the code earned 76.4 points" in Page(html.render(for_audience(faulted, Audience.RECRUITER))).text

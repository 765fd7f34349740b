"""What the page shows to whom, and that it needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
import re
from decimal import Decimal
from itertools import pairwise

import pytest

from grader.model.result import Outcome, Plot
from grader.model.run import RunStatus
from grader.model.sheet import Audience, ScoreSheet
from grader.render.html import TEMPLATES, render
from grader.scoring.audience import for_audience
from tests.dom import Page
from tests.factories import (
    make_check_line,
    make_checks,
    make_faulted_sheet,
    make_isolation,
    make_provenance,
    make_rejected_sheet,
    make_sheet,
)


def page(sheet: ScoreSheet, audience: Audience = Audience.RECRUITER) -> Page:
    return Page(render(for_audience(sheet, audience)))


def test_the_style_sheet_is_the_one_that_the_policy_names() -> None:
    shown = page(make_sheet())
    digest = base64.b64encode(hashlib.sha256(shown.style.encode()).digest()).decode()
    (policy,) = (value for value in shown.values("content") if "default-src" in value)
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@pytest.mark.parametrize("audience", Audience)
def test_the_page_refers_to_nothing_outside_of_itself(audience: Audience) -> None:
    text = render(for_audience(make_sheet(checks=make_checks(plots=True)), audience))
    assert not re.search(r"https?:|//[a-z]|@import|<script|<link|\son[a-z]+=|\sstyle=", text)


def test_it_opens_with_candidate_exercise_and_one_plain_sentence() -> None:
    text = page(make_sheet()).text
    order = ["Ada Lindqvist", "Clean a messy Parquet dataset", "76.4 of 100 points",
             "Strongest: Data quality (84 %). Weakest: Production operations (0 %).",
             "By competency", "By check group", "What to ask in the follow-up interview", "Checks and evidence",
             "What the submission used", "Provenance and signature"]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_questions_come_where_points_were_lost_most_points_first() -> None:
    checks = (
        make_check_line(id="A1", earned=3, question="Lost one?"),
        make_check_line(id="A2", earned=0, question="Lost four?"),
        make_check_line(id="A3", earned=4, outcome=Outcome.PASSED, question="Lost nothing?"),
    )
    text = page(make_sheet(checks=checks)).text
    assert text.index("Lost four?") < text.index("Lost one?")
    assert "Lost nothing?" not in text


def test_questions_about_small_losses_stand_apart() -> None:
    checks = (
        make_check_line(id="A1", earned="3.9", question="Lost a little?"),
        make_check_line(id="A2", earned="3.6", question="Lost a tenth?"),
    )
    text = page(make_sheet(checks=checks)).text
    assert text.index("Lost a tenth?") < text.index("less than a tenth") < text.index("Lost a little?")


def test_every_outcome_is_told_by_a_word_and_a_symbol() -> None:
    outcomes = (*Outcome, None)
    checks = tuple(make_check_line(id=f"A{number}", outcome=each) for number, each in enumerate(outcomes))
    source = render(make_sheet(checks=checks))
    badges = re.findall(r'<span class="badge[^>]*><svg.*?</svg>([^<]*)</span>', source)[len(outcomes) :]
    assert badges == ["passed", "partial", "failed", "blocked", "skipped", "not measured"]


def test_evidence_reason_and_points_stand_with_their_check() -> None:
    source = render(make_sheet(checks=(make_check_line(id="B1"),)))
    (article,) = re.findall(r'<article class="check" id="check-B1">.*?</article>', source, re.DOTALL)
    text = Page(article).text
    for part in ("Reads amounts with a decimal comma", "partial", "2 / 4", "The result is not right",
                 "812 of 1204", "first wrong cell", "Share of amounts read right, by shop"):  # fmt: skip
        assert part in text


def test_pictures_are_drawn_in_the_page() -> None:
    source = render(make_sheet(checks=(make_check_line(),)))
    assert 'role="img" aria-label="Share of amounts read right, by shop"><svg' in source


def test_a_picture_that_is_not_acceptable_is_left_out_and_the_page_says_so() -> None:
    plot = Plot(caption="A picture", svg="<svg onload='alert(1)'/>")
    shown = page(make_sheet(checks=(make_check_line(plots=(plot,)),)))
    assert "Picture left out" in shown.text
    assert "A picture" in shown.text
    assert "img" not in shown.values("role")


def test_pictures_of_one_page_share_no_ids() -> None:
    ids = page(make_sheet(checks=make_checks(plots=True))).values("id")
    assert len(ids) == len(set(ids))


def test_a_rejected_sheet_says_why_and_what_to_do_and_shows_no_points() -> None:
    sheet = make_rejected_sheet()
    for audience in Audience:
        text = page(sheet, audience).text
        assert "could not be graded" in text
        assert sheet.rejection is not None
        assert sheet.rejection.words in text
        assert sheet.rejection.message in text
        assert sheet.rejection.hint in text
        assert not re.search(r"\d+ (of \d+ )?points", text)


def test_a_faulted_sheet_shows_a_range_and_who_has_to_act() -> None:
    text = page(make_faulted_sheet()).text
    assert re.search(r"69\.8\s*–\s*77\.8 of 100 points, provisional", text)
    assert "2 of 30 checks could not be measured" in text
    assert "To act: the author of the exercise" in text
    assert "To act: whoever runs the grader" in text
    assert "Not measured: E4 Sets unreadable amounts aside, with the right reason; G4" in text


def test_a_cancelled_run_has_no_total_and_no_range() -> None:
    sheet = make_sheet(status=RunStatus.CANCELLED, earned=None, checks=(), competencies=(), groups=())
    assert "There is no total: the run was not completed." in page(sheet).text


def test_the_candidate_gets_feedback_and_none_of_the_interview() -> None:
    text = page(make_sheet(), Audience.CANDIDATE).text
    assert "Thank you for the work" in text
    assert "Most room to grow: Production operations" in text
    assert "The order of the files says nothing about which version is newer." in text
    for hidden in ("interview", "Evidence", "927", "Isolation", "Please note", "Weakest", "KeyError"):
        assert hidden not in text


def test_metrics_and_source_are_for_the_author_only() -> None:
    sheet = make_sheet(checks=(make_check_line(),))
    assert "checks/test_numbers.py:41 · 0.4 s · accuracy 0.6744" in page(sheet, Audience.AUTHOR).text
    assert "test_numbers.py" not in page(sheet, Audience.RECRUITER).text


def test_isolation_is_shown_with_its_warnings() -> None:
    walls = make_isolation(runtime="runsc 20261101", warnings=("The engine is old.",))
    text = page(make_sheet(provenance=make_provenance(isolation=walls))).text
    assert "runtime runsc 20261101" in text
    assert "Warning: The engine is old." in text


def test_a_signature_is_shown_and_its_absence_too() -> None:
    sheet = make_sheet()
    assert sheet.signature is not None
    assert sheet.signature.value in page(sheet, Audience.AUTHOR).text
    assert "This sheet was not signed." in page(sheet, Audience.RECRUITER).text


def test_resources_come_in_units_for_people() -> None:
    source = render(make_sheet())
    for value in ("1 min 35 s", "2 min 11 s", "1.17 GiB", "11"):
        assert f"<dd>{value}</dd>" in source


def test_names_cannot_leave_the_line_on_top_of_printed_pages() -> None:
    style = page(make_sheet(candidate='A"; } body { display: none } /* \\22')).style
    (content,) = re.findall(r"@top-left \{ content: \"([^\"]*)\"; \} \}", style)
    assert not re.search(r"[;{}/*]", content)
    assert content.startswith("A\\000022\\00003b ")


@pytest.mark.parametrize("sheet", [make_sheet(), make_rejected_sheet(), make_faulted_sheet()])
@pytest.mark.parametrize("audience", Audience)
def test_assistive_technology_finds_language_landmarks_and_headings_in_order(
    sheet: ScoreSheet, audience: Audience
) -> None:
    shown = page(sheet, audience)
    assert ("html", "lang", "en") in shown.attributes
    assert [tag for tag in shown.tags if tag in {"header", "main", "footer"}] == ["header", "main", "footer"]
    levels = [int(tag[1]) for tag in shown.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    named = set(shown.values("aria-labelledby"))
    assert named <= set(shown.values("id"))
    assert shown.tags.count("section") == len(shown.values("aria-labelledby"))


def test_every_table_has_a_caption_and_every_row_a_header() -> None:
    source = render(make_sheet())
    for table in re.findall(r"<table.*?</table>", source, re.DOTALL):
        assert "<caption" in table
        rows = [row for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL) if "aria-hidden" not in row.split(">")[0]]
        assert all("scope=" in row for row in rows)


def test_links_lead_to_checks_on_the_page() -> None:
    shown = page(make_faulted_sheet())
    links = {value.removeprefix("#") for value in shown.values("href") if "check-" in value}
    assert links
    assert links <= set(shown.values("id"))


def themes() -> list[dict[str, str]]:
    css = (TEMPLATES / "sheet.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    roots = [re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block) for block in blocks]
    return [dict(roots[0]), dict(roots[0]) | dict(roots[1]), dict(roots[0]) | dict(roots[2])]


def luminance(colour: str) -> float:
    channels = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark", "print"])
def test_all_text_has_enough_contrast(theme: dict[str, str]) -> None:
    pairs = [("ink", "paper"), ("muted", "paper"), ("ink", "raised"), ("muted", "raised")]
    pairs += [(name, f"{name}-soft") for name in ("passed", "partial", "failed", "blocked", "unmeasured")]
    assert [(text, ground) for text, ground in pairs if contrast(theme[text], theme[ground]) < 4.5] == []


def test_checks_are_never_broken_across_printed_pages() -> None:
    css = (TEMPLATES / "sheet.css").read_text(encoding="utf-8")
    (rule,) = re.findall(r"^\.check \{[^}]*\}", css, re.MULTILINE)
    assert "break-inside: avoid" in rule
    assert "size: A4" in css


def test_a_sheet_without_groups_still_shows_its_checks() -> None:
    sheet = make_sheet(checks=(make_check_line(),), groups=(), competencies=())
    assert "Reads amounts with a decimal comma" in page(sheet).text


def test_zero_possible_points_break_nothing() -> None:
    sheet = make_sheet(checks=(make_check_line(earned=0, possible=Decimal(0)),), earned=0, possible=0)
    assert "0 of 0 points" in page(sheet).text

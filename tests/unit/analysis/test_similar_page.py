"""Similar submissions as a page: names and code of strangers stay what they are, and where they are."""

from __future__ import annotations

import pytest

from grader.analysis.similar_page import similar_page
from grader.author import matrix_page
from grader.clock import now
from grader.render.text import is_invisible
from grader.similarity.report import Report, ShownPair, ShownPassage, Side
from tests.dom import Page

EVIL = "\u202e<script>alert(1)</script>\u2066\x1b[31m"


def report(text: str) -> Report:
    side = Side(path=text, first=1, last=1, lines=(text,), more=0)
    passage = ShownPassage(tokens=9, people=2, sides=(side, side))
    pair = ShownPair(
        names=(text, text), labels=(text, text), percents=(45, 30), tokens=9, facts=(text,), passages=(passage,), more=0
    )
    left_out = ((text, text, text),)
    return Report(
        title=text, people=2, submissions=2, pairs=(pair,), more=0, groups=(text,), marks=(text,), left_out=left_out,
        notes=(text,),
    )  # fmt: skip


def page_of_matrix(text: str) -> str:
    return matrix_page.render([matrix_page.Page(title=text, checks=((text, text),), rows=())], now())


def test_no_text_changes_the_page_or_hides_in_it() -> None:
    page = similar_page(report(EVIL), now())
    assert Page(page).tags == Page(similar_page(report("word"), now())).tags
    assert [each for each in set(page) if is_invisible(each) and each != "\n"] == []


def test_nor_that_of_a_proof() -> None:
    page = page_of_matrix(EVIL)
    assert Page(page).tags == Page(page_of_matrix("word")).tags
    assert [each for each in set(page) if is_invisible(each) and each != "\n"] == []


@pytest.mark.parametrize("name", ["\u05e2\u05d3\u05d4", "Ada"])
def test_a_name_written_from_the_right_does_not_turn_the_percentage_beside_it(name: str) -> None:
    page = similar_page(report(name), now())
    assert page.count(f"<bdi>{name}</bdi>: 45 %") == 1
    assert page.count(f"<bdi>{name}</bdi>: 30 %") == 1

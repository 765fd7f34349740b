"""What the harness noticed is told to people who decide, in every format for people, and not to candidates."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from grader.model.run import Noticed, Sign
from grader.model.sheet import Audience, ScoreSheet
from grader.render import html, markdown, words
from grader.render.terminal import sheet_view
from grader.scoring.audience import for_audience
from tests.factories import make_rejected_sheet, make_sheet

NOTICED = tuple(Noticed(sign=sign, times=3, where=()) for sign in Sign)


def terminal(sheet: ScoreSheet) -> str:
    console = Console(file=io.StringIO(), width=300)
    console.print(sheet_view(sheet))
    return str(console.file.getvalue())  # type: ignore[attr-defined]


@pytest.mark.parametrize("render", [html.render, markdown.render, terminal])
def test_recruiters_read_every_sign_and_that_it_changed_no_points(render: Callable[[ScoreSheet], str]) -> None:
    text = render(for_audience(make_sheet(noticed=NOTICED), Audience.RECRUITER))
    for sign in Sign:
        assert words.SIGN_WORDS[sign] in text
    assert "They changed no points." in text
    assert "3 times" in text


@pytest.mark.parametrize("render", [html.render, markdown.render, terminal])
def test_candidates_read_nothing_of_it(render: Callable[[ScoreSheet], str]) -> None:
    text = render(for_audience(make_sheet(noticed=NOTICED), Audience.CANDIDATE))
    assert "noticed" not in text


@pytest.mark.parametrize("render", [html.render, markdown.render, terminal])
def test_where_nothing_was_noticed_nothing_is_said(render: Callable[[ScoreSheet], str]) -> None:
    assert "What the harness noticed" not in render(make_sheet(noticed=()))


@pytest.mark.parametrize("render", [html.render, markdown.render, terminal])
def test_a_rejected_submission_has_it_too(render: Callable[[ScoreSheet], str]) -> None:
    assert words.SIGN_WORDS[Sign.STEERING] in render(make_rejected_sheet(noticed=NOTICED))


def test_where_comes_before_how_often() -> None:
    assert words.noticed(Noticed(sign=Sign.PLANTED, times=2, where=("a.pth", "b"))).endswith("no effect. (a.pth, b)")
    assert words.noticed(Noticed(sign=Sign.NETWORK)).endswith("It has none.")
    assert words.noticed(Noticed(sign=Sign.NETWORK, times=2)).endswith("It has none. 2 times.")


def test_points_do_not_depend_on_it() -> None:
    assert make_sheet(noticed=NOTICED).earned == make_sheet(noticed=()).earned

"""What is noticed of a submission that meddles: facts, bounded, and never a word that a box makes up."""

from __future__ import annotations

from typing import Any

import pytest

from grader.engine.noticing import TIMES_CAP, WHERE_CAP, Notices
from grader.frames import REPLY, Frame
from grader.model.reasons import Reason
from grader.model.result import CheckResult, Outcome
from grader.model.run import Noticed, Sign


def after(*headers: dict[str, Any]) -> dict[Sign, int]:
    notices = Notices()
    for header in headers:
        notices.see_reply(Frame(REPLY, 1, header))
    return {each.sign: each.times for each in notices.all()}


@pytest.mark.parametrize(
    ("header", "seen"),
    [
        ({"status": 0, "leftovers": 0, "planted": [], "unreachable": 0, "flooded": False}, {}),
        ({"leftovers": 3}, {Sign.LEFT_OVER: 3}),
        ({"leftovers": 3, "timed_out": True}, {}),
        ({"leftovers": 3, "flooded": True}, {Sign.FLOOD: 1}),
        ({"planted": ["results.json"]}, {Sign.PLANTED: 1}),
        ({"unreachable": 2}, {Sign.NETWORK: 2}),
        ({"unreachable": 2**70, "leftovers": 2**70}, {Sign.NETWORK: TIMES_CAP, Sign.LEFT_OVER: TIMES_CAP}),
        ({"unreachable": True, "leftovers": -1, "planted": "x", "flooded": 1}, {}),
        ({"unreachable": 1.5, "leftovers": "3", "planted": {}, "flooded": "yes"}, {}),
    ],
)
def test_a_reply_is_taken_for_what_it_says_and_no_more(header: dict[str, Any], seen: dict[Sign, int]) -> None:
    assert after(header) == seen


def test_attempts_at_the_network_are_counted_once_in_every_box() -> None:
    assert after({"unreachable": 2}, {"unreachable": 2}, {"unreachable": 5}) == {Sign.NETWORK: 5}
    notices = Notices()
    notices.see_reply(Frame(REPLY, 1, {"unreachable": 2}))
    notices.forget_box()
    notices.see_reply(Frame(REPLY, 1, {"unreachable": 3}))
    assert notices.all() == (Noticed(sign=Sign.NETWORK, times=5),)


def test_names_of_files_are_few_short_and_printable() -> None:
    notices = Notices()
    notices.see_reply(Frame(REPLY, 1, {"planted": ["a\n\x1b[31m\u202eb", 7, "x" * 1000, *map(str, range(100))]}))
    where = notices.all()[0].where
    assert where[0] == "a??[31m?b"
    assert len(where) <= WHERE_CAP
    assert max(map(len, where)) == 160


def test_the_kits_own_checks_are_not_among_what_was_handed_in() -> None:
    notices = Notices()
    notices.see_handed_in(("checks/conftest.py", "lib/conftest.py", "results.json"))
    assert notices.all() == (Noticed(sign=Sign.STEERING, times=2, where=("lib/conftest.py", "results.json")),)
    notices = Notices()
    notices.see_handed_in(("checks/conftest.py",))
    assert notices.all() == ()


def test_checks_tell_how_answers_came() -> None:
    notices, lost = Notices(), {"outcome": Outcome.FAILED, "fraction": 0.0}
    notices.see_results(
        [
            CheckResult(check="A1", reason=Reason.PROTOCOL, **lost),
            CheckResult(check="A2", reason=Reason.OUTPUT_CAP, **lost),
            CheckResult(check="A3", reason=Reason.TIMEOUT, **lost),
            CheckResult(check="A4", outcome=Outcome.PASSED, fraction=1.0),
        ]
    )
    assert [(each.sign, each.where) for each in notices.all()] == [(Sign.PROTOCOL, ("A1",)), (Sign.FLOOD, ("A2",))]

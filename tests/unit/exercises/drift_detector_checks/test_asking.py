"""Windows come in an order that tells nothing, are the same for the same variant, and share a time limit."""

from __future__ import annotations

import random
import threading
from itertools import pairwise
from types import SimpleNamespace

import pandas as pd
import pytest


def variant(number: int = 1) -> SimpleNamespace:
    return SimpleNamespace(number=number, random=lambda purpose: random.Random(f"{number}/{purpose}"))


class World:
    """Gives windows that tell what was asked for."""

    def pooled(self, n, rng, kind=None, size=None):
        return self._window("pooled", n, rng, kind, size)

    def slice(self, n, rng, kind=None, size=None):
        return self._window("slice", n, rng, kind, size)

    def _window(self, mode, n, rng, kind, size):
        return pd.DataFrame({"mode": [mode] * n, "kind": kind, "size": size, "amount": rng.normal(size=n)})


class Session:
    """Answers that nothing drifted; a batch of calls takes as long as the test says."""

    def __init__(self, seconds: float = 0.0, cpu_seconds: float = 0.0) -> None:
        self.windows: list[pd.DataFrame] = []
        self.last = SimpleNamespace(seconds=seconds, cpu_seconds=cpu_seconds)

    def map(self, method, calls, seconds=None):
        self.windows += [call["window"] for call in calls]
        value = {"drift": False, "p_value": 0.5}
        return [SimpleNamespace(value=value, error="", reason=None) for _ in calls]


def test_the_same_variant_gives_the_same_windows_in_any_order(checks):
    asks = checks.asking.all_asks()[::97]
    make = checks.asking.make_window
    forth = {ask: make(World(), variant(), ask) for ask in asks}
    back = {ask: make(World(), variant(), ask) for ask in reversed(asks)}
    assert all(forth[ask].equals(back[ask]) for ask in asks)
    assert not forth[asks[0]]["amount"].equals(make(World(), variant(2), asks[0])["amount"])


def test_every_window_is_another_one(checks):
    asks = checks.asking.all_asks()
    assert len(set(asks)) == len(asks)
    assert len({ask.key for ask in asks}) == len(asks)


def test_each_kind_size_and_mode_has_its_windows(checks):
    asks = checks.asking.all_asks()
    cells = [ask for ask in asks if ask.kind == "unit"]
    assert len(cells) == 6 * checks.anchors.PER_SIZE
    clean = [(ask.mode, ask.rows) for ask in asks if ask.kind == "clean"]
    assert {cell: clean.count(cell) for cell in set(clean)} == {
        ("pooled", 500): 400,
        ("pooled", 60): 200,
        ("slice", 500): 400,
        ("slice", 2000): 100,
    }


def test_clean_and_drifted_windows_come_mixed(checks):
    session = Session()
    checks.asking.ask_windows(session, World(), variant(), checks.asking.all_asks()[::7], alpha=0.05, purpose="x")
    drifted = [window["kind"].notna().any() for window in session.windows]
    changes = sum(one != two for one, two in pairwise(drifted))
    assert changes > len(drifted) / 4


def test_the_order_is_the_variant_s_own_secret(checks):
    order = checks.asking.shuffled(range(50), variant(1), "x")
    assert order == checks.asking.shuffled(range(50), variant(1), "x")
    assert order not in (list(range(50)), checks.asking.shuffled(range(50), variant(2), "x"))


def test_answers_are_found_again_by_what_was_asked(checks):
    asks = [checks.asking.Ask(kind="clean", mode="pooled", rows=60, number=number) for number in range(3)]
    panel = checks.asking.ask_windows(Session(), World(), variant(), asks, alpha=0.05, purpose="x")
    assert [reading.decision for reading in panel.of("clean", "pooled", 60)] == [False] * 3
    assert panel.of("clean", "slice", 60) == []


@pytest.mark.parametrize(
    ("wall", "cpu", "batches"),
    [
        (2.1, 4.2, 1),  # two workers that compute all the time
        (4.2, 4.2, 1),  # the same where another run has one of the processors
        (4.2, 0.0, 1),  # workers that sleep
        (2.1, 0.0, 2),
        (0.9, 1.8, 3),
    ],
)
def test_what_there_is_no_time_for_counts_as_not_answered(checks, monkeypatch, wall, cpu, batches):
    monkeypatch.setattr(checks.anchors, "PANEL_SECONDS", 2.0)
    asks = [checks.asking.Ask(kind="clean", mode="pooled", rows=60, number=number) for number in range(300)]
    session = Session(seconds=wall, cpu_seconds=cpu)
    panel = checks.asking.ask_windows(session, World(), variant(), asks, alpha=0.05, purpose="x")
    late = [reading for reading in panel.readings if reading.reason == "timeout"]
    asked = min(300, batches * checks.anchors.BATCH)
    assert (len(session.windows), len(late)) == (asked, 300 - asked)
    assert all(reading.false_alarm and not reading.hit for reading in late)


def test_the_next_windows_are_made_while_the_submission_is_busy(checks):
    made = {number: threading.Event() for number in range(4)}

    def make(number):
        made[number].set()
        return -number

    for number, what in checks.asking.prepared(made, make):
        assert what == -number
        assert number == 3 or made[number + 1].wait(20), "it waited for the submission"
        assert not any(made[later].is_set() for later in range(number + 2, 4)), "memory is for two batches"


@pytest.mark.parametrize("shift", [0.0, 0.2, 0.35])
def test_streams_have_their_shifts(checks, shift):
    found = checks.watch.of_shift(
        [checks.watch.Watched(stream=stream, alarms=()) for stream in checks.watch.all_streams(variant())], shift
    )
    assert len(found) == (checks.anchors.DRIFT_STREAMS if shift else checks.anchors.CLEAN_STREAMS)
    assert len({each.stream.onset for each in found}) > 1 or not shift

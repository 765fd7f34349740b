"""What time counts: that of the submission, and not that of a machine which is busy with other things."""

from __future__ import annotations

import random
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from grader.checker.api import Reason, SubmissionFailed
from grader.checker.callable import Answer, Cost


def timing(checks, own, reference, wall):
    return checks.timing.Timing(own=tuple(own), reference=tuple(reference), wall=tuple(wall))


def test_the_middle_block_is_compared(checks):
    assert timing(checks, [0.1, 0.2, 0.9], [0.05] * 3, [1.0] * 3).ratio == pytest.approx(4)


def test_a_very_fast_reference_counts_with_a_least_time(checks):
    least = checks.anchors.LEAST_REFERENCE
    assert timing(checks, [4 * least], [least / 5], [1.0]).ratio == pytest.approx(4)


def test_waiting_for_a_busy_machine_is_not_counted(checks):
    assert timing(checks, [0.2, 0.3], [0.1, 0.1], [0.9, 1.4]).seconds == 0.2


class Fits:
    def __init__(self, seconds: float, cpu_seconds: float) -> None:
        self.last, self.given = Cost(seconds=seconds, cpu_seconds=cpu_seconds), 0.0

    def construct(self, **arguments: object) -> None:
        pass

    def call(self, method: str, *, seconds: float, **arguments: object) -> None:
        self.given = seconds


def fitted(checks, session: Fits, workers: int) -> float:
    world = SimpleNamespace(reference=lambda: None, reference_labels=lambda: None)
    variant = SimpleNamespace(random=random.Random)
    return checks.sittings.start(session, world, variant, 0.05, workers)


def test_fitting_on_a_busy_machine_counts_what_one_process_computed(checks):
    session = Fits(seconds=150.0, cpu_seconds=44.0)
    assert fitted(checks, session, workers=2) == 22.0
    assert session.given > 2 * checks.anchors.FIT_SECONDS


VARIANT = SimpleNamespace(random=random.Random)
WORLD = SimpleNamespace(
    pooled=lambda rows, rng, **drift: rng.random(), slice=lambda rows, rng, **drift: rng.random(),
    reference=lambda: None, reference_labels=lambda: None,
)  # fmt: skip


class Answers:
    """A session that answers some of the windows, and remembers them."""

    def __init__(self, *, ok: int) -> None:
        self.ok, self.last, self.seen = ok, Cost(seconds=1.0, cpu_seconds=1.0), []

    def construct(self, **arguments: object) -> None:
        pass

    def call(self, method: str, **arguments: object) -> None:
        pass

    def map(self, method: str, calls: list[dict[str, float]], **limits: object) -> list[Answer]:
        self.seen += [call["window"] for call in calls]
        return [Answer(error="" if place < self.ok else "ValueError") for place in range(len(calls))]


def timed(checks, ok: int):
    session, rival = Answers(ok=ok), Answers(ok=100)
    reference = SimpleNamespace(open=lambda workers: nullcontext(rival))
    return session, rival, lambda: checks.timing.measure_time(session, reference, WORLD, VARIANT)


def test_no_window_is_timed_twice_and_both_see_the_same(checks):
    session, rival, measure = timed(checks, ok=100)
    assert measure().ratio == 1
    assert len(session.seen) >= 4 * 20
    assert len(set(session.seen)) == len(session.seen)
    assert session.seen == rival.seen
    asked_elsewhere = [checks.asking.make_window(WORLD, VARIANT, ask) for ask in checks.care.mixed_asks(26)]
    assert not set(session.seen) & set(asked_elsewhere)


def test_raising_at_once_is_not_quick(checks):
    _, _, measure = timed(checks, ok=5)
    with pytest.raises(SubmissionFailed, match="half of the windows") as failed:
        measure()
    assert failed.value.reason is Reason.INACTIVE


def test_who_answers_too_late_is_told_so(checks, monkeypatch):
    monkeypatch.setattr(Answers, "map", lambda self, _, calls, **limits: [Answer(reason=Reason.TIMEOUT)] * len(calls))
    session, rival = (
        Answers(ok=0),
        SimpleNamespace(
            construct=lambda **_: None, call=lambda *_, **__: None, map=lambda *_: [], last=Cost(cpu_seconds=1.0)
        ),
    )
    reference = SimpleNamespace(open=lambda workers: nullcontext(rival))
    with pytest.raises(SubmissionFailed) as failed:
        checks.timing.measure_time(session, reference, WORLD, VARIANT)
    assert failed.value.reason is Reason.TIMEOUT

"""What the shipped detector does when nothing is said, for comparison with what its notebook says."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from dataclasses import dataclass

import anchors
import pandas as pd
from answers import Reading, read_check
from asking import CLEAN, POOLED, SLICE, Ask, make_window
from world import FEATURES

from grader.checker.api import Reason, SubmissionFailed

MOVED, CLEAN_WINDOWS = 8, 160
ANOTHER_TIME = pd.Timedelta(hours=12)
SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What a probe has shown.

    Attributes:
        method: "matched" when answers depend on the hour of a window, "pooled" when they do not.
        alpha: Lowest and highest alpha that its decisions allow.
    """

    method: str
    alpha: tuple[float, float]


def probe(submission, world, variant) -> Habits:
    """Ask a detector that was made without arguments.

    Raises:
        SubmissionFailed: It cannot be made or fitted, or gives no answers that can be read.
    """
    moved = [make_window(world, variant, ask) for ask in _asks(SLICE, MOVED)]
    clean = [make_window(world.in_arrow, variant, ask) for ask in _asks(POOLED, CLEAN_WINDOWS)]
    later = [window.assign(event_ts=window["event_ts"] + ANOTHER_TIME) for window in moved]
    with submission.open(workers=1) as session:  # fitting takes longer than asking
        session.construct()
        tables = {"reference": world.reference(), "labels": world.reference_labels()}
        session.call("fit", seconds=anchors.FIT_PATIENCE, **tables)
        readings = _ask(session, [*moved, *later, *clean])
    pairs = list(zip(readings[:MOVED], readings[MOVED : 2 * MOVED], strict=True))
    return Habits(method=method_of(pairs), alpha=alpha_of(readings))


def _asks(mode: str, count: int) -> list[Ask]:
    return [Ask(kind=CLEAN, mode=mode, rows=anchors.PLAIN_ROWS, number=5000 + number) for number in range(count)]


def _ask(session, windows: Sequence[Sized]) -> list[Reading]:
    answers = session.map("check", [{"window": window} for window in windows], seconds=anchors.CALL_SECONDS)
    return [
        read_check(answer, rows=len(window), features=FEATURES, alpha=anchors.ALPHA)
        for answer, window in zip(answers, windows, strict=True)
    ]


def method_of(pairs: Sequence[tuple[Reading, Reading]]) -> str:
    """Tell by pairs of equal windows of different hours whether a detector looks at the hour.

    Raises:
        SubmissionFailed: There are no answers.
    """
    known = [(one, two) for one, two in pairs if one.p is not None and two.p is not None]
    if not known:
        raise SubmissionFailed(Reason.NO_RESPONSE, "Made without arguments, the detector gives no p-values.")
    differ = sum(not _alike(one, two) for one, two in known)
    return "matched" if 2 * differ > len(known) else "pooled"


def _alike(one: Reading, two: Reading) -> bool:
    assert one.p is not None
    assert two.p is not None
    if abs(one.p - two.p) > SAME:
        return False
    first, second = one.scores or {}, two.scores or {}
    return all(abs(first[name] - second.get(name, 0.0)) <= SAME * max(1.0, first[name]) for name in first)


def alpha_of(readings: Sequence[Reading]) -> tuple[float, float]:
    """Narrow alpha down by the largest p-value that was called drift, and the smallest that was not."""
    decided = [(reading.p, reading.flag) for reading in readings if reading.p is not None and reading.flag is not None]
    low = max((p for p, drift in decided if drift), default=0.0)
    high = min((p for p, drift in decided if not drift), default=1.0)
    return (low, high) if low <= high else (high, low)

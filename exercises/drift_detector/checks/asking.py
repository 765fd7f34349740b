"""Which windows are asked, how each is made, and how the answers are found again.

All windows of all checks form one list, shuffled with a key of the hidden variant and sent in batches: a submission
cannot tell which window belongs to which check, or that two belong together. A window depends on its own key alone, so
the same variant always gives the same windows, in whatever order they are made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import anchors
import numpy as np
import pandas as pd
from answers import Reading, not_asked, read_check, read_feedback
from world import FEATURES, GROSS, KINDS, SIZES

POOLED, SLICE = "pooled", "slice"
MODES = (POOLED, SLICE)
CLEAN = "clean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One window to be asked about.

    Attributes:
        kind: "clean", or a kind of drift.
        mode: "pooled" or "slice".
        rows: Rows of the window.
        size: Size of the drift; 0 without one.
        number: Tells it from others like it.
    """

    kind: str
    mode: str
    rows: int
    size: float = 0.0
    number: int = 0

    @property
    def key(self) -> str:
        """Its name, from which its random numbers come."""
        return f"{self.mode}/{self.kind}/{self.size}/{self.rows}/{self.number}"


def numbers(variant, purpose: str) -> np.random.Generator:
    """Return numpy's random numbers for a purpose, the same whenever this variant is graded."""
    return np.random.default_rng(variant.random(purpose).getrandbits(128))


def _several(count: int, **same: object) -> list[Ask]:
    return [Ask(number=number, **same) for number in range(count)]


def all_asks() -> list[Ask]:
    """List the windows of groups A to C, and those that gates need."""
    asks = [
        *_several(anchors.CLEAN_PLAIN, kind=CLEAN, mode=POOLED, rows=anchors.PLAIN_ROWS),
        *_several(anchors.CLEAN_FEW, kind=CLEAN, mode=POOLED, rows=anchors.FEW_ROWS),
        *_several(anchors.CLEAN_PLAIN, kind=CLEAN, mode=SLICE, rows=anchors.PLAIN_ROWS),
        *_several(anchors.CLEAN_MANY, kind=CLEAN, mode=SLICE, rows=anchors.MANY_ROWS),
    ]
    for mode, rows in ((POOLED, anchors.FEW_ROWS), (SLICE, anchors.MANY_ROWS)):
        for kind, size in clear_sizes(rows).items():
            asks += _several(anchors.CLEAR_WINDOWS, kind=kind, mode=mode, rows=rows, size=size)
    for kind in KINDS:
        for mode in MODES:
            for size in SIZES[kind]:
                asks += _several(anchors.PER_SIZE, kind=kind, mode=mode, rows=anchors.PLAIN_ROWS, size=size)
    return asks


def largest(kind: str) -> float:
    """Return the largest size of the ladder of a kind."""
    return SIZES[kind][-1]


def clear_sizes(rows: int) -> dict[str, float]:
    """Return the kinds of clear drift, of a number and of a category, with their sizes in windows of so many rows."""
    return GROSS if rows == anchors.FEW_ROWS else anchors.CLEAR


def make_window(world, variant, ask: Ask) -> pd.DataFrame:
    """Make the window of an ask."""
    rng = numbers(variant, f"window/{ask.key}")
    draw = world.pooled if ask.mode == POOLED else world.slice
    if ask.kind == CLEAN:
        return draw(ask.rows, rng)
    return draw(ask.rows, rng, kind=ask.kind, size=ask.size)


class Panel:
    """The answers about windows.

    Args:
        readings: Window to what was answered.
    """

    def __init__(self, readings: Mapping[Ask, Reading]) -> None:
        self._readings = dict(readings)

    def of(self, kind: str, mode: str, rows: int = anchors.PLAIN_ROWS, size: float = 0.0) -> list[Reading]:
        """Return the answers about windows of a sort, in a fixed order."""
        chosen = [ask for ask in self._readings if (ask.kind, ask.mode, ask.rows, ask.size) == (kind, mode, rows, size)]
        return [self._readings[ask] for ask in sorted(chosen, key=lambda each: each.number)]

    def noticeable(self, *modes: str, rows: int = anchors.PLAIN_ROWS) -> list[Reading]:
        """Return the answers about clear drift in these modes: of a number and of a category, half and half."""
        sizes = clear_sizes(rows)
        asked = [self.of(kind, mode, rows, size) for mode in modes for kind, size in sizes.items()]
        return [reading for readings in asked for reading in readings]

    @property
    def readings(self) -> list[Reading]:
        """All answers."""
        return list(self._readings.values())

    def __getitem__(self, ask: Ask) -> Reading:
        return self._readings[ask]


def batches(items: Sequence[object], size: int) -> Iterator[Sequence[object]]:
    """Cut a list into batches."""
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def prepared(items: Iterable[object], make: Callable[[object], object]) -> Iterator[tuple[object, object]]:
    """Yield each item with what is made of it; the next is made while the submission is busy with this one."""
    with ThreadPoolExecutor(max_workers=1) as worker:
        waiting: list[tuple[object, Future[object]]] = []
        for item in items:
            waiting.append((item, worker.submit(make, item)))
            if len(waiting) > 1:
                before, made = waiting.pop(0)
                yield before, made.result()
        for before, made in waiting:
            yield before, made.result()


def shuffled(items: Sequence[object], variant, purpose: str) -> list[object]:
    """Return the items in the variant's secret order."""
    order = list(items)
    variant.random(f"order/{purpose}").shuffle(order)
    return order


class Budget:
    """Time for all calls of a stage; what it is too short for counts as not answered.

    It is what two processors need: another run may have one of them, and that costs nobody anything. Whoever waits in
    place of computing pays half of the wall time.

    Calls come in a random order, so that this costs every check of the stage alike.

    Args:
        session: Makes the calls.
        seconds: How much there is.
    """

    def __init__(self, session, seconds: float) -> None:
        self._session, self._left = session, seconds

    @property
    def used_up(self) -> bool:
        """Whether nothing is left."""
        return self._left <= 0

    def spend(self, work: Callable[[], list]) -> list:
        """Do calls and count their time."""
        found = work()
        self._left -= max(self._session.last.cpu_seconds, self._session.last.seconds) / 2
        return found


LATE = "not asked: the time for all calls was used up"


def ask_windows(session, world, variant, asks: Sequence[Ask], *, alpha: float, purpose: str) -> Panel:
    """Ask `check` about windows."""
    readings: dict[Ask, Reading] = {}
    budget = Budget(session, anchors.PANEL_SECONDS)

    def make(batch):
        return None if budget.used_up else [make_window(world, variant, ask) for ask in batch]

    for batch, windows in prepared(batches(shuffled(asks, variant, purpose), anchors.BATCH), make):
        if windows is None or budget.used_up:
            readings |= dict.fromkeys(batch, not_asked(LATE))
            continue
        calls = [{"window": window} for window in windows]
        answers = budget.spend(lambda calls=calls: session.map("check", calls, seconds=anchors.CALL_SECONDS))
        for ask, window, answer in zip(batch, windows, answers, strict=True):
            readings[ask] = read_check(answer, rows=len(window), features=FEATURES, alpha=alpha)
    return Panel(readings)


def ask_feedback(session, world, variant, *, alpha: float) -> dict[str, list[Reading]]:
    """Ask `feedback` about labelled rows, all kinds in one secret order."""
    asks = [(kind, number) for kind, count in anchors.LABELS.items() for number in range(count)]
    heard: dict[str, dict[int, Reading]] = {kind: {} for kind in anchors.LABELS}
    budget = Budget(session, anchors.FEEDBACK_SECONDS)

    def make(batch):
        return None if budget.used_up else [make_feedback(world, variant, kind, number) for kind, number in batch]

    for batch, sets in prepared(batches(shuffled(asks, variant, "feedback"), anchors.BATCH), make):
        if sets is None or budget.used_up:
            readings = [not_asked(LATE)] * len(batch)
        else:
            calls = [{"rows": rows} for rows in sets]
            answers = budget.spend(lambda calls=calls: session.map("feedback", calls, seconds=anchors.CALL_SECONDS))
            readings = [read_feedback(answer, alpha=alpha) for answer in answers]
        for (kind, number), reading in zip(batch, readings, strict=True):
            heard[kind][number] = reading
    return {kind: [found[number] for number in sorted(found)] for kind, found in heard.items()}


def make_feedback(world, variant, kind: str, number: int) -> pd.DataFrame:
    """Make labelled rows."""
    rng = numbers(variant, f"feedback/{kind}/{number}")
    return world.feedback(anchors.FEEDBACK_ROWS, rng, kind=None if kind == CLEAN else kind)

"""What group F asks: the same window in other clothes, windows at the edge of what is legal, and windows beyond it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import anchors
import numpy as np
import pandas as pd
from answers import Given, Reading
from asking import CLEAN, POOLED, SLICE, Ask, make_window, numbers
from measures import Share
from scipy.stats import binom
from world import FEATURES, KINDS, SIZES

from grader.checker.api import linear

# Share of decisions that another alpha must change. An exact detector changes about 4 % between .05 and .01, one that
# keeps alpha as a bound and stays far below it half of that.
LEAST_MOVED = 0.01
P_TOLERANCE = 1e-6  # adding the same numbers in another order may change the last digits

# -- F1: a second alpha -----------------------------------------------------------------------


def second_alpha(variant) -> float:
    """Draw the undisclosed alpha of this variant."""
    return float(variant.random("second alpha").choice(anchors.SECOND_ALPHAS))


def alpha_asks() -> list[Ask]:
    """List the windows that are asked again under the second alpha: clean ones, and some with drift of middle size."""
    clean_count, drifted_count = min(200, anchors.CLEAN_PLAIN), min(6, anchors.PER_SIZE)
    clean = [Ask(kind=CLEAN, mode=POOLED, rows=anchors.PLAIN_ROWS, number=number) for number in range(clean_count)]
    drifted = [
        Ask(kind=kind, mode=POOLED, rows=anchors.PLAIN_ROWS, size=SIZES[kind][1], number=number)
        for kind in KINDS
        for number in range(drifted_count)
    ]
    return clean + drifted


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondAlpha:
    """How a detector that was made with another alpha behaves.

    Attributes:
        alpha: The second alpha.
        kept: Answers whose flag agrees with their p-value at it.
        clean: False alarms on windows without drift.
        moved: Windows whose decision differs from the first alpha's, in the direction in which it must.
    """

    alpha: float
    kept: Share
    clean: Share
    moved: Share

    @property
    def bound(self) -> tuple[float, float]:
        """Rates of false alarms that cost all and none of the credit."""
        allowed = float(binom.ppf(0.995, self.clean.total, 1.25 * self.alpha)) / max(self.clean.total, 1)
        return allowed + 0.05 + 0.4 * self.alpha, allowed

    @property
    def credit(self) -> float:
        """Share of the points."""
        agreed = linear(self.kept.value, 0.97, 1.0)
        return agreed * linear(self.clean.value, *self.bound) * linear(self.moved.value, 0.0, LEAST_MOVED)


def compare_alphas(
    first: Sequence[Reading], second: Sequence[Reading], asks: Sequence[Ask], alpha: float
) -> SecondAlpha:
    """Lay answers at two alphas beside each other, window by window."""
    clean = [reading for ask, reading in zip(asks, second, strict=True) if ask.kind == CLEAN]
    before, after = (False, True) if alpha > anchors.ALPHA else (True, False)
    moved = sum(one.decision is before and two.decision is after for one, two in zip(first, second, strict=True))
    return SecondAlpha(
        alpha=alpha,
        kept=Share(count=sum(reading.decision is not None for reading in second), total=len(second)),
        clean=Share(count=sum(reading.false_alarm for reading in clean), total=len(clean)),
        moved=Share(count=moved, total=len(second)),
    )


# -- F2, F3: the same again -------------------------------------------------------------------


def mixed_asks(count: int) -> list[Ask]:
    """List windows of every sort: for comparing a detector with itself."""
    sorts = [
        {"kind": CLEAN, "mode": POOLED, "rows": anchors.PLAIN_ROWS},
        {"kind": CLEAN, "mode": SLICE, "rows": anchors.PLAIN_ROWS},
        {"kind": CLEAN, "mode": POOLED, "rows": anchors.FEW_ROWS},
    ]
    for place, kind in enumerate(KINDS):
        mode = (POOLED, SLICE)[place % 2]
        sorts.append({"kind": kind, "mode": mode, "rows": anchors.PLAIN_ROWS, "size": SIZES[kind][place % 3]})
    return [Ask(number=place // len(sorts), **sorts[place % len(sorts)]) for place in range(count)]


def same_answer(one: Reading, two: Reading, tolerance: float = 0.0) -> bool:
    """Tell whether two readings agree in flag and p-value; two malformed ones never do.

    That the flag is at odds with the p-value, as with an alpha that is built in, costs F1 and not this.
    """
    if one.p is None or two.p is None or not (one.legible and two.legible):
        return False
    return one.flag is two.flag and math.isclose(one.p, two.p, rel_tol=tolerance, abs_tol=tolerance)


def same_share(one: Sequence[Reading], two: Sequence[Reading], tolerance: float = 0.0) -> Share:
    """Count the pairs of readings that agree."""
    return Share(count=sum(same_answer(a, b, tolerance) for a, b in zip(one, two, strict=True)), total=len(one))


def same_alarms(one: Sequence[Reading], two: Sequence[Reading]) -> bool:
    """Tell whether two runs of `update` gave the same alarms, none of them malformed."""
    flags = [(a.flag, b.flag) for a, b in zip(one, two, strict=True)]
    return bool(flags) and all(a is not None and a is b for a, b in flags)


# -- F4: other clothes ------------------------------------------------------------------------


def reversed_columns(window: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the columns in another order."""
    return window[[window.columns[place] for place in rng.permutation(window.shape[1])]]


def shuffled_rows(window: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the rows in another order."""
    return window.iloc[rng.permutation(len(window))].reset_index(drop=True)


def extra_columns(window: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the window with columns that nobody asked for, the first one in front."""
    more = window.copy()
    more.insert(0, "batch_id", "b-17")
    more["debug_latency_ms"] = rng.normal(40.0, 9.0, len(window))
    more["notes"] = None
    return more


def dictionary_encoded(window: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the window with texts dictionary-encoded, with a level that no row has."""
    encoded = window.copy()
    for name in text_columns(window):
        levels = [*sorted(window[name].dropna().unique()), "never seen"]
        encoded[name] = pd.Categorical(
            window[name], categories=[levels[place] for place in rng.permutation(len(levels))]
        )
    return encoded


def text_columns(window: pd.DataFrame) -> list[str]:
    """List the columns that hold texts, apart from the row's id."""
    kinds = {name: window[name].dtype for name in window.columns if name != "row_id"}
    return [name for name, kind in kinds.items() if pd.api.types.is_string_dtype(kind) or kind.kind == "O"]


CLOTHES: Mapping[str, Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]] = {
    "another order of columns": reversed_columns,
    "another order of rows": shuffled_rows,
    "extra columns": extra_columns,
    "dictionary-encoded texts": dictionary_encoded,
}


# -- F5: at the edge of what is legal ---------------------------------------------------------


def emptied(window: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the window with a column that is all null."""
    changed = window.copy()
    texts = name in text_columns(window)
    changed[name] = pd.Series([None] * len(window), dtype=window[name].dtype if texts else "float64")
    return changed


def levelled(window: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the window with columns that hold one value."""
    changed = window.copy()
    for name in names:
        changed[name] = window[name].dropna().iloc[0]
    return changed


def with_level(window: pd.DataFrame, name: str, rows: int) -> pd.DataFrame:
    """Return the window with a level in its first rows that the reference does not have."""
    changed = window.copy()
    changed[name] = ["zz-new"] * rows + list(window[name].iloc[rows:])
    return changed.astype({name: window[name].dtype})


def edge_windows(world, variant) -> list[tuple[str, pd.DataFrame]]:
    """List windows that are odd but legal, each with the name of its sort."""
    window = make_window(world, variant, Ask(kind=CLEAN, mode=POOLED, rows=anchors.PLAIN_ROWS, number=7))
    texts = [name for name in text_columns(window) if name in FEATURES]
    figures = [name for name in FEATURES if name not in texts]
    listed = [("all-null column", emptied(window, name)) for name in (*figures, *texts)]
    listed += [("constant column", levelled(window, [name])) for name in (figures[0], figures[-1], texts[0])]
    listed.append(("constant column", levelled(window, list(FEATURES))))
    for mode, number in ((POOLED, 0), (POOLED, 1), (SLICE, 0), (SLICE, 1)):
        rng = numbers(variant, f"one row/{mode}/{number}")
        listed.append(("one row", (world.pooled if mode == POOLED else world.slice)(1, rng)))
    for name in texts:
        listed += [("unseen level", with_level(window, name, rows)) for rows in (1, len(window))]
    return listed


# -- F6: beyond it ----------------------------------------------------------------------------


def refused_windows(world, variant) -> list[tuple[str, pd.DataFrame]]:
    """List windows that must raise ValueError, each with what is wrong with it."""
    window = make_window(world, variant, Ask(kind=CLEAN, mode=POOLED, rows=anchors.PLAIN_ROWS, number=11))
    texts = [name for name in text_columns(window) if name in FEATURES]
    figures = [name for name in FEATURES if name not in texts]
    listed = [("empty window", window.iloc[:0].reset_index(drop=True))]
    for name in (figures[0], figures[-1], texts[0], texts[-1], "event_ts"):
        listed.append((f"no column {name}", window.drop(columns=name)))
    for name in (figures[0], figures[-1], "event_ts"):
        listed.append((f"text in {name}", spoiled(window, name)))
    return listed


def spoiled(window: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the window with a column of texts that mean neither a number nor a time."""
    changed = window.copy()
    changed[name] = ["not a value"] * len(window)
    return changed


# Kinds of ValueError that numpy, pandas and pyarrow raise by themselves; a call's answer tells the name alone.
VALUE_ERRORS = {
    "ValueError",
    "ArrowInvalid",
    "DateParseError",
    "IntCastingNaNError",
    "OutOfBoundsDatetime",
    "ParserError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
}


def refused(given: Given) -> bool:
    """Tell whether a call raised ValueError or a kind of it."""
    return given.error in VALUE_ERRORS or "ValueError" in getattr(given, "bases", ())

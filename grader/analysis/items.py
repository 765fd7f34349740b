"""Item analysis: how hard each check is, and whether it tells people apart.

Difficulty is the mean share earned; its interval is Wilson's, with the mean share as the proportion (Brown, Cai and
DasGupta 2001), which is a little wide for partial credit. Discrimination is the corrected item-total correlation: with
the total of all other checks, so that a check does not agree with itself; its interval is Fisher's z. D is the
difference between the upper and the lower 27 percent (Ebel and Frisbie 1991).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import ArrayLike, NDArray

    Totals = Sequence[float] | NDArray[float64]

DIFFICULTY_FROM, DISCRIMINATION_FROM, D_FROM, EXTREMES_FROM = 30, 50, 100, 10
TOO_HARD, TOO_EASY = 0.10, 0.95
UPPER_LOWER = 0.27
_Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What is known of one check. None where the cohort is too small, or the figure is not defined.

    Attributes:
        check: Its id.
        title: Its title.
        points: What it is worth.
        n: How many people it was measured for.
        difficulty: Mean share earned; low is hard.
        difficulty_low: Lower end of the 95 % interval.
        difficulty_high: Upper end of it.
        discrimination: Corrected item-total correlation.
        discrimination_low: Lower end of the 95 % interval.
        discrimination_high: Upper end of it.
        upper_lower: Mean share of the best 27 % less that of the weakest 27 %.
        flags: What a person should look at.
    """

    check: str
    title: str
    points: float
    n: int
    difficulty: float | None
    difficulty_low: float | None
    difficulty_high: float | None
    discrimination: float | None
    discrimination_low: float | None
    discrimination_high: float | None
    upper_lower: float | None
    flags: tuple[str, ...]


def analyse(check: str, title: str, points: float, shares: Sequence[float], totals: Totals) -> Item:
    """Analyse one check.

    Args:
        check: Its id.
        title: Its title.
        points: What it is worth.
        shares: Share earned by each person for whom it was measured, 0..1.
        totals: Their totals in points, this check included.
    """
    n = len(shares)
    mean = math.fsum(shares) / n if n >= DIFFICULTY_FROM else None
    low, high = wilson(mean, n) if mean is not None else (None, None)
    r = with_the_others(points, shares, totals) if n >= DISCRIMINATION_FROM else None
    r_low, r_high = fisher_z(r, n) if r is not None else (None, None)
    return Item(
        check=check,
        title=title,
        points=points,
        n=n,
        difficulty=mean,
        difficulty_low=low,
        difficulty_high=high,
        discrimination=r,
        discrimination_low=r_low,
        discrimination_high=r_high,
        upper_lower=upper_lower(shares, totals) if n >= D_FROM else None,
        flags=tuple(_flags(shares, mean, r)),
    )


def _flags(shares: Sequence[float], mean: float | None, r: float | None) -> list[str]:
    found = []
    if len(shares) >= EXTREMES_FROM:
        if min(shares) >= 1.0:
            found.append("everybody passes")
        elif max(shares) <= 0.0:
            found.append("nobody earns anything")
    if mean is not None and not found:
        if mean < TOO_HARD:
            found.append("very hard")
        elif mean > TOO_EASY:
            found.append("very easy")
    return found + (_about(r) if r is not None else [])


def _about(r: float) -> list[str]:
    steps = ((0.0, "the weaker do better: look at it now"), (0.10, "tells nobody apart: review"))
    for below, words in (*steps, (0.20, "tells people apart a little")):
        if r < below:
            return [words]
    return []


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval for a proportion."""
    z2 = _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def with_the_others(points: float, shares: Sequence[float], totals: Totals) -> float | None:
    """Correlation of a check with the total of all other checks; None where one of the two does not vary."""
    import numpy as np

    own = np.asarray(shares, dtype=float)
    return correlation(own, np.asarray(totals, dtype=float) - points * own)


def correlation(first: ArrayLike, second: ArrayLike) -> float | None:
    """Pearson's correlation; None where one of the two does not vary."""
    import numpy as np

    (varies, together), (_, others_vary) = np.cov(np.asarray(first), np.asarray(second))
    if varies * others_vary <= 1e-20:
        return None
    return float(together / math.sqrt(varies * others_vary))


def fisher_z(r: float, n: int) -> tuple[float, float]:
    """Fisher's 95 % interval for a correlation."""
    if abs(r) >= 1:
        return r, r
    middle, half = math.atanh(r), _Z / math.sqrt(n - 3)
    return math.tanh(middle - half), math.tanh(middle + half)


def upper_lower(shares: Sequence[float], totals: Totals) -> float:
    """Mean share of the best 27 % by total less that of the weakest 27 %."""
    import numpy as np

    ordered = np.asarray(shares, dtype=float)[np.argsort(totals, kind="stable")]
    size = max(1, round(UPPER_LOWER * len(ordered)))
    return float(ordered[-size:].mean() - ordered[:size].mean())

"""How exactly a total measures: Cronbach's alpha, the standard error of measurement. Pure.

Checks of one group share data, so that they agree more than checks of different groups would: alpha over checks is
too high then. The headline is alpha over groups (testlets; Sireci, Thissen and Wainer 1991); alpha over checks comes
second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

DESIGN_SEM = 7.0
"""Standard error of measurement, in percent, that is taken before a cohort is large enough to estimate it."""
SEM_FROM = 50


def variance(values: Sequence[float]) -> float:
    """Variance of a sample, with n - 1; at least two values."""
    mean = math.fsum(values) / len(values)
    centred = [value - mean for value in values]
    return math.fsum(map(mul, centred, centred)) / (len(values) - 1)


def cronbach_alpha(columns: Sequence[Sequence[float]]) -> float | None:
    """Cronbach's alpha (Cronbach 1951); equals KR-20 where every value is 0 or 1 (Kuder and Richardson 1937).

    Args:
        columns: One for each part of the test: points of every person, in the same order.

    Returns:
        None where it is not defined: fewer than two parts or people, or totals that do not differ.
    """
    if len(columns) < 2 or len(columns[0]) < 2:
        return None
    totals = list(map(sum, zip(*columns, strict=True)))
    whole = variance(totals)
    if whole <= 0:
        return None
    parts = math.fsum(variance(column) for column in columns)
    return len(columns) / (len(columns) - 1) * (1 - parts / whole)


def standard_error(sd: float, reliability: float) -> float:
    """Standard error of measurement: SD * sqrt(1 - reliability)."""
    return sd * math.sqrt(max(0.0, 1.0 - reliability))


def half_band(sem: float, seed_sd: float | None) -> float:
    """Half width of the band around a total: measurement and hidden world together, in quadrature."""
    return math.hypot(sem, seed_sd or 0.0)

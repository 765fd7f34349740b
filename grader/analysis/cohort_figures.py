"""Figures about a whole cohort: totals, times, reliability. Each from the n at which it means something."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from grader.analysis.comparison import check_points, group_points
from grader.analysis.figures import Figure, refused
from grader.analysis.items import DISCRIMINATION_FROM, Item, analyse
from grader.scoring.reliability import (
    DESIGN_SEM,
    SEM_FROM,
    cronbach_alpha,
    half_band,
    standard_error,
    variance,
)
from grader.store.cohorts import Cohort

if TYPE_CHECKING:
    from grader.analysis.items import Totals

SUMMARY_FROM, ALPHA_FROM = 5, 30
CONFIDENCE = 0.95


def items_of(cohort: Cohort) -> list[Item]:
    """Analyse every check of the code."""
    found = []
    everybody = _totals(cohort)
    for check in cohort.exercise.code_checks:
        column = cohort.columns[check.id]
        shares = [share for share in column if share is not None]
        totals = everybody
        if len(shares) < len(column):
            totals = [each.earned for each, share in zip(cohort.members, column, strict=True) if share is not None]
        found.append(analyse(check.id, check.title, float(check.points), shares, totals))
    return found


def _totals(cohort: Cohort) -> Totals:
    """Everybody's points; turned into an array once, where each check would do it."""
    earned = [member.earned for member in cohort.members]
    if len(earned) < DISCRIMINATION_FROM:
        return earned
    import numpy as np

    return np.asarray(earned, dtype=float)


def figures_of(cohort: Cohort) -> list[Figure]:
    """All figures about the cohort, refused ones included."""
    totals = [member.percent for member in cohort.members]
    seconds = [member.seconds for member in cohort.members]
    return [
        *_spread("total", "percent", totals),
        *_spread("time of a run", "seconds", seconds),
        *_reliability(cohort, totals),
    ]


def quantile(ordered: Sequence[float], share: float) -> float:
    """Quantile of sorted values, interpolated (type 7 of Hyndman and Fan 1996)."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


def _spread(what: str, unit: str, values: Sequence[float]) -> list[Figure]:
    n = len(values)
    if n < SUMMARY_FROM:
        return [refused(f"median {what}", n, SUMMARY_FROM, "Look at the few there are one by one.")]
    ordered = sorted(values)
    middle, low, high = (quantile(ordered, share) for share in (0.5, 0.25, 0.75))
    mean = math.fsum(values) / n
    sd = variance(values) ** 0.5
    half = student(n) * sd / math.sqrt(n)
    return [
        Figure(
            name=f"median {what}",
            n=n,
            value=middle,
            sentence=f"Half of the candidates lie below {middle:.1f} {unit}; the middle half from {low:.1f} to "
            f"{high:.1f}, all from {ordered[0]:.1f} to {ordered[-1]:.1f}.",
        ),
        Figure(
            name=f"mean {what}",
            n=n,
            value=mean,
            low=mean - half,
            high=mean + half,
            sentence=f"On average {mean:.1f} {unit}, with a standard deviation of {sd:.1f}.",
        ),
    ]


def student(n: int) -> float:
    """How many standard errors a 95 % interval of the mean of n values reaches to either side (Student 1908).

    The spread is estimated from the same few values, so that 1.96 would cover 88 in 100 means of five.
    """
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2))


def _reliability(cohort: Cohort, totals: Sequence[float]) -> list[Figure]:
    n = len(totals)
    groups = group_points(cohort)
    worth = [(check.id, float(check.points)) for check in cohort.exercise.code_checks]
    checks = [check_points(cohort, check, points) for check, points in worth]
    binary = all(set(column) <= {0.0, points} for column, (_, points) in zip(checks, worth, strict=True))
    headline = _alpha("alpha over check groups", groups, n, headline=True)
    name = "KR-20 over checks" if binary else "alpha over checks"
    return [headline, _alpha(name, checks, n, headline=False), *_errors(cohort, totals, headline.value)]


def _alpha(name: str, columns: Sequence[Sequence[float]], n: int, *, headline: bool) -> Figure:
    if n < ALPHA_FROM:
        return refused(name, n, ALPHA_FROM, "With ten people a reliability of .80 shows as anything from .57 to .94.")
    alpha = cronbach_alpha(columns)
    if alpha is None:
        return Figure(name=name, n=n, value=None, sentence="Not defined: fewer than two parts, or equal totals.")
    low, high = feldt(alpha, n, len(columns))
    enough = (
        "enough to rank people" if low >= 0.8 else "enough for a screening step" if low >= 0.7 else "not surely enough"
    )
    sentence = (
        f"Of the differences between totals, about {alpha:.0%} come from people and the rest from chance; {enough}."
        if headline
        else "Higher than it should be, since checks of a group share data; the figure over groups counts."
    )
    return Figure(name=name, n=n, value=alpha, low=low, high=high, sentence=sentence)


def feldt(alpha: float, people: int, parts: int) -> tuple[float, float]:
    """Feldt's 95 % interval for alpha (Feldt 1965; Feldt, Woodruff and Salih 1987).

    (1 - alpha) / (1 - true alpha) has an F distribution with n - 1 and (n - 1)(k - 1) degrees of freedom.
    """
    from scipy.special import fdtri

    first, second = people - 1, (people - 1) * (parts - 1)
    tail = (1 - CONFIDENCE) / 2
    low = 1 - (1 - alpha) * float(fdtri(first, second, 1 - tail))
    high = 1 - (1 - alpha) * float(fdtri(first, second, tail))
    return low, high


def _errors(cohort: Cohort, totals: Sequence[float], alpha: float | None) -> list[Figure]:
    n = len(totals)
    name = "standard error of measurement"
    if n < SEM_FROM or alpha is None:
        sem = DESIGN_SEM
        figure = refused(name, n, SEM_FROM, f"Until then the design value counts: {DESIGN_SEM:g} points in a hundred.")
    else:
        sem = standard_error(variance(totals) ** 0.5, alpha)
        figure = Figure(
            name=name,
            n=n,
            value=sem,
            sentence=f"A total is right to about {sem:.1f} points in a hundred; to {1.96 * sem:.1f} in 19 of 20 cases.",
        )
    bands = [member.band for member in cohort.members if member.band is not None]
    if not bands:
        return [figure]
    half = half_band(sem, sorted(bands)[len(bands) // 2])
    told = f"Together with how far hidden worlds move a total: {half:.1f} points in a hundred to each side."
    return [figure, Figure(name="half width of error bands", n=len(bands), value=half, sentence=told)]

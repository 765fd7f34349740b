"""The numbers of merit of an exercise, from finished runs. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from grader.author.expectations import FAILED_UP_TO, Earned

PASSED_FROM = 0.95

Band = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Totals of one rung over variants or repeats, in percent. `sd` is the sample's, with n - 1."""

    n: int
    mean: float
    sd: float
    low: float
    high: float


def spread(totals: Sequence[float]) -> Spread | None:
    """Describe totals; None where there are fewer than two."""
    if len(totals) < 2:
        return None
    return Spread(
        n=len(totals),
        mean=statistics.mean(totals),
        sd=statistics.stdev(totals),
        low=min(totals),
        high=max(totals),
    )


def order_consistency(totals: Sequence[tuple[Band, float]]) -> float | None:
    """Spearman's rank correlation between totals and what they should be, with ties (Spearman 1904).

    Computed as Pearson's correlation of average ranks. What a total should be is the middle of its rung's band.

    Args:
        totals: Band and total of each rung, in percent.
    """
    if len(totals) < 3:
        return None
    wanted = _average_ranks([low + high for (low, high), _ in totals])
    found = _average_ranks([total for _, total in totals])
    return statistics.correlation(wanted, found) if len(set(wanted)) > 1 and len(set(found)) > 1 else None


def pairs_in_order(totals: Sequence[tuple[Band, float]]) -> tuple[int, int]:
    """Count pairs of rungs whose bands do not overlap: how many have totals in that order, and how many there are."""
    pairs = [worse < better for (lower, worse), (upper, better) in permutations(totals, 2) if lower[1] < upper[0]]
    return sum(pairs), len(pairs)


def _average_ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    first = {value: ordered.index(value) for value in set(values)}
    count = {value: ordered.count(value) for value in set(values)}
    return [first[value] + (count[value] - 1) / 2 for value in values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discrimination:
    """Which rungs a check tells apart.

    Attributes:
        check: Its id.
        failed_by: Rungs that earned half of it or less.
        passed_by: Rungs that earned 95 % or more of it.
    """

    check: str
    failed_by: tuple[str, ...]
    passed_by: tuple[str, ...]


def discrimination(check: str, runs: Iterable[Earned]) -> Discrimination:
    """Sort rungs by what one check gave them."""
    shares = {run.rung: share for run in runs if (share := run.shares.get(check)) is not None}
    return Discrimination(
        check=check,
        failed_by=tuple(name for name, share in shares.items() if share <= FAILED_UP_TO),
        passed_by=tuple(name for name, share in shares.items() if share >= PASSED_FROM),
    )


def moved(runs: Sequence[Earned], points: Mapping[str, float]) -> dict[str, float]:
    """Checks that did not give the same each time, with how many points they were apart."""
    found = {}
    for check, possible in points.items():
        shares = [share for run in runs if (share := run.shares.get(check)) is not None]
        apart = possible * (max(shares) - min(shares)) if shares else 0.0
        if apart > 0.005:
            found[check] = apart
    return found


def flakes(runs: Sequence[Earned], points: Mapping[str, float]) -> int:
    """Count the repeats that ended otherwise than the first, or in which a check did not give what it gave then.

    Args:
        runs: The same submission on the same world; the first is what the others are compared with.
        points: Check id to its points.
    """
    first = runs[0]
    return sum(run.status != first.status or bool(moved((first, run), points)) for run in runs[1:])


def survives(mutant: Earned, reference: Earned) -> bool:
    """Whether no check of the code noticed a mutant: it was graded, and nowhere lost a hundredth of a check."""
    if mutant.status != "graded":
        return False
    return all(
        (mutant.shares.get(check) or 0.0) >= (share or 0.0) - 0.01
        for check, share in reference.shares.items()
        if check not in reference.notebook_checks
    )

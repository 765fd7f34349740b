"""Putting candidates side by side without pretending to know more than the totals say. Pure."""

from __future__ import annotations

import bisect
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

PERCENTILE_FROM = 30
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """Where a total may stand: from `best` to `worst`, both counted from 1."""

    best: int
    worst: int

    def __str__(self) -> str:
        """Write it as people do: 3, or 2\N{EN DASH}5 where bands overlap."""
        return str(self.best) if self.best == self.worst else f"{self.best}\N{EN DASH}{self.worst}"


def ranks(totals: Sequence[float], halves: Sequence[float]) -> list[Rank]:
    """Rank totals with bands; who overlaps is tied.

    Somebody is better only when the lower end of their band lies above the upper end of the other's.

    Args:
        totals: One for each candidate.
        halves: Half width of each one's band.
    """
    lows = sorted(total - half for total, half in zip(totals, halves, strict=True))
    highs = sorted(total + half for total, half in zip(totals, halves, strict=True))
    found = []
    for total, half in zip(totals, halves, strict=True):
        surely_better = len(lows) - bisect.bisect_right(lows, total + half)
        surely_worse = bisect.bisect_left(highs, total - half)
        found.append(Rank(best=surely_better + 1, worst=len(totals) - surely_worse))
    return found


def percentiles(totals: Sequence[float]) -> list[float] | None:
    """Share of the group in percent that is below, counting equals half; None below 30 people."""
    if len(totals) < PERCENTILE_FROM:
        return None
    ordered = sorted(totals)
    count = len(ordered)
    return [50 * (bisect.bisect_left(ordered, total) + bisect.bisect_right(ordered, total)) / count for total in totals]


def pseudonym(key: bytes, candidate: str) -> str:
    """A name that is the same every time, and tells nothing to who does not have the key.

    Args:
        key: Secret of this installation.
        candidate: Id of the candidate.
    """
    digest = hmac.digest(key, f"grader pseudonym 1\0{candidate}".encode(), hashlib.sha256)
    return "Candidate " + "".join(_ALPHABET[byte % 32] for byte in digest[:6])

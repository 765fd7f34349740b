"""What to grade first, and how long the rest takes. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar


class Placed(Protocol):
    """Something with a place."""

    @property
    def place(self) -> str:
        """Its name in the batch."""


P = TypeVar("P", bound=Placed)


def longest_first(entries: Sequence[P], seconds: Mapping[str, float]) -> list[P]:
    """Order entries so that no long one is left for the end, when all other workers are idle (Graham 1969).

    Args:
        entries: In the order in which they were named.
        seconds: Expected duration by place; those without one count as the median of the others.
    """
    usual = statistics.median(seconds.values()) if seconds else 0.0
    return sorted(entries, key=lambda entry: -seconds.get(entry.place, usual))


class Forecast:
    """Says how long a batch will go on.

    Args:
        seconds: Expected duration by place, where known.
        jobs: Runs at once.
    """

    def __init__(self, seconds: Mapping[str, float], jobs: int) -> None:
        """Nothing is done yet."""
        self._seconds = dict(seconds)
        self._jobs = jobs
        self._measured: list[float] = []

    def done(self, seconds: float) -> None:
        """Take note of a run that has ended."""
        self._measured = [*self._measured[-49:], seconds]

    def left(self, places: Sequence[str]) -> float | None:
        """Seconds until these are done as well; None while nobody knows."""
        recent = self._measured or list(self._seconds.values())
        if not recent:
            return None
        usual = statistics.mean(recent)
        return sum(self._seconds.get(place, usual) for place in places) / self._jobs

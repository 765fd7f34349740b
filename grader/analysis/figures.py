"""A figure, how many people it rests on, and a plain sentence; or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure about a cohort.

    Attributes:
        name: What it is called.
        n: How many people it rests on.
        value: The figure; None when it is refused.
        low: Lower end of its 95 % interval, where there is one.
        high: Upper end of it.
        sentence: What it means, or why it is refused; for people without statistics.
    """

    name: str
    n: int
    value: float | None
    sentence: str
    low: float | None = None
    high: float | None = None


def refused(name: str, n: int, needed: int, because: str) -> Figure:
    """A figure that would mean nothing with so few people."""
    return Figure(name=name, n=n, value=None, sentence=f"Not shown with n = {n}: from {needed} on. {because}")

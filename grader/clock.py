"""The only clock: everything that asks for the time asks here, so that tests can answer."""

from __future__ import annotations

import calendar
import re
import time
from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """Return the present moment in UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def ago(age: str) -> datetime:
    """Return the moment that lies this long back: `90d`, `6w`, `18m` or `2y`, by the calendar.

    Raises:
        ValueError: It is not written like this, or goes back before the year 1.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,4})\s*([dwmy])", age.strip().lower())
    if found is None:
        raise ValueError(f"{age!r} is not an age: write 90d, 6w, 18m or 2y")
    many, unit, today = int(found[1]), found[2], now()
    if unit in "dw":
        return today - timedelta(days=many * (7 if unit == "w" else 1))
    year, month = divmod(today.year * 12 + today.month - 1 - many * (12 if unit == "y" else 1), 12)
    if year < 1:
        raise ValueError(f"{age!r} goes back too far")
    last_day = calendar.monthrange(year, month + 1)[1]
    return today.replace(year=year, month=month + 1, day=min(today.day, last_day))


def monotonic() -> float:
    """Return seconds on a clock that never goes back; only differences mean something."""
    return time.monotonic()


class Deadline:
    """A moment on the monotonic clock by which something must be over.

    Args:
        seconds: How far away it is from now.
    """

    def __init__(self, seconds: float) -> None:
        """Start counting now."""
        self.seconds = seconds
        self._end = monotonic() + seconds

    def extend(self, seconds: float) -> None:
        """Put the moment off: what was waited for others is not taken from what this was meant for."""
        self._end += seconds

    @property
    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - monotonic())

    @property
    def passed(self) -> bool:
        """Whether the moment is over."""
        return self.left <= 0.0

"""The only clock: everything that asks for the time asks here, so that tests can answer."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the present moment in UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


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

    @property
    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - monotonic())

    @property
    def passed(self) -> bool:
        """Whether the moment is over."""
        return self.left <= 0.0

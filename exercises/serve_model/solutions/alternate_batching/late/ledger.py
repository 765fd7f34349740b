"""What was answered (so that a retry gets it again) and the log of predictions on disk."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

REMEMBERED = 20_000  # the contract asks for 10 000; about 12 MB when full
MOST_WAITING = 64 * 2**20


class Answered(NamedTuple):
    """One prediction that was made."""

    digest: bytes
    version: str
    text: bytes  # the answer, as JSON


class Memory:
    """The ids that were used last. A dict keeps its order: the first key is the one that was used longest ago."""

    def __init__(self) -> None:
        self._answered: dict[str, Answered] = {}

    def get(self, request_id: str) -> Answered | None:
        return self._answered.get(request_id)

    def use(self, request_id: str, answered: Answered) -> None:
        """Remember an answer, or that it was asked for again."""
        self._answered.pop(request_id, None)
        self._answered[request_id] = answered
        while len(self._answered) > REMEMBERED:
            del self._answered[next(iter(self._answered))]


class Log:
    """Appends to predictions.jsonl before the answer goes out; one write for all rows that were scored together.

    A disk that is full must not cost predictions: what cannot be written waits, bounded, and is tried again.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "predictions.jsonl"
        self._descriptor: int | None = None
        self._waiting = bytearray()
        self.failures = 0

    @property
    def waiting(self) -> int:
        """Bytes that could not be written yet."""
        return len(self._waiting)

    def append(self, lines: bytes) -> None:
        if len(self._waiting) + len(lines) <= MOST_WAITING:
            self._waiting += lines
        self.flush()

    def flush(self) -> None:
        """Write what waits, as far as the disk lets us."""
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
                self._end_torn_line()
            while self._waiting:
                written = os.write(self._descriptor, self._waiting)
                del self._waiting[:written]
        except OSError:
            self.failures += 1

    def _end_torn_line(self) -> None:
        """A process that was killed while it wrote may have left half a line: ours begins on a new one."""
        with contextlib.suppress(OSError, ValueError), self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                self._waiting[:0] = b"\n"

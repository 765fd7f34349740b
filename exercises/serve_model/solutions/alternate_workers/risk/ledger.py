"""What was answered: remembered for retries, and appended to the log. Everything happens on the front's one thread,

between two awaits, so that a prediction is taken up whole or not at all.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

REMEMBERED = 20_000
MOST_UNWRITTEN = 64 * 1024 * 1024


class Conflict(Exception):
    """A request_id that was used with another body."""


class Answer(NamedTuple):
    """A prediction that was made."""

    fingerprint: bytes
    number: int
    version: str
    probability: float
    review: bool


class Log:
    """Appends whole lines. What cannot be written (a full disk) is kept, within bounds, and tried again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._unwritten = bytearray()
        self._retry: asyncio.TimerHandle | None = None

    def append(self, lines: str) -> None:
        """Write lines now: they are with the operating system before the answer is on its way."""
        if len(self._unwritten) < MOST_UNWRITTEN:
            self._unwritten += lines.encode()
        if self._retry is None:
            self.flush()

    def flush(self) -> None:
        """Write what is left."""
        self._retry = None
        try:
            if self._file is None:
                self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
                size = os.fstat(self._file).st_size
                if size and os.pread(self._file, 1, size - 1) != b"\n":  # an earlier run was cut off in a line
                    self._unwritten[:0] = b"\n"
            while self._unwritten:
                del self._unwritten[: os.write(self._file, self._unwritten)]
        except OSError as error:
            print(f"log: {error}", file=sys.stderr, flush=True)
            self._retry = asyncio.get_running_loop().call_later(0.5, self.flush)


class Ledger:
    """Remembers the answers whose ids were used last."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._run = secrets.token_hex(8)  # ids differ between runs, as the log goes on
        self._number = 0

    def name(self, answer: Answer) -> str:
        """The prediction_id."""
        return f"{self._run}-{answer.number:x}"

    def find(self, request_id: str, fingerprint: bytes) -> Answer | None:
        """The answer to the same request, if there was one.

        Raises:
            Conflict: The id was used with another body.
        """
        answer = self._answers.get(request_id)
        if answer is None:
            return None
        if answer.fingerprint != fingerprint:
            raise Conflict(request_id)
        self._answers.move_to_end(request_id)
        return answer

    def take_up(self, version: str, scored: list[tuple[str, bytes, float, bool, str]]) -> tuple[list[Answer], list[Answer]]:
        """Take up predictions, all or none: (request_id, fingerprint, probability, review, features) each.

        Returns the answer for each, and those of them that are new.

        Raises:
            Conflict: One of the ids was used with another body, before or within the list.
        """
        fresh: dict[str, Answer] = {}
        answers, lines = [], []
        number = self._number
        for request_id, fingerprint, probability, review, features in scored:
            answer = fresh.get(request_id)
            if answer is None:
                answer = self.find(request_id, fingerprint)
            elif answer.fingerprint != fingerprint:
                raise Conflict(request_id)
            if answer is None:
                number += 1
                answer = fresh[request_id] = Answer(fingerprint, number, version, probability, review)
                lines.append(
                    f'{{"prediction_id": "{self.name(answer)}", "request_id": {json.dumps(request_id)},'
                    f' "model_version": {json.dumps(version)}, "probability": {probability!r},'
                    f' "decision": "{decision(answer)}", "features": {features}}}\n'
                )
            answers.append(answer)
        self._number = number
        self._answers.update(fresh)
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)
        if lines:
            self._log.append("".join(lines))
        return answers, list(fresh.values())

    def body(self, request_id: str, answer: Answer) -> dict[str, Any]:
        """What is answered."""
        return {
            "request_id": request_id,
            "prediction_id": self.name(answer),
            "model_version": answer.version,
            "probability": answer.probability,
            "decision": decision(answer),
        }


def decision(answer: Answer) -> str:
    """The decision in words."""
    return "review" if answer.review else "approve"

"""A service without a box: a function answers requests, and a script says when the process dies, hangs or refuses."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.checker.api import Reason, SubmissionFailed
from grader.checker.http import Exchange, Request
from grader.checker.service import LoadCost, Started
from grader.frames import REPLY, Frame

Handler = Callable[[Request], tuple[int, object]]


def exchange(status: int = 200, value: object = None, *, number: int = 0, **more: Any) -> Exchange:
    """Make an exchange of a value."""
    body = value if isinstance(value, bytes) else b"" if value is None else json.dumps(value).encode()
    usual = {"headers": {}, "seconds": 0.01, "began": 0.0, "error": ""}
    return Exchange(request=number, status=status, body=body, **{**usual, **more})


@dataclass
class StandIn:
    """What the `service` fixture offers, as far as checks use it.

    Attributes:
        handler: Answers a request: status and JSON value.
        dies_after: Requests that one process lives for.
        hangs: Requests are never answered.
        in_vain: So many starts fail.
        forgets: Every such request is lost with its connection, once.
        slow_above: Bodies above this are never answered; `late` counts them.
        seconds: How long every request of a load takes.
    """

    handler: Handler
    dies_after: int = 10**9
    hangs: bool = False
    in_vain: int = 0
    forgets: int = 0
    slow_above: float = math.inf
    seconds: float = 0.01
    late: int = 0
    starts: list[Mapping[str, str]] = field(default_factory=list)
    served: int = 0
    loads: int = 0
    running: bool = False
    logs: dict[str, bytes] = field(default_factory=dict)
    last_load: LoadCost = field(default_factory=lambda: LoadCost(seconds=1.0, cpu_seconds=0.5))

    def start(
        self, inputs: Mapping[str, Path], environment: Mapping[str, str], *, ready: str | None, seconds: float
    ) -> Started:
        """Start it afresh."""
        self.starts.append(dict(environment))
        if self.in_vain:
            self.in_vain -= 1
            raise SubmissionFailed(Reason.TIMEOUT, f"{ready} was not ready within {seconds:.0f} s.")
        self.served, self.running = 0, True
        return Started(seconds=1.5)

    def alive(self) -> bool:
        """Whether the process runs."""
        return self.running

    def load(self, requests: Sequence[Request], **options: Any) -> list[Exchange]:
        """Answer requests one after the other."""
        self.loads += 1
        return [self._one(number, request) for number, request in enumerate(requests)]

    def _one(self, number: int, request: Request) -> Exchange:
        if not self.running:
            return exchange(0, number=number, error="refused")
        if len(request.body) > self.slow_above:
            self.late += 1
            return exchange(0, number=number, error="timeout")
        if self.hangs:
            return exchange(0, number=number, error="timeout")
        if self.forgets:
            self.forgets -= 1
            return exchange(0, number=number, error="reset")
        self.served += 1
        if self.served > self.dies_after:
            self.running = False
            return exchange(0, number=number, error="reset")
        return exchange(*self.handler(request), number=number, seconds=self.seconds)

    def send(self, request: Request, *, seconds: float) -> Frame:
        """Answer one request, as the relay does."""
        found = self._one(0, request)
        return Frame(REPLY, 0, {"status": found.status, "headers": [], "error": found.error}, found.body)

    def files(self, pattern: str) -> dict[str, int]:
        """Logs of the working directory."""
        return {name: len(content) for name, content in self.logs.items()}

    def read(self, name: str, cap: int) -> bytes:
        """Read a log."""
        return self.logs[name]

    def let_run(self, seconds: float) -> None:
        """Nothing runs by itself, so nothing is waited for."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing runs meanwhile anyway."""
        yield

"""Starts of the service: as few as can be, each only when a check needs it, and none twice in vain.

A service may refuse to become ready, die in the middle, hang, or close connections. Each of these has a check that
it costs; for all other checks the service is started again where that helps, a bounded number of times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from calls import ACTIVATE, BATCH, READY, get, names_version

from grader.checker.api import Reason, SubmissionFailed
from grader.checker.http import Exchange, Request
from grader.clock import monotonic

READY_SECONDS, REQUEST_SECONDS = 60.0, 10.0  # the first as in the brief
MOST_STARTS_IN_VAIN, MOST_REVIVALS, MOST_HANGS = 2, 6, 3
LOST = ("refused", "reset")
CHUNK = 100
EARLY_PAUSE = 0.25
AS_LARGE = 0.5  # a batch of more than this part of one that took too long is not sent


@dataclass(frozen=True, slots=True)
class Stage:
    """One way to start the service.

    Attributes:
        name: What the start is for.
        folder: Folder of the variant that becomes MODEL_DIR.
        version: MODEL_VERSION.
        waits: The service should become ready; the start waits for it.
    """

    name: str
    folder: str = "artifacts"
    version: str = "v1"
    waits: bool = True


MAIN = Stage("answers")
SECOND = Stage("operations", version="v2")
BUSY = Stage("performance")
SLOW = Stage("slow artefact", folder="slow", waits=False)
CORRUPT = Stage("corrupt artefact", folder="corrupt", version="v2", waits=False)
HALF_CORRUPT = Stage("one corrupt artefact", folder="corrupt")


@dataclass(slots=True)
class Troubles:
    """What went wrong with the process, apart from its answers: ends by itself, requests lost with a connection."""

    deaths: list[str] = field(default_factory=list)
    lost: int = 0


class Bench:
    """The candidate's service, in whichever stage a check needs it.

    Args:
        service: The harness's fixture.
        folder: The variant's folder.
    """

    def __init__(self, service: Any, folder: Path) -> None:
        self.service = service
        self.troubles = Troubles()
        self.ready_seconds: list[float] = []
        self._folder = folder
        self._stage: Stage | None = None
        self._hung = False
        self._never: SubmissionFailed | None = None
        self._revivals = 0
        self._starts_in_vain = 0
        self._hangs = 0
        self._too_large = math.inf
        self._patience = READY_SECONDS  # after each start, until they were in vain once
        self._patient_until = 0.0

    def use(self, stage: Stage) -> None:
        """Bring the service into a stage, unless it is there and alive.

        Raises:
            SubmissionFailed: It does not become ready, or it does not stay alive or answer.
        """
        if self._never is not None:
            raise self._never
        if self._stage == stage:
            if not self._hung and self.service.alive():
                return
            self._count_revival(stage)
        self._start(stage)

    def spoil(self) -> None:
        """Say that the service must be started afresh before it is used again."""
        self._stage = None

    def _count_revival(self, stage: Stage) -> None:
        if self._hung:
            return
        self._revivals += 1
        self.troubles.deaths.append(f"while in use for {stage.name}")
        if self._revivals > MOST_REVIVALS:
            because = f"The service ended by itself {self._revivals} times, and was not started again after that."
            self._never = SubmissionFailed(Reason.CRASHED, because)
            raise self._never

    def _start(self, stage: Stage) -> None:
        self._stage, self._hung = None, False
        inputs = {"artifacts": self._folder / stage.folder}
        environment = {"MODEL_DIR": "{artifacts}", "MODEL_VERSION": stage.version}
        try:
            ready = READY if stage.waits else None
            started = self.service.start(inputs, environment, ready=ready, seconds=READY_SECONDS)
        except SubmissionFailed as failure:
            if not stage.waits or stage.folder != "artifacts":
                raise
            # Everything that comes later rests on a start, so a bad minute of a machine may spoil one; a service
            # that cannot start will not be waited for thirty times.
            self._starts_in_vain += 1
            if self._starts_in_vain >= MOST_STARTS_IN_VAIN:
                self._never = failure
                raise
            self._start(stage)
            return
        if stage.waits:
            self.ready_seconds.append(started.seconds)
            self._patient_until = monotonic() + self._patience
        self._stage = stage

    def once(self, request: Request, seconds: float = REQUEST_SECONDS) -> Exchange:
        """Make one request just now, with no second attempt; also while a load runs in the background."""
        found = once(self.service, request, seconds)
        self._note_activations([request])
        return found

    def once_ready(self) -> Exchange:
        """Ask just now whether the service is ready."""
        return self.once(get(READY))

    def ask(self, *requests: Request, stage: Stage | None = None) -> list[Exchange]:
        """Send requests one after the other, each on a connection of its own."""
        return self.send(list(requests), concurrency=1, keep_alive=False, stage=stage)

    def send(
        self,
        requests: Sequence[Request],
        *,
        concurrency: int = 8,
        keep_alive: bool = True,
        stage: Stage | None = None,
    ) -> list[Exchange]:
        """Send requests, and those again that were lost with a connection or a process.

        Returns:
            One exchange per request, in their order.

        Raises:
            SubmissionFailed: The service cannot be started, or died too often.
        """
        stage = stage or self._stage or MAIN
        self.use(stage)
        found = [unanswered(place) for place in range(len(requests))]
        wanted = [place for place, each in enumerate(requests) if batch_size(each) < self._too_large]
        for start in range(0, len(wanted), CHUNK):
            places = wanted[start : start + CHUNK]
            part = [requests[place] for place in places]
            self.use(stage)
            answers = self._chunk(part, concurrency, keep_alive=keep_alive, stage=stage)
            self._note_activations(part)
            for place, exchange in zip(places, answers, strict=True):
                found[place] = replace(exchange, request=place)
            if self._note_hang(part, answers):
                break  # nobody waits for a service that answers nothing; what was not sent counts as not answered
        return found

    def _chunk(self, part: Sequence[Request], concurrency: int, *, keep_alive: bool, stage: Stage) -> list[Exchange]:
        found = self._load(part, concurrency, keep_alive=keep_alive)
        missing = lost_places(found)
        self.troubles.lost += len(missing)
        while missing:
            died = not self.service.alive()
            self.use(stage)
            again = self._load([part[place] for place in missing], concurrency, keep_alive=False)
            for place, exchange in zip(missing, again, strict=True):
                found[place] = replace(exchange, request=place)
            missing = lost_places(found) if died else []
        return found

    def _load(self, requests: Sequence[Request], concurrency: int, *, keep_alive: bool) -> list[Exchange]:
        """Send one load, the first requests by themselves: where none of them is answered, the rest is not sent."""
        first = requests[:concurrency]
        found = self.load(first, concurrency=concurrency, keep_alive=keep_alive)
        if len(requests) == len(first) or all(each.error == "timeout" for each in found):
            left = range(len(first), len(requests))
            return found + [replace(found[0], request=place) for place in left]
        rest = self.load(requests[concurrency:], concurrency=concurrency, keep_alive=keep_alive)
        return found + [replace(each, request=len(first) + each.request) for each in rest]

    def load(self, requests: Sequence[Request], *, concurrency: int = 8, keep_alive: bool = True) -> list[Exchange]:
        """Send requests as they are, once; to a service that said too early that it was ready, until it is.

        Raises:
            SubmissionFailed: The box did not survive it.
        """
        most = 10.0 + REQUEST_SECONDS * (len(requests) / concurrency + 1)
        try:
            while True:
                found: list[Exchange] = self.service.load(
                    requests,
                    concurrency=concurrency,
                    keep_alive=keep_alive,
                    seconds=most,
                    request_seconds=REQUEST_SECONDS,
                )
                if not self._is_early(requests, found):
                    return found
                self.service.let_run(EARLY_PAUSE)
        except SubmissionFailed:
            self.spoil()
            raise

    def _is_early(self, requests: Sequence[Request], found: Sequence[Exchange]) -> bool:
        """Tell whether it has predicted nothing since its start and answers with errors of its own: it is asked again.

        To be ready too early costs its own check. Without patience, all others would find a service without a model.
        """
        if not self._patient_until:
            return False
        statuses = [each.status for request, each in zip(requests, found, strict=True) if request.method == "POST"]
        errors = any(status >= 500 for status in statuses)
        if any(200 <= status < 300 for status in statuses):
            self._patient_until = 0.0
            return errors  # it became ready in the middle
        if errors and monotonic() > self._patient_until:
            self._patience = self._patient_until = 0.0
            return False
        return errors

    def _note_activations(self, requests: Sequence[Request]) -> None:
        """Start a service afresh that was told to take up a version which does not exist, whatever it answered.

        It may have no model now, which costs its own check. Every check that came later would find it so.
        """
        if any(each.method == "POST" and each.path == ACTIVATE and not names_version(each) for each in requests):
            self.spoil()

    def _note_hang(self, requests: Sequence[Request], found: Sequence[Exchange]) -> bool:
        late = [request for request, each in zip(requests, found, strict=True) if each.error == "timeout"]
        slow = [size for size in map(batch_size, late) if size]
        if slow:
            # A slow batch holds up what is asked beside it, small ones too; the service itself does not hang.
            self._too_large = min(self._too_large, AS_LARGE * max(slow))
            self._hung = True
            return False
        if not late or len(late) < len(found) / 2:
            return False
        self._hangs += 1
        self._hung = True
        if self._hangs >= MOST_HANGS:
            self._never = SubmissionFailed(Reason.TIMEOUT, "The service left most requests without an answer.")
        return True


def batch_size(request: Request) -> int:
    """Return how large a batch is; 0 for any other request."""
    return len(request.body) if request.path == BATCH else 0


def unanswered(place: int) -> Exchange:
    """Return the exchange of a request that nobody waited for."""
    return Exchange(request=place, status=0, body=b"", headers={}, seconds=REQUEST_SECONDS, began=0.0, error="timeout")


def lost_places(found: Sequence[Exchange]) -> list[int]:
    """Return the places of requests that were lost with their connection."""
    return [place for place, each in enumerate(found) if each.error in LOST]


def once(service: Any, request: Request, seconds: float) -> Exchange:
    """Make one request of a service just now; also while a load runs in the background."""
    began = monotonic()
    reply = service.send(request, seconds=seconds)
    status, error = reply.header.get("status"), reply.header.get("error")
    headers = reply.header.get("headers")
    return Exchange(
        request=0,
        status=status if isinstance(status, int) else 0,
        body=reply.body,
        headers={str(pair[0]).lower(): str(pair[1]) for pair in headers} if isinstance(headers, list) else {},
        seconds=monotonic() - began,
        began=0.0,
        error=error if isinstance(error, str) else "protocol",
    )

"""The `service` fixture: starts the submission's server, speaks HTTP with it, times it from outside its box."""

from __future__ import annotations

import fnmatch
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx

from grader import frames
from grader.checker.api import SubmissionFailed
from grader.checker.http import (
    ANSWER_CAP,
    REQUEST_SECONDS,
    Exchange,
    RelayTransport,
    Request,
    from_httpx,
    head,
    post_json,
    status_of,
)
from grader.checker.link import Link
from grader.clock import monotonic
from grader.frames import Frame
from grader.model.reasons import Reason

POLL_SECONDS = 0.01
HOPELESS_SECONDS = 15.0
HOST = "http://service"

__all__ = ["Background", "Exchange", "LoadCost", "Request", "Service", "ServiceEnding", "Started", "post_json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEnding:
    """How a server ended.

    Attributes:
        exit_status: Its exit status, or None when a signal ended it.
        signal: The signal that ended it, or None.
        seconds: From the signal that asked it to end until its end.
        timed_out: It had to be killed.
        leftovers: Processes it left behind.
        stderr: The end of what it printed.
    """

    exit_status: int | None
    signal: int | None
    seconds: float
    timed_out: bool
    leftovers: int
    stderr: str


@dataclass(slots=True, kw_only=True)
class Started:
    """A server that was started: seconds until it was ready, and every answer to the question whether it is."""

    seconds: float
    answers: tuple[tuple[float, int], ...] = ()


@dataclass(slots=True)
class Background:
    """A load that runs while a check does other things; `exchanges` are there when it has ended."""

    exchanges: list[Exchange] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadCost:
    """What a load took, measured outside of the box: wall seconds and CPU seconds of the whole box."""

    seconds: float
    cpu_seconds: float


class Service:
    """The `service` and `reference_service` fixtures.

    Args:
        link: The line to the host.
        box: "submission" or "reference".
        argv: The server's command line; `$PORT` in it is replaced.
        start_seconds: How long it may take to be ready.
        folder: Where copies of files are kept.
    """

    def __init__(self, link: Link, box: str, argv: Sequence[str], start_seconds: float, folder: Path) -> None:
        """Nothing is started yet."""
        self._link = link
        self._box = box
        self._argv = list(argv)
        self._start_seconds = start_seconds
        self._folder = folder
        self._started: dict[str, Any] = {}
        self.last_load = LoadCost(seconds=0.0, cpu_seconds=0.0)
        self.client = httpx.Client(
            base_url=HOST,
            transport=RelayTransport(self),
            follow_redirects=False,
            trust_env=False,
            timeout=REQUEST_SECONDS,
        )

    # -- life of the server -----------------------------------------------------------------

    def start(
        self,
        inputs: Mapping[str, Path],
        environment: Mapping[str, str],
        *,
        ready: str | None = "/ready",
        seconds: float | None = None,
    ) -> Started:
        """Start the server in a fresh session.

        Args:
            inputs: Folders that it is given; `{name}` in the environment stands for their paths.
            environment: Variables that it is given; `PORT` is always among them.
            ready: Path that answers 200 once it is ready, or None to return at once.
            seconds: How long that may take; the exercise's limit when left out. "Not here" is no "not yet": a server
                that answers `ready` with 3xx or 4xx for 15 seconds is not waited for any longer.

        Raises:
            SubmissionFailed: It ended, or was not ready in time.
        """
        self._ask("session.open")
        for name, source in inputs.items():
            self._link.put_tree(source, f"in/{name}", box=self._box)
        self._started = {"argv": self._argv, "inputs": sorted(inputs), "environment": dict(environment)}
        return self.restart(ready=ready, seconds=seconds)

    def restart(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        ready: str | None = "/ready",
        seconds: float | None = None,
    ) -> Started:
        """Start it again in the same folder, whose files stay.

        Raises:
            SubmissionFailed: As `start`.
        """
        if environment is not None:
            self._started["environment"] = dict(environment)
        began = monotonic()
        self._ask("service.start", self._started)
        if ready is None:
            return Started(seconds=monotonic() - began)
        return self._until_ready(ready, began, seconds or self._start_seconds)

    def _until_ready(self, path: str, began: float, seconds: float) -> Started:
        answers: list[tuple[float, int]] = []
        patience = seconds
        while (passed := monotonic() - began) < patience:
            reply = self.send(Request(method="GET", path=path), seconds=min(REQUEST_SECONDS, seconds - passed + 0.1))
            status, passed = status_of(reply.header), monotonic() - began
            if not answers or answers[-1][1] != status:
                answers.append((passed, status))
                patience = min(seconds, passed + HOPELESS_SECONDS) if 300 <= status < 500 else seconds
            if status == 200:
                self._ask("service.ready", {"seconds": passed, "given": seconds})
                return Started(seconds=passed, answers=tuple(answers))
            if status == 0:
                self._require_running()
            time.sleep(POLL_SECONDS)
        last = answers[-1][1] or "nothing"
        because = f"The server was not ready within {seconds:.0f} s: {path} answered {last}."
        if patience < seconds:
            because = f"The server was not waited for any longer: {path} answered {last} for {HOPELESS_SECONDS:.0f} s."
        raise SubmissionFailed(
            Reason.TIMEOUT,
            because,
            evidence={"last lines that it printed": self.printed()[-500:]},
        )

    def _require_running(self) -> None:
        state = self._ask("service.state")
        if state.header.get("running") is True:
            return
        status = state.header.get("status")
        reason = Reason.OOM if state.header.get("oom") is True else Reason.CRASHED
        if state.header.get("flooded") is True:
            reason = Reason.OUTPUT_CAP
        printed = state.body.decode("utf-8", "replace").strip()
        raise SubmissionFailed(
            reason,
            f"The server ended before it was ready ({_ended(status)}).",
            evidence={"last lines that it printed": printed[-500:] or "(nothing)"},
        )

    def alive(self) -> bool:
        """Whether the started process runs."""
        return self._ask("service.state").header.get("running") is True

    def printed(self) -> str:
        """The end of what the server printed."""
        return self._ask("service.state").body.decode("utf-8", "replace")

    def stop(self, signal: str = "TERM", *, seconds: float = 5.0) -> ServiceEnding:
        """Send a signal and wait for the end; kill it when that takes longer than `seconds`."""
        began = monotonic()
        reply = self._ask("service.stop", {"signal": signal, "seconds": seconds})
        status = reply.header.get("status")
        status = status if isinstance(status, int) else None
        leftovers = reply.header.get("leftovers")
        return ServiceEnding(
            exit_status=status if status is not None and status >= 0 else None,
            signal=-status if status is not None and status < 0 else None,
            seconds=monotonic() - began,
            timed_out=reply.header.get("timed_out") is True,
            leftovers=leftovers if isinstance(leftovers, int) else 0,
            stderr=reply.body.decode("utf-8", "replace"),
        )

    def kill(self) -> ServiceEnding:
        """End the whole program at once, as a crash does."""
        return self.stop("KILL")

    def let_run(self, seconds: float) -> None:
        """Leave the server to itself: between two looks at it, or until a load is well under way."""
        time.sleep(seconds)

    # -- requests ---------------------------------------------------------------------------

    def send(self, request: Request, *, seconds: float = REQUEST_SECONDS, connection: str = "") -> Frame:
        """Make one request; the frame's header tells `status`, `headers` and `error`, its body is the answer's."""
        header = {**head(request), "seconds": seconds, "cap": ANSWER_CAP, "connection": connection}
        return self._ask("http.request", header, request.body)

    def load(
        self,
        requests: Iterable[Request | httpx.Request],
        *,
        concurrency: int = 8,
        keep_alive: bool = True,
        seconds: float = 120.0,
        request_seconds: float = REQUEST_SECONDS,
    ) -> list[Exchange]:
        """Make many requests, `concurrency` at once; return the answers in the order of the requests.

        Raises:
            SubmissionFailed: The box did not survive it.
        """
        self._stage(requests)
        options = _options(concurrency, seconds, request_seconds, keep_alive=keep_alive)
        reply = self._ask("load.run", options)
        measured = cast("dict[str, float]", reply.header["measured"])
        self.last_load = LoadCost(seconds=measured["seconds"], cpu_seconds=measured["cpu_seconds"])
        return self._taken(int(reply.header["count"]))

    @contextmanager
    def background(
        self,
        requests: Iterable[Request | httpx.Request],
        *,
        concurrency: int = 4,
        keep_alive: bool = True,
        repeat: bool = False,
        seconds: float = 120.0,
        request_seconds: float = REQUEST_SECONDS,
    ) -> Generator[Background]:
        """Make requests while the block does others; at its end wait until all have been made.

        With `repeat` the requests are made again and again until the block ends.

        Raises:
            SubmissionFailed: The box did not survive it.
        """
        self._stage(requests)
        options = _options(concurrency, seconds, request_seconds, keep_alive=keep_alive)
        self._ask("load.start", {**options, "repeat": repeat})
        running = Background()
        try:
            yield running
        except BaseException:
            with suppress(SubmissionFailed):  # what went wrong in the block says more than that the box is gone
                self._ask("load.stop", {"at_once": True})
            raise
        reply = self._ask("load.stop")
        running.exchanges = self._taken(int(reply.header["count"]))

    def _stage(self, requests: Iterable[Request | httpx.Request]) -> None:
        page: list[dict[str, object]] = []
        body = bytearray()
        for each in requests:
            request = each if isinstance(each, Request) else from_httpx(each)
            if page and (len(body) + len(request.body) > frames.BODY_CAP // 2 or len(page) >= 500):
                self._ask("load.stage", {"requests": page}, bytes(body))
                page, body = [], bytearray()
            page.append({**head(request), "size": len(request.body)})
            body += request.body
        if page:
            self._ask("load.stage", {"requests": page}, bytes(body))

    def _taken(self, count: int) -> list[Exchange]:
        found: list[Exchange] = []
        while len(found) < count:
            reply = self._ask("load.take", {"start": len(found)})
            offset = 0
            for number, began, seconds, status, error, headers, size in reply.header["exchanges"]:
                found.append(
                    Exchange(
                        request=number,
                        began=began,
                        seconds=seconds,
                        status=status,
                        error=error,
                        headers={name.lower(): value for name, value in map(tuple, headers)},
                        body=reply.body[offset : offset + size],
                    )
                )
                offset += size
        return sorted(found, key=lambda each: (each.request, each.began))

    # -- the box ----------------------------------------------------------------------------

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Freeze the box, so that it takes no CPU from what is measured beside it."""
        self._ask("box.pause")
        try:
            yield
        finally:
            self._ask("box.resume")

    def usage(self) -> tuple[float, int]:
        """CPU seconds that the box has used so far, and bytes in use now; measured outside of it."""
        header = self._ask("box.usage").header
        return float(header["cpu_seconds"]), int(header["memory"])

    def files(self, pattern: str = "*") -> dict[str, int]:
        """Files below the server's working directory whose path matches: path to bytes."""
        reply = self._ask("file.list", {"path": "submission"})
        found = {}
        for entry in reply.header.get("entries", []):
            if isinstance(entry, list) and len(entry) == 3 and entry[1] == "file" and isinstance(entry[2], int):
                found[str(entry[0])] = entry[2]
        return {path: size for path, size in found.items() if fnmatch.fnmatch(path, pattern)}

    def read(self, path: str, cap: int = 8 * 1024 * 1024) -> bytes:
        """Read a file below the server's working directory.

        Raises:
            SubmissionFailed: There is no such regular file, or it holds more than `cap` bytes.
        """
        with tempfile.NamedTemporaryFile(dir=self._folder) as file:
            target = Path(file.name)
            self._link.get_file(f"submission/{path}", target, cap, box=self._box)
            return target.read_bytes()

    def _ask(self, op: str, header: Mapping[str, Any] | None = None, body: bytes = b"") -> Frame:
        return self._link.ask(op, {**(header or {}), "box": self._box}, body)


def _options(concurrency: int, seconds: float, request_seconds: float, *, keep_alive: bool) -> dict[str, object]:
    return {
        "concurrency": concurrency,
        "keep_alive": keep_alive,
        "all_seconds": seconds,
        "seconds": request_seconds,
        "cap": ANSWER_CAP,
    }


def _ended(status: object) -> str:
    if not isinstance(status, int):
        return "nobody knows how"
    return f"signal {-status}" if status < 0 else f"exit status {status}"

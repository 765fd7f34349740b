"""The `service` fixture: starts the submission's server, speaks HTTP with it, times it from outside its box."""

from __future__ import annotations

import fnmatch
import json
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx

from grader import frames
from grader.checker.api import SubmissionFailed
from grader.checker.link import Link
from grader.clock import monotonic
from grader.frames import Frame
from grader.model.reasons import Reason

ANSWER_CAP = 512 * 1024
POLL_SECONDS = 0.01
REQUEST_SECONDS = 10.0
HOST = "http://service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request.

    Attributes:
        method: GET, POST and so on.
        path: Path and query.
        body: The body.
        headers: Headers; the usual ones are added.
        padding: Spaces that are sent after the body, so that it can be larger than a frame.
    """

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    padding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request of a load and its answer.

    Attributes:
        request: Which one it was, counted from 0.
        status: Status code, or 0 when no answer came.
        body: The answer's body.
        headers: Its headers, names in lower case.
        seconds: Time from sending it to having the answer, taken outside of the box.
        began: When it was sent, in seconds since the load began.
        error: "", "refused", "reset", "timeout", "protocol" or "too_large".
    """

    request: int
    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float
    began: float
    error: str


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
            seconds: How long that may take; the exercise's limit when left out.

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
        while (passed := monotonic() - began) < seconds:
            reply = self.send(Request(method="GET", path=path), seconds=min(REQUEST_SECONDS, seconds - passed + 0.1))
            status = _status(reply.header)
            if not answers or answers[-1][1] != status:
                answers.append((monotonic() - began, status))
            if status == 200:
                return Started(seconds=monotonic() - began, answers=tuple(answers))
            if status == 0:
                self._require_running()
            time.sleep(POLL_SECONDS)
        raise SubmissionFailed(
            Reason.TIMEOUT,
            f"The server was not ready within {seconds:.0f} s: {path} answered {answers[-1][1] or 'nothing'}.",
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

    # -- requests ---------------------------------------------------------------------------

    def send(self, request: Request, *, seconds: float = REQUEST_SECONDS, connection: str = "") -> Frame:
        """Make one request; the frame's header tells `status`, `headers` and `error`, its body is the answer's."""
        header = {**_head(request), "seconds": seconds, "cap": ANSWER_CAP, "connection": connection}
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
            self._ask("load.stop", {"at_once": True})
            raise
        reply = self._ask("load.stop")
        running.exchanges = self._taken(int(reply.header["count"]))

    def _stage(self, requests: Iterable[Request | httpx.Request]) -> None:
        page: list[dict[str, object]] = []
        body = bytearray()
        for each in requests:
            request = each if isinstance(each, Request) else _from_httpx(each)
            if page and (len(body) + len(request.body) > frames.BODY_CAP // 2 or len(page) >= 500):
                self._ask("load.stage", {"requests": page}, bytes(body))
                page, body = [], bytearray()
            page.append({**_head(request), "size": len(request.body)})
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


class RelayTransport(httpx.BaseTransport):
    """Carries httpx's requests to the server in the box.

    Args:
        service: Whose server.
    """

    def __init__(self, service: Service) -> None:
        """Nothing is sent yet."""
        self._service = service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make a request.

        Raises:
            SubmissionFailed: No usable answer came.
        """
        timeout = request.extensions.get("timeout", {}).get("read") or REQUEST_SECONDS
        reply = self._service.send(_from_httpx(request), seconds=float(timeout))
        error, status = reply.header.get("error"), _status(reply.header)
        where = f"{request.method} {request.url.path}"
        if error == "timeout":
            raise SubmissionFailed(Reason.TIMEOUT, f"{where} was not answered within {timeout:.0f} s.")
        if error == "too_large":
            raise SubmissionFailed(Reason.TOO_LARGE, f"{where} was answered with more than {ANSWER_CAP:,} bytes.")
        if error or not status:
            raise SubmissionFailed(
                Reason.NO_RESPONSE, f"{where} was not answered: the connection was {error or 'lost'}."
            )
        headers = _pairs(reply.header)
        if any(name.lower() == "content-encoding" and value.lower() != "identity" for name, value in headers):
            raise SubmissionFailed(Reason.FORMAT, f"{where} was answered in a compressed form that nobody asked for.")
        raw = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
        return httpx.Response(status, headers=raw, content=reply.body, request=request)


def _options(concurrency: int, seconds: float, request_seconds: float, *, keep_alive: bool) -> dict[str, object]:
    return {
        "concurrency": concurrency,
        "keep_alive": keep_alive,
        "all_seconds": seconds,
        "seconds": request_seconds,
        "cap": ANSWER_CAP,
    }


def _head(request: Request) -> dict[str, object]:
    headers = [list(each) for each in request.headers.items()]
    return {"method": request.method, "path": request.path, "headers": headers, "padding": request.padding}


def _from_httpx(request: httpx.Request) -> Request:
    own = ("host", "connection", "accept-encoding", "content-length", "user-agent", "accept")
    headers = {name: value for name, value in request.headers.items() if name not in own}
    return Request(
        method=request.method, path=request.url.raw_path.decode("ascii"), body=request.read(), headers=headers
    )


def _status(header: Mapping[str, Any]) -> int:
    status = header.get("status")
    return status if isinstance(status, int) and 100 <= status <= 599 else 0


def _pairs(header: Mapping[str, Any]) -> list[tuple[str, str]]:
    headers = header.get("headers")
    entries = headers if isinstance(headers, list) else []
    return [(str(each[0]), str(each[1])) for each in entries if isinstance(each, list) and len(each) == 2]


def _ended(status: object) -> str:
    if not isinstance(status, int):
        return "nobody knows how"
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def post_json(path: str, value: object, **headers: str) -> Request:
    """A POST of a JSON value."""
    body = json.dumps(value).encode()
    return Request(method="POST", path=path, body=body, headers={"Content-Type": "application/json", **headers})

"""The ASGI application: routes, versions, retries, and what is counted and logged.

Everything here runs on one event loop. Code between two `await`s is never interrupted, which is what makes committing a
prediction (memory, counters, log) and switching versions atomic without locks.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import Any

from late import openapi
from late.batcher import Batcher, Job
from late.ledger import Answered, Log, Memory
from late.metrics import OTHER, ROUTES, Metrics
from late.scoring import Corrupt, Prepared, Shared, Version, load
from late.validation import (
    NotJson,
    Problem,
    Row,
    Zones,
    check_activation,
    check_batch,
    check_row,
    parse_json,
    problem,
    sound,
)

LARGEST_BODY = 2**20
MOST_DRAINED = 64 * 2**20  # of a body that is too large: read, so that the client gets to see the answer
SLICE = 32  # rows that are checked before the event loop gets its turn
MOST_PROBLEMS = 2048  # that one answer names
LOG_SECONDS = 0.5  # until a failed write to the log is tried again

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # names that are safe in paths, labels and JSON

JSON, TEXT = b"application/json", b"text/plain; version=0.0.4; charset=utf-8"
logger = logging.getLogger("uvicorn.error")

Answer = tuple[int, bytes, bytes]  # status, body, content type


class Refusal(Exception):
    """An answer that is no 200."""

    def __init__(self, status: int, detail: str | list[Problem], *, close: bool = False) -> None:
        super().__init__(status)
        self.status, self.detail, self.close = status, detail, close

    def answer(self) -> Answer:
        return self.status, json.dumps({"detail": self.detail}).encode(), JSON


class Gone(Exception):
    """The client left before its request was complete."""


class Service:
    """The service; an instance is the ASGI application."""

    def __init__(self, folder: Path, first: str, workspace: Path) -> None:
        self.log = Log(workspace)
        self._folder, self._first = folder, first
        self._metrics, self._memory, self._batcher = Metrics(), Memory(), Batcher()
        self._current: Version | None = None
        self._loaded: dict[str, Version] = {}
        self._shared: Shared | None = None
        self._zones: Zones | None = None
        self._loader = ThreadPoolExecutor(1, "load")
        self._switch = asyncio.Lock()
        self._background: list[asyncio.Task[None]] = []
        self._pending: dict[str, asyncio.Future[None]] = {}  # ids that are being scored
        self._run, self._count = secrets.token_hex(8), 0
        self._gets: dict[str, Callable[[], Answer]] = {
            "/health": lambda: (200, b'{"status":"ok"}', JSON),
            "/ready": self._ready,
            "/metrics": self._scrape,
            "/openapi.json": lambda: (200, openapi.BODY, JSON),
        }
        self._posts: dict[str, Callable[[Any], Awaitable[Answer]]] = {
            "/v1/predict": self._predict,
            "/v1/predict_batch": self._predict_batch,
            "/admin/activate": self._activate,
        }

    # ---------------------------------------------------------------- ASGI

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._background = [asyncio.create_task(self._start()), asyncio.create_task(self._keep_log())]
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                for task in self._background:
                    task.cancel()
                self.log.flush()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _http(self, scope: Any, receive: Any, send: Any) -> None:
        began = time.perf_counter()
        close = False
        path = scope["path"]
        route = path if path in ROUTES else OTHER
        try:
            status, body, kind = await self._answer(scope, receive, path)
        except Gone:
            return
        except Refusal as refusal:
            status, body, kind = refusal.answer()
            close = refusal.close
        except Exception:
            logger.exception("%s failed", route)
            status, body, kind = 500, b'{"detail":"Internal Server Error"}', JSON
        self._metrics.answered(route, status, time.perf_counter() - began)
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
        if close:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Any, receive: Any, path: str) -> Answer:
        method = scope["method"]
        if path in self._posts and method == "POST":
            kind, length, expects = _headers(scope["headers"])
            body = await _read(receive, length, expects)
            if kind is not None and kind != b"application/json":
                raise Refusal(415, "Content-Type should be application/json")
            try:
                found = parse_json(body)
            except NotJson:
                raise Refusal(422, [problem((), "The body should be JSON in UTF-8", "json_invalid")]) from None
            return await self._posts[path](found)
        if path in self._gets and method in ("GET", "HEAD"):
            return self._gets[path]()
        if path in ROUTES:
            raise Refusal(405, "Method Not Allowed")
        raise Refusal(404, "Not Found")

    # ---------------------------------------------------------------- operations

    def _ready(self) -> Answer:
        if self._current is None:
            raise Refusal(503, "No version is loaded")
        return 200, _served(self._current.name), JSON

    def _scrape(self) -> Answer:
        name = None if self._current is None else self._current.name
        return 200, self._metrics.text(name, self.log.failures, self.log.waiting).encode(), TEXT

    async def _start(self) -> None:
        """Load the first version. Where that fails the process lives on, and an activation may follow."""
        async with self._switch:
            try:
                await self._serve(self._first)
            except Corrupt as error:
                logger.error("cannot serve %.100r: %s", self._first, error)

    async def _keep_log(self) -> None:
        while True:
            await asyncio.sleep(LOG_SECONDS)
            if self.log.waiting:
                self.log.flush()

    async def _activate(self, found: Any) -> Answer:
        problems = check_activation(found)
        if problems:
            raise Refusal(422, problems)
        name = found["version"]
        async with self._switch:  # one after the other, also after the first load
            try:
                await self._serve(name)
            except Corrupt as error:
                self._metrics.activations["refused"] += 1
                logger.error("cannot activate %.100r: %s", name, error)
                raise Refusal(409, f"Version {sound(name[:100])!r} is unknown or corrupt") from None
            self._metrics.activations["done"] += 1
            return 200, _served(name), JSON

    async def _serve(self, name: str) -> None:
        """Serve a version from now on.

        Raises:
            Corrupt: It is unknown or corrupt; what was served is served on.
        """
        version = self._loaded.get(name)  # MODEL_DIR does not change while we run: verified once is verified
        if version is None:
            version = await asyncio.get_running_loop().run_in_executor(self._loader, self._load, name)
            self._loaded[name] = version
            self._metrics.serves(name)
        self._current = version

    def _load(self, name: str) -> Version:
        """Runs in a thread: imports, reads, verifies."""
        try:
            if self._zones is None:
                self._zones = Zones()
            known = VERSION.fullmatch(name) is not None and name in os.listdir(self._folder)
            if self._shared is None:
                self._shared = Shared(self._folder)
        except Exception as error:  # whatever broken files make json or pyarrow raise
            raise Corrupt(f"{type(error).__name__}: {error}") from error
        if not known:
            raise Corrupt("there is no such version")
        version = load(self._folder, name, self._shared)
        gc.collect()
        gc.freeze()  # what was loaded stays: the collector need not look at it again
        return version

    # ---------------------------------------------------------------- predictions

    async def _predict(self, found: Any) -> Answer:
        zones = self._loaded_zones()
        row = check_row(found, (), zones)
        if type(row) is list:
            raise Refusal(422, row)
        (answered,), _ = await self._answers([row])
        return 200, answered.text, JSON

    async def _predict_batch(self, found: Any) -> Answer:
        zones = self._loaded_zones()
        problems = check_batch(found)
        if problems:
            raise Refusal(422, problems)
        rows: list[Row] = []
        for at, each in enumerate(found["rows"]):
            row = check_row(each, ("rows", at), zones)
            if type(row) is list:
                problems += row
                if len(problems) > MOST_PROBLEMS:
                    break
            else:
                rows.append(row)
            if at % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        if problems:
            raise Refusal(422, problems)
        answers, version = await self._answers(rows)
        results = b",".join([answered.text for answered in answers])
        return 200, b'{"model_version":"%b","results":[%b]}' % (version.encode(), results), JSON

    def _loaded_zones(self) -> Zones:
        """Time zones are read in the thread that loads; before that there is no version either."""
        if self._zones is None:
            raise Refusal(503, "No version is loaded")
        return self._zones

    async def _answers(self, rows: Sequence[Row]) -> tuple[list[Answered], str]:
        """One answer per row, and the version of those that are new; all rows or, by a Refusal, none.

        A batch of retries alone is a retry itself, and names the version that it named then.
        """
        while waits := [self._pending[row.request_id] for row in rows if row.request_id in self._pending]:
            await asyncio.wait(waits)  # the same id is being scored: what comes of it decides what this is
        # From here to the registration of what is pending there is no await.
        version = self._current
        if version is None:
            raise Refusal(503, "No version is loaded")
        known: dict[str, Answered] = {}
        new: dict[str, Row] = {}
        for row in rows:
            answered = self._memory.get(row.request_id)
            if answered is not None:
                known[row.request_id] = answered
            digest = answered.digest if answered is not None else new.setdefault(row.request_id, row).digest
            if digest != row.digest:
                raise Refusal(409, f"request_id {row.request_id!r} was used with another body")
        if new:
            made = await self._score(version, list(new.values()))
        else:
            made = {}
            names = {answered.version for answered in known.values()}
            name = names.pop() if len(names) == 1 else version.name
        for request_id, answered in known.items():
            self._memory.use(request_id, answered)
        self._metrics.replays += len(rows) - len(new)
        answers = known | made
        return [answers[row.request_id] for row in rows], version.name if new else name

    async def _score(self, version: Version, rows: list[Row]) -> dict[str, Answered]:
        """Score and commit. Once begun it runs to its end, also when the client leaves."""
        done: asyncio.Future[dict[str, Answered]] = asyncio.get_running_loop().create_future()
        pending: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for row in rows:
            self._pending[row.request_id] = pending

        def settle() -> None:
            for row in rows:
                del self._pending[row.request_id]
            pending.set_result(None)

        def commit(features: list[list[float]], probabilities: list[float]) -> None:
            try:
                result = self._commit(version, rows, features, probabilities)
            except Exception as error:  # noqa: BLE001 - told to the one who waits
                fail(error)
                return
            settle()
            if not done.done():
                done.set_result(result)

        def fail(error: Exception) -> None:
            settle()
            if not done.done():
                done.set_exception(error)

        prepared: list[Prepared] = []
        try:
            for at, row in enumerate(rows, start=1):
                prepared.append(version.prepare(row))
                if at % SLICE == 0 and at < len(rows):
                    await asyncio.sleep(0)
        except BaseException as error:
            settle()
            raise error
        self._batcher.submit(Job(version, prepared, commit, fail))
        return await done

    def _commit(
        self, version: Version, rows: list[Row], features: list[list[float]], probabilities: list[float]
    ) -> dict[str, Answered]:
        """Remember, count and log what was scored."""
        made: dict[str, Answered] = {}
        lines: list[str] = []
        name, threshold = version.name, version.threshold
        keys = [f"{json.dumps(feature)}: " for feature in version.features]
        for row, values, probability in zip(rows, features, probabilities, strict=True):
            self._count += 1
            decision = "review" if probability >= threshold else "approve"
            head = (
                f'{{"request_id":{quoted(row.request_id)},"prediction_id":"{self._run}-{self._count}",'
                f'"model_version":"{name}","probability":{probability!r},"decision":"{decision}"'
            )
            answered = Answered(row.digest, name, f"{head}}}".encode())
            self._memory.use(row.request_id, answered)
            made[row.request_id] = answered
            self._metrics.predicted(name, decision, probability)
            given = ",".join([f"{key}{value!r}" for key, value in zip(keys, values, strict=True)])
            lines.append(f'{head},"features":{{{given}}}}}\n')
        self.log.append("".join(lines).encode())
        return made


def _served(name: str) -> bytes:
    return json.dumps({"model_version": name}).encode()


def _headers(headers: list[tuple[bytes, bytes]]) -> tuple[bytes | None, int | None, bool]:
    """Media type (None when it is not given), length (None when unknown), and whether the client waits for a go-ahead."""
    kind = length = None
    expects = False
    for name, value in headers:
        if name == b"content-type" and kind is None:
            kind = value.partition(b";")[0].strip().lower()
        elif name == b"content-length":
            length = int(value)
        elif name == b"expect":
            expects = True
    return kind, length, expects


async def _read(receive: Any, length: int | None, expects: bool) -> bytes:
    """Read a body; refuses one that is too large after it was read, since a client that still writes may not listen."""
    too_large = length is not None and length > LARGEST_BODY
    if too_large and (expects or length > MOST_DRAINED):
        raise Refusal(413, "The body has more than 1 MiB", close=True)
    parts: list[bytes] = []
    total = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Gone
        part = message.get("body", b"")
        total += len(part)
        if too_large or total > LARGEST_BODY:
            too_large = True
            parts.clear()
            if total > MOST_DRAINED:
                break
        elif part:
            parts.append(part)
        if not message.get("more_body", False):
            break
    if too_large:
        raise Refusal(413, "The body has more than 1 MiB", close=total > MOST_DRAINED)
    return parts[0] if len(parts) == 1 else b"".join(parts)

"""The pool of scoring processes, as the front sees it: who is free, what waits, and which version is served."""

from __future__ import annotations

import asyncio
import marshal
import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from risk.frames import HEAD, pack

MOST_TOGETHER = 64  # single rows that are scored in one go
TRIES = 3  # a job whose worker dies is given to another


class Gone(Exception):
    """The worker has ended."""


class NotReady(Exception):
    """No version is loaded."""


def spawn(folder: Path, version: str, count: int = 1) -> list[socket.socket]:
    """Start workers; they import what they need while the front still imports what the front needs.

    Nothing more than the socket is held: a worker ends when it is closed, and it is closed when a worker ends.
    """
    pairs = [socket.socketpair() for _ in range(count)]
    theirs = [pair[1].fileno() for pair in pairs]
    environment = os.environ | {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(Path(__file__).resolve().parent.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    subprocess.Popen(
        [sys.executable, "-m", "risk.worker", str(folder), version.replace("\0", ""), *map(str, theirs)],
        env=environment, pass_fds=theirs, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    for ours, their in pairs:
        their.close()
        ours.setblocking(False)
    return [ours for ours, _ in pairs]


class Worker(asyncio.Protocol):
    """One scoring process. It has one job at a time."""

    def __init__(self) -> None:
        self.loaded: set[str] = set()
        self.alive = True
        self._received = bytearray()
        self._waiting: asyncio.Future[Any] | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) < HEAD.size:
            return
        size = HEAD.unpack_from(self._received)[0] + HEAD.size
        if len(self._received) >= size:
            answer = marshal.loads(memoryview(self._received)[HEAD.size : size])
            self._received = bytearray()
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.alive = False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(Gone())
        if not self.ended.done():
            self.ended.set_result(None)

    async def ask(self, message: Any) -> Any:
        """Give it a job and wait for the answer."""
        if not self.alive:
            raise Gone
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(pack(message))
        return await self._waiting

    def close(self) -> None:
        self._transport.close()


class Pool:
    """Gives jobs to free workers. `active` is the version that every job gets which is handed out from now on."""

    def __init__(self, folder: Path, first_version: str) -> None:
        self.folder, self.first_version = folder, first_version
        self.active: str | None = None
        self.on_active: Callable[[str], None] = lambda _: None
        self._workers: list[Worker] = []  # those that take jobs
        self._idle: deque[Worker] = deque()
        self._wanted: dict[Worker, asyncio.Future[None]] = {}  # who is to load a version as soon as it is free
        self._singles: deque[tuple[Any, asyncio.Future[Any], int]] = deque()
        self._batches: deque[tuple[bytes, asyncio.Future[Any], int]] = deque()
        self._batch_next = False
        self._switching = asyncio.Lock()
        self._joined = asyncio.Event()
        self._first_try = asyncio.Event()  # the version to serve first was tried
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False

    # -- life of workers --------------------------------------------------------------------------------------------

    def start(self, spawned: list[socket.socket]) -> None:
        """Take over workers that were started."""
        for each in spawned:
            self._keep(self._serve_slot(each))

    def _keep(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _serve_slot(self, ours: socket.socket) -> None:
        """Keep one place of the pool filled: a worker that dies is replaced, more slowly each time it dies young."""
        loop = asyncio.get_running_loop()
        young = 0
        while not self._closing:
            _, worker = await loop.create_connection(Worker, sock=ours)
            born = loop.time()
            await self._join(worker)
            await worker.ended
            self._leave(worker)
            if self._closing:
                return
            print("a worker has ended; starting another", file=sys.stderr, flush=True)
            young = young + 1 if loop.time() - born < 60 else 0
            await asyncio.sleep(min(0.1 * 2**young, 10.0) if young else 0)
            (ours,) = spawn(self.folder, self.active or self.first_version)

    async def _join(self, worker: Worker) -> None:
        """Load the version that is served, and begin to take jobs."""
        try:
            version = self.active or self.first_version
            answer = await self._load(worker, version)
            async with self._switching:
                if self.active is None and not self._first_try.is_set():
                    if answer[0] == "ok":
                        self.active = version
                        self.on_active(version)
                    else:
                        print(f"{version} cannot be served: {answer[-1]}", file=sys.stderr, flush=True)
                    self._first_try.set()
                while self.active is not None and self.active not in worker.loaded:
                    if (await self._load(worker, self.active))[0] != "ok":
                        worker.close()
                        return
                self._workers.append(worker)
                self._joined.set()
                self._free(worker)
        except Gone:
            # A file that takes its reader down is corrupt as well: do not try it forever.
            if self.active is None:
                self._first_try.set()
                self.first_version = ""

    async def _load(self, worker: Worker, version: str) -> tuple[Any, ...]:
        if version in worker.loaded:
            return ("ok",)
        if not await self._is_there(version):
            return "corrupt", "there is no such version"
        answer = await worker.ask(("load", version))
        if answer[0] == "ok":
            worker.loaded.add(version)
        return answer

    async def _is_there(self, version: str) -> bool:
        """Whether a folder of just this name is there: names are compared, so that no path can lead elsewhere."""

        def look() -> bool:
            try:
                return any(entry.name == version and entry.is_dir() for entry in os.scandir(self.folder))
            except OSError:
                return False

        return await asyncio.get_running_loop().run_in_executor(None, look)

    def _leave(self, worker: Worker) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if not self._workers:
            self._joined.clear()
        wanted = self._wanted.pop(worker, None)
        if wanted is not None and not wanted.done():
            wanted.set_exception(Gone())

    async def close(self) -> None:
        """End the workers; their jobs are done."""
        self._closing = True
        for worker in self._workers:
            worker.close()

    # -- versions ---------------------------------------------------------------------------------------------------

    async def activate(self, version: str) -> bool:
        """Serve another version. Every worker loads it, one after the other, while the rest go on serving the old one.

        Returns False when it cannot be served; then nothing changes.
        """
        if not await self._is_there(version):
            return False
        await self._first_try.wait()
        while True:
            await self._joined.wait()
            async with self._switching:
                if not self._workers:
                    continue
                for worker in list(self._workers):
                    if version in worker.loaded:
                        continue
                    try:
                        await self._reserve(worker)
                        answer = await self._load(worker, version)
                    except Gone:
                        return False  # it took its reader down; the place in the pool is filled again
                    self._free(worker)
                    if answer[0] != "ok":
                        print(f"{version} cannot be served: {answer[-1]}", file=sys.stderr, flush=True)
                        return False
                self.active = version
                self.on_active(version)
                return True

    async def _reserve(self, worker: Worker) -> None:
        """Wait until a worker has no job, and keep it from getting one."""
        if not worker.alive:
            raise Gone
        if worker in self._idle:
            self._idle.remove(worker)
            return
        wanted = self._wanted[worker] = asyncio.get_running_loop().create_future()
        await wanted

    # -- jobs -------------------------------------------------------------------------------------------------------

    def single(self, row: Any) -> asyncio.Future[Any]:
        """Score one row: (version, (probability, review, features))."""
        return self._queue(self._singles, row)

    def batch(self, raw: bytes) -> asyncio.Future[Any]:
        """Check and score a batch: (version, the worker's answer)."""
        return self._queue(self._batches, raw)

    def _queue(self, queue: deque[Any], job: Any) -> asyncio.Future[Any]:
        if self.active is None:
            raise NotReady
        future = asyncio.get_running_loop().create_future()
        queue.append((job, future, 0))
        self._hand_out()
        return future

    def _free(self, worker: Worker) -> None:
        wanted = self._wanted.pop(worker, None)
        if wanted is not None and not wanted.done():
            wanted.set_result(None)
        elif worker.alive and worker in self._workers:
            self._idle.append(worker)
            self._hand_out()

    def _hand_out(self) -> None:
        while self._idle and (self._singles or self._batches):
            worker = self._idle.popleft()
            batch = bool(self._batches) and (self._batch_next or not self._singles)
            self._batch_next = not batch  # singles and batches in turns, so that neither waits forever
            queue: deque[Any] = self._batches if batch else self._singles
            jobs = [queue.popleft() for _ in range(min(len(queue), 1 if batch else MOST_TOGETHER))]
            jobs = [job for job in jobs if not job[1].done()]
            if jobs:
                self._keep(self._do(worker, batch, jobs, self.active))
            else:
                self._idle.append(worker)

    async def _do(self, worker: Worker, batch: bool, jobs: list[Any], version: str) -> None:
        given = jobs[0][0] if batch else [job[0] for job in jobs]
        try:
            answer = await worker.ask(("batch" if batch else "rows", version, given))
        except Gone:
            answer = ("error", "the worker has ended")
        if answer[0] == "error":
            again = self._batches if batch else self._singles
            for job, future, tries in jobs:
                if tries + 1 < TRIES:
                    again.append((job, future, tries + 1))
                elif not future.done():
                    future.set_exception(RuntimeError(answer[1]))
        else:
            results = [answer] if batch else answer[1]
            for (_, future, _), result in zip(jobs, results, strict=True):
                if not future.done():
                    future.set_result((version, result))
        self._free(worker)
        self._hand_out()

"""The worker processes of a callable: one call at a time each, replaced when they die.

Batches wait in the memory of this process, which no program of the submission can read; a worker is
given one call's arguments, and the next one's only after it has answered.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.agent import kernel
from grader.agent.files import checked_path
from grader.agent.processes import TAIL, offer_to_oom_killer
from grader.agent.stream import Answer, Refused

CALLER = Path(__file__).with_name("caller.py")
ANSWER_CAP = 1024 * 1024
STAGED_CAP = 512 * 1024 * 1024
REPLY_CAP = 900 * 1024
WORKERS_CAP = 8
REPLACEMENTS = 3

Values = dict[str, Any]


class Died(Exception):
    """A worker gave no answer; the reason is one of the closed list's."""

    def __init__(self, reason: str, message: str) -> None:
        """Keep both."""
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass
class Printed:
    """The last part of what a worker printed, and how much it was in all."""

    cap: int
    total: int = 0
    tail: bytearray = field(default_factory=bytearray)


class Worker:
    """One process of `caller.py`.

    Args:
        entry: `module:attribute`.
        folder: Its working directory.
        environment: All of its environment.
        printed: Bytes it may print.
        seconds: Time that importing the entry point may take.

    Raises:
        Died: Importing the entry point failed.
    """

    def __init__(self, entry: str, folder: Path, environment: dict[str, str], printed: int, seconds: float) -> None:
        """Start it and wait until it has imported the entry point."""
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        self._printed = Printed(printed)
        self._oom_before = kernel.oom_kills()
        argv = [sys.executable, "-I", str(CALLER), entry, str(theirs_in), str(theirs_out)]
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                argv,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(theirs_in, theirs_out),
                start_new_session=True,
                preexec_fn=offer_to_oom_killer,
            )
        except BaseException:
            os.close(self._in)
            os.close(self._out)
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        threading.Thread(target=self._drain, daemon=True).start()
        imported = self._answer(time.monotonic() + seconds)
        if "value" not in imported:
            self.end()
            said = f"{imported.get('error', '')}: {imported.get('message', '')} {imported.get('place', '')}"
            raise Died("crashed", f"Importing {entry} stops with {said.strip()}")

    def ask(self, request: Values, tables: dict[str, bytes], seconds: float) -> Values:
        """Send one request and wait for its answer.

        Raises:
            Died: No answer came, or none that makes sense; the worker is gone then.
        """
        end = time.monotonic() + seconds
        self._oom_before = kernel.oom_kills()
        head = json.dumps({**request, "tables": list(tables)}).encode()
        for piece in (head, *tables.values()):
            self._write(len(piece).to_bytes(4, "big"), end)
            self._write(piece, end)
        return self._answer(end)

    def _write(self, data: bytes, end: float) -> None:
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._out, view) :]
            except BlockingIOError:
                self._wait(self._out, selectors.EVENT_WRITE, end)
            except BrokenPipeError:
                raise self._dead() from None

    def _answer(self, end: float) -> Values:
        size = int.from_bytes(self._read(4, end), "big")
        if size > ANSWER_CAP:
            self.end()
            raise Died("protocol", "bytes that are no answer")
        try:
            answer = json.loads(self._read(size, end))
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            self.end()
            raise Died("protocol", "bytes that are no answer")
        return answer

    def _read(self, size: int, end: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            try:
                piece = os.read(self._in, size - len(data))
            except BlockingIOError:
                self._wait(self._in, selectors.EVENT_READ, end)
                continue
            if not piece:
                raise self._dead()
            data += piece
        return bytes(data)

    def _wait(self, descriptor: int, event: int, end: float) -> None:
        left = end - time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, event)
            if left <= 0 or not selector.select(left):
                self.end()
                raise Died("timeout", "no answer in the time allowed")

    def _dead(self) -> Died:
        """Say why a worker is gone; its end of the pipe closes a moment before it can be waited for."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        status = self.process.poll()
        self.end()
        if self._printed.total > self._printed.cap:
            return Died("output_cap", "it printed more than accepted")
        if kernel.oom_kills() > self._oom_before:
            return Died("oom", "it needed more memory than allowed")
        ended = f"signal {-status}" if status is not None and status < 0 else f"exit status {status}"
        return Died("no_response" if status == 0 else "crashed", f"it ended with {ended}")

    def _drain(self) -> None:
        """Take in what it prints, so that it never waits for that; a flood ends it."""
        pipe = self.process.stdout
        assert pipe is not None
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(pipe.fileno(), 65536):
                self._printed.total += len(data)
                self._printed.tail = (self._printed.tail + data)[-TAIL:]
                if self._printed.total > self._printed.cap:
                    self.process.kill()
        with contextlib.suppress(OSError):
            pipe.close()

    def end(self) -> None:
        """Kill the process and all that it started in its session. Idempotent."""
        for descriptor in (self._in, self._out):
            if descriptor >= 0:
                os.close(descriptor)
        self._in = self._out = -1
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)


class Workers:
    """The `calls.*` operations of a submission box.

    Args:
        folder: The submission's folder.
        files: Folder of the files that calls are given paths of.
        environment: Gives the environment of a worker, for a number of threads.
    """

    def __init__(self, folder: Path, files: Path, environment: Callable[[int], dict[str, str]]) -> None:
        """No worker yet."""
        self._folder = folder
        self._files = files
        self._environment = environment
        self._workers: list[Worker | None] = []
        self._setup: list[tuple[Values, dict[str, bytes]]] = []
        self._tables: dict[str, bytearray] = {}
        self._entry = ""
        self._printed = 0
        self._import_seconds = 0.0
        self._replacements = 0
        self._lock = threading.Lock()

    def open(self, header: Values, body: bytes) -> Answer:
        """Start workers afresh; files stay."""
        self.close()
        count = int(header["workers"])
        if not 1 <= count <= WORKERS_CAP:
            raise Refused("workers", f"{count} workers")
        self._entry, self._printed = str(header["entry"]), int(header["printed"])
        self._import_seconds = float(header["seconds"])
        self._replacements = 0
        try:
            # Side by side: importing takes as long as everything else together.
            self._workers = [None] * count
            self._each(self._start)
        except Died as died:
            self.close()
            raise Refused(died.reason, died.message) from died
        return {}, b""

    def close(self) -> None:
        """End all workers and forget what was staged."""
        for worker in self._workers:
            if worker is not None:
                worker.end()
        self._workers, self._setup, self._tables = [], [], {}

    def _start(self, place: int) -> None:
        self._workers[place] = Worker(
            self._entry, self._folder, self._environment(len(self._workers)), self._printed, self._import_seconds
        )

    def _each(self, action: Callable[[int], None]) -> None:
        """Do something for every worker at once; raises what the first one raised."""
        failures: list[Died | OSError] = []

        def attempt(place: int) -> None:
            try:
                action(place)
            except (Died, OSError) as error:
                failures.append(error)

        threads = [threading.Thread(target=attempt, args=(place,)) for place in range(len(self._workers))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def stage(self, header: Values, body: bytes) -> Answer:
        """Take tables that later calls will name, or pieces of them: one after the other in the body."""
        offset = 0
        for name, size in header["pieces"]:
            self._tables.setdefault(str(name), bytearray()).extend(body[offset : offset + size])
            offset += size
        if sum(map(len, self._tables.values())) > STAGED_CAP:
            raise Refused("too_large", "more tables than the box accepts")
        return {}, b""

    def everywhere(self, header: Values, body: bytes) -> Answer:
        """Make one call in every worker; it is made again in a worker that replaces one."""
        request = self._located(json.loads(body))
        tables = self._taken(request.get("arguments", {}))
        seconds = float(header["seconds"])
        answers: dict[int, Values] = {}

        def ask(place: int) -> None:
            answers[place] = self._worker(place).ask(request, tables, seconds)

        try:
            self._each(ask)
        except Died as died:
            self._tables.clear()
            self._forget_dead()
            return {}, json.dumps({"reason": died.reason, "message": died.message}).encode()
        self._setup.append((request, tables))
        self._tables.clear()
        return {}, json.dumps(next((each for each in answers.values() if "value" not in each), answers[0])).encode()

    def map(self, header: Values, body: bytes) -> Answer:
        """Make many calls, spread over the workers; the answers come in the order of the calls."""
        requests = [self._located(request) for request in json.loads(body)]
        answers: list[Values] = [{"reason": "no_response", "message": "it was not reached"}] * len(requests)
        waiting = deque(range(len(requests)))
        seconds, end = float(header["seconds"]), time.monotonic() + float(header["all_seconds"])
        longest = 0.0

        def work(place: int) -> None:
            nonlocal longest
            while True:
                with self._lock:
                    if not waiting:
                        return
                    number = waiting.popleft()
                began = time.monotonic()
                answers[number] = self._one(place, requests[number], min(seconds, end - began))
                with self._lock:
                    longest = max(longest, time.monotonic() - began)

        self._each(work)
        self._tables.clear()
        return {"longest": round(longest, 3)}, _joined(answers)

    def _one(self, place: int, request: Values, seconds: float) -> Values:
        if seconds <= 0:
            return {"reason": "timeout", "message": "the time for all calls together is used up"}
        end = time.monotonic() + seconds
        try:
            if request["op"] == "sequence":
                return self._sequence(place, request, end)
            return self._ask(place, request, end)
        except Died as died:
            self._workers[place] = None
            return {"reason": died.reason, "message": died.message}

    def _sequence(self, place: int, request: Values, end: float) -> Values:
        """Make calls on a fresh copy of the object; the worker is given each after the one before."""
        made = self._ask(place, {"op": "fresh", "arguments": {}}, end)
        if "value" not in made:
            return made
        calls = ({"op": "step", "method": request["method"], "arguments": each} for each in request["steps"])
        return {"steps": [self._ask(place, call, end) for call in calls]}

    def _ask(self, place: int, request: Values, end: float) -> Values:
        tables = self._taken(request["arguments"])
        return self._worker(place).ask(request, tables, end - time.monotonic())

    def _taken(self, arguments: Values) -> dict[str, bytes]:
        names = [value["$table"] for value in arguments.values() if isinstance(value, dict) and "$table" in value]
        return {name: bytes(self._tables[name]) for name in names}

    def _located(self, request: Values) -> Values:
        """Turn names of files into paths of this box."""
        arguments = request.get("arguments", {})
        for name, value in arguments.items():
            if isinstance(value, dict) and "$path" in value:
                arguments[name] = str(checked_path(self._files, value["$path"]))
        return request

    def _worker(self, place: int) -> Worker:
        """Return a worker; in place of a dead one another that was made the same way."""
        worker = self._workers[place]
        if worker is not None:
            return worker
        with self._lock:
            self._replacements += 1
            if self._replacements > REPLACEMENTS:
                raise Died("crashed", "it has died too often")
        self._start(place)
        worker = self._workers[place]
        assert worker is not None
        for request, tables in self._setup:
            worker.ask(request, tables, self._import_seconds)
        return worker

    def _forget_dead(self) -> None:
        for place, worker in enumerate(self._workers):
            if worker is not None and worker.process.poll() is not None:
                self._workers[place] = None


def _joined(answers: list[Values]) -> bytes:
    """Join answers into one body; what does not fit any more is replaced by saying so."""
    pieces, total = [], 0
    for answer in answers:
        piece = json.dumps(answer).encode()
        if total + len(piece) > REPLY_CAP:
            piece = b'{"reason": "too_large", "message": "more bytes in all answers together than accepted"}'
        else:
            total += len(piece)
        pieces.append(piece)
    return b"[" + b",".join(pieces) + b"]"

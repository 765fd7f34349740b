"""A submission's server: started on a free port of this box's loopback, spoken to over HTTP, ended."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from grader.agent import kernel
from grader.agent.processes import TAIL, offer_to_oom_killer
from grader.agent.stream import Answer, Refused

HOST = "127.0.0.1"
BODY_CAP = 1024 * 1024
PADDING_CAP = 8 * 1024 * 1024
PIECE = 64 * 1024
TICK_SECONDS = 0.1
FOLLOW_SECONDS = 1.0  # helpers end a moment after their program, as multiprocessing's resource tracker does

Values = dict[str, Any]


class Watchdog:
    """Hangs up connections whose time is over, however slowly a server drips its answer."""

    def __init__(self) -> None:
        """Nothing is watched yet, and no thread runs."""
        self._ends: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, connection: socket.socket, end: float) -> None:
        """Hang up at a moment of the monotonic clock."""
        with self._lock:
            self._ends[connection] = end
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def forget(self, connection: socket.socket | None) -> None:
        """Stop watching."""
        with self._lock:
            if connection is not None:
                self._ends.pop(connection, None)

    def _run(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            now = time.monotonic()
            with self._lock:
                for connection in [each for each, end in self._ends.items() if end < now]:
                    self._ends.pop(connection)
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)


class Service:
    """The `service.*` and `http.*` operations of a submission box.

    Args:
        folder: The submission's folder, which is the server's working directory.
        inputs: Folder of the inputs.
        environment: Gives the environment that every program gets.
    """

    def __init__(self, folder: Path, inputs: Path, environment: Callable[[int], dict[str, str]]) -> None:
        """Nothing runs yet."""
        self._folder = folder
        self._inputs = inputs
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._printed = bytearray()
        self._printed_total = 0
        self._flooded = False
        self._oom_before = 0
        self._connections: dict[str, http.client.HTTPConnection] = {}
        self._watchdog = Watchdog()

    def start(self, header: Values, body: bytes) -> Answer:
        """Start the server; the reply does not wait for it to answer anything."""
        self.end()
        self._port = _free_port()
        folders = {"{" + name + "}": str(self._inputs / name) for name in header.get("inputs", [])}
        environment = self._environment(1) | {"PORT": str(self._port)}
        environment |= {str(key): _replaced(str(value), folders) for key, value in header["environment"].items()}
        argv = [str(word).replace("${PORT}", "$PORT").replace("$PORT", str(self._port)) for word in header["argv"]]
        self._printed.clear()
        self._printed_total, self._flooded, self._oom_before = 0, False, kernel.oom_kills()
        try:
            self._process = subprocess.Popen(
                argv,
                cwd=self._folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=offer_to_oom_killer,
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise Refused("start", f"cannot start {argv[0]!r}: {error.strerror}") from error
        threading.Thread(target=self._drain, args=(self._process, int(header["printed"])), daemon=True).start()
        return {"port": self._port}, b""

    def _drain(self, process: subprocess.Popen[bytes], cap: int) -> None:
        pipe = process.stdout
        assert pipe is not None
        with contextlib.suppress(OSError, ValueError), pipe:
            while data := os.read(pipe.fileno(), PIECE):
                self._printed_total += len(data)
                self._printed += data
                del self._printed[:-TAIL]
                if self._printed_total > cap and not self._flooded:
                    self._flooded = True
                    process.kill()

    def state(self, header: Values, body: bytes) -> Answer:
        """Say whether it runs, how it ended, and what it printed last."""
        process = self._process
        status = process.poll() if process else None
        reply = {
            "running": process is not None and status is None,
            "status": status,
            "flooded": self._flooded,
            "oom": kernel.oom_kills() > self._oom_before,
        }
        return reply, bytes(self._printed)

    def stop(self, header: Values, body: bytes) -> Answer:
        """Send a signal to the started process and wait for its end; kill it when that takes too long."""
        process = self._process
        if process is None:
            raise Refused("start", "no server was started")
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.Signals[f"SIG{header['signal']}"])
        timed_out, end = False, time.monotonic() + float(header["seconds"])
        try:
            process.wait(float(header["seconds"]))
            _await_members(process.pid, min(FOLLOW_SECONDS, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            timed_out = True
        leftovers = self.end()
        reply, printed = self.state(header, body)
        return {**reply, "timed_out": timed_out, "leftovers": leftovers}, printed

    def end(self) -> int:
        """Kill the server and all of its session; return how many other processes it had left. Idempotent."""
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()
        process = self._process
        if process is None or process is self._ended:  # its number may be another process's by now
            return 0
        left = _session_members(process.pid) - {process.pid} if process.poll() is not None else set()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        self._ended = process
        return len(left)

    def request(self, header: Values, body: bytes) -> Answer:
        """Make one HTTP request; whatever the server does, the reply is a status or the name of an error.

        `connection` names a connection that is kept for later requests; "" makes one for this request only.
        """
        end = time.monotonic() + float(header["seconds"])
        name, cap = str(header.get("connection", "")), min(int(header["cap"]), BODY_CAP)
        kept = self._connections.get(name) if name else None
        reply, data, lost = self._exchange(kept, name, header, body, end, cap)
        if lost and kept is not None:
            # A server may close an idle connection at any time; every client then makes another one.
            reply, data, _ = self._exchange(None, name, header, body, end, cap)
        return reply, data

    def _exchange(
        self,
        connection: http.client.HTTPConnection | None,
        name: str,
        header: Values,
        body: bytes,
        end: float,
        cap: int,
    ) -> tuple[Values, bytes, bool]:
        """Return the reply's header and body, and whether the connection was lost before any answer."""
        seconds = max(0.01, end - time.monotonic())
        connection = connection or http.client.HTTPConnection(HOST, self._port, timeout=seconds)
        try:
            watched = _connected(connection)
            watched.settimeout(seconds)
            self._watchdog.watch(watched, end)
            _send(connection, header, body, keep=bool(name))
            _acknowledge_at_once(watched)
            response = connection.getresponse()
            _acknowledge_at_once(watched)
            data, whole = _read(response, cap, end)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._drop(connection, name)
            lost = isinstance(error, ConnectionResetError | BrokenPipeError | http.client.RemoteDisconnected)
            return {"status": 0, "error": _named(error, end)}, b"", lost
        self._watchdog.forget(watched)
        reply: Values = {"status": response.status, "headers": _headers(response), "error": ""}
        if not whole:
            reply["error"] = "timeout" if time.monotonic() >= end else "too_large"
        if whole and name and not response.will_close:
            self._connections[name] = connection
        else:
            self._drop(connection, name)
        return reply, data, False

    def _drop(self, connection: http.client.HTTPConnection, name: str) -> None:
        self._watchdog.forget(connection.sock)
        connection.close()
        if name and self._connections.get(name) is connection:
            del self._connections[name]


def _connected(connection: http.client.HTTPConnection) -> socket.socket:
    """Return the connection's socket, connecting first where there is none."""
    if connection.sock is None:
        connection.connect()
        # Small pieces are sent as they are written; waiting for more of them would be in every time.
        made: Any = connection.sock
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection.sock


def _acknowledge_at_once(connection: socket.socket) -> None:
    """Let the kernel confirm what arrives without waiting for more; it forgets this, so it is told again and again.

    A server that writes head and body apart, and has not switched Nagle's algorithm off, as with `uvicorn --workers`,
    would wait some 40 ms for a delayed acknowledgement (RFC 9293, 3.7.4 and 3.8.6.3). That is the kernels' habit.
    """
    if hasattr(socket, "TCP_QUICKACK"):  # on Linux, where boxes are
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)


def _send(connection: http.client.HTTPConnection, header: Values, body: bytes, *, keep: bool) -> None:
    connection.putrequest(str(header["method"]), str(header["path"]), skip_host=True, skip_accept_encoding=True)
    body += b" " * min(int(header.get("padding", 0)), PADDING_CAP)
    given = [(str(key), str(value)) for key, value in header.get("headers", [])]
    names = {key.lower() for key, _ in given}
    usual = [("Host", "service"), ("Connection", "keep-alive" if keep else "close")]
    if body or header["method"] in ("POST", "PUT", "PATCH"):
        usual.append(("Content-Length", str(len(body))))
    for key, value in [*(pair for pair in usual if pair[0].lower() not in names), *given]:
        connection.putheader(key, value)
    connection.endheaders(body or None)


def _read(response: http.client.HTTPResponse, cap: int, end: float) -> tuple[bytes, bool]:
    """Read a body up to a cap and a moment; also say whether that was all of it."""
    data = bytearray()
    while piece := response.read1(PIECE):
        data += piece
        if len(data) > cap or time.monotonic() > end:
            return bytes(data[:cap]), False
    if time.monotonic() > end:  # a connection that was hung up looks like one that has ended
        return bytes(data), False
    if response.length:
        raise http.client.IncompleteRead(bytes(data), response.length)
    response.close()  # reading piece by piece does not, and then the connection could not be used again
    return bytes(data), True


def _headers(response: http.client.HTTPResponse) -> list[list[str]]:
    pairs = [[key[:100], value[:1000]] for key, value in response.getheaders()[:50]]
    return [
        [key.encode("utf-8", "replace").decode(), value.encode("utf-8", "replace").decode()] for key, value in pairs
    ]


def _named(error: BaseException, end: float) -> str:
    if isinstance(error, TimeoutError) or time.monotonic() >= end:
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, ConnectionError | http.client.RemoteDisconnected | http.client.IncompleteRead):
        return "reset"
    return "protocol"


def _replaced(text: str, folders: dict[str, str]) -> str:
    for word, folder in folders.items():
        text = text.replace(word, folder)
    return text


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _await_members(leader: int, seconds: float) -> None:
    """Wait until the other processes of an ended leader's session have ended, or some time has passed."""
    end = time.monotonic() + seconds
    while _session_members(leader) - {leader} and time.monotonic() < end:
        time.sleep(0.01)


def _session_members(leader: int) -> set[int]:
    """Living processes of a session; zombies do not count."""
    members = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[3]) == leader and fields[0] != "Z":
                    members.add(int(entry.name))
    return members

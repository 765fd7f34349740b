"""Bytes into and out of a box: bounded, with deadlines, and never stuck because the box floods.

A `BoxStream` does the waiting and the buffering; a `Carrier` knows what the bytes travel on:
Docker's multiplexed socket, or the three pipes of a child process. Everything is non-blocking.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import ssl
import struct
from collections.abc import Sequence
from enum import IntEnum
from typing import IO, Protocol

from grader.clock import Deadline
from grader.errors import InfrastructureFault

READ_AHEAD = 4 * 1024 * 1024
STDERR_KEPT = 256 * 1024
STDERR_CAP = 64 * 1024 * 1024
_CHUNK = 256 * 1024


class Pipe(IntEnum):
    """Which output of the box some bytes come from; the numbers are Docker's."""

    STDOUT = 1
    STDERR = 2


Readable = socket.socket | IO[bytes]
Pieces = list[tuple[Pipe, bytes]]


class Carrier(Protocol):
    """What the bytes of one box travel on."""

    @property
    def readers(self) -> Sequence[Readable]:
        """Everything to wait on for output; the first one brings stdout."""

    @property
    def writer(self) -> Readable:
        """What to wait on before writing."""

    def receive(self, source: Readable) -> Pieces:
        """Return what has come from one of `readers`, perhaps nothing.

        Raises:
            EOFError: Nothing will come from there any more.
            InfrastructureFault: The engine sent what it should not.
        """

    def send(self, data: memoryview) -> int:
        """Send what fits now; return how many bytes that was.

        Raises:
            EOFError: Nobody will read it.
        """

    def interrupt(self) -> None:
        """Make `receive` and `send` meet the end, from any thread."""

    def close(self) -> None:
        """Give everything back. Idempotent."""


class BoxStream:
    """Exact reads and whole writes over a carrier.

    Stdout is kept until it is asked for. While nobody waits for it, no more than `READ_AHEAD` bytes
    are taken in, so that a flood stops at the box and not in this process's memory. Of stderr the
    last `STDERR_KEPT` bytes are kept; a box that prints more than `STDERR_CAP` there is cut off.

    Args:
        carrier: Not used by anybody else.
    """

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._main = carrier.readers[0]
        self._open = set(carrier.readers)
        self._stdout = bytearray()
        self._stderr = bytearray()
        self._stderr_total = 0

    @property
    def stderr(self) -> bytes:
        """The last bytes of stderr that were read so far."""
        return bytes(self._stderr)

    def read_exactly(self, size: int, deadline: Deadline) -> bytes:
        """Return just `size` bytes of stdout.

        Raises:
            EOFError: It ended first.
            TimeoutError: The deadline passed first; what has come is kept for the next call.
        """
        while len(self._stdout) < size:
            if self._main not in self._open:
                raise EOFError(f"the box ended after {len(self._stdout)} of {size} bytes")
            self._turn(deadline, None)
        result = bytes(self._stdout[:size])
        del self._stdout[:size]
        return result

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write all of `data`, taking in output meanwhile so that neither side waits for the other.

        Raises:
            EOFError: The box is gone.
            TimeoutError: The deadline passed; a part may have been written.
        """
        left = memoryview(data)
        while left:
            if self._main not in self._open:
                raise EOFError("the box ended before everything was written")
            left = left[self._turn(deadline, left) :]

    @property
    def ended(self) -> bool:
        """Whether the box has closed its stdout."""
        return self._main not in self._open and self._stderr_total <= STDERR_CAP

    def drain(self, deadline: Deadline, *, quiet: float) -> None:
        """Read on for what stderr still says, and forget stdout.

        Args:
            deadline: When to stop at the latest.
            quiet: Seconds without a byte after which to stop; 0 takes only what has come already.
        """
        while self._open and not deadline.passed:
            self._stdout.clear()
            with selectors.DefaultSelector() as selector:
                self._register(selector, reading=True, writing=False)
                ready = selector.select(min(quiet, deadline.left))
            if not ready:
                return
            for key, _ in ready:
                self._take_in(key.data)

    def interrupt(self) -> None:
        """End the stream from another thread: whoever reads or writes meets the end of it."""
        self._carrier.interrupt()

    def close(self) -> None:
        """Give the carrier back; reading what was buffered still works."""
        self._open.clear()
        self._carrier.close()

    def _turn(self, deadline: Deadline, data: memoryview | None) -> int:
        """Wait once, take in what has come, send what fits; return how much was sent."""
        if deadline.passed:
            raise TimeoutError(f"the box did not answer within {deadline.seconds:g} s")
        sent = 0
        with selectors.DefaultSelector() as selector:
            self._register(selector, reading=data is None or len(self._stdout) < READ_AHEAD, writing=data is not None)
            for key, events in selector.select(deadline.left):
                if events & selectors.EVENT_READ:
                    self._take_in(key.data)
                if events & selectors.EVENT_WRITE and data is not None:
                    sent = self._carrier.send(data)
        return sent

    def _register(self, selector: selectors.BaseSelector, *, reading: bool, writing: bool) -> None:
        wanted: dict[Readable, int] = dict.fromkeys(self._open, selectors.EVENT_READ) if reading else {}
        if writing:
            wanted[self._carrier.writer] = wanted.get(self._carrier.writer, 0) | selectors.EVENT_WRITE
        for source, events in wanted.items():
            selector.register(source, events, source)

    def _take_in(self, source: Readable) -> None:
        try:
            pieces = self._carrier.receive(source)
        except EOFError:
            self._open.discard(source)
            return
        for pipe, piece in pieces:
            if pipe is Pipe.STDOUT:
                self._stdout += piece
            else:
                self._keep_stderr(piece)

    def _keep_stderr(self, piece: bytes) -> None:
        self._stderr += piece
        del self._stderr[:-STDERR_KEPT]
        self._stderr_total += len(piece)
        if self._stderr_total > STDERR_CAP:
            self._open.clear()


class DockerSocket:
    """The connection that attaching to a container gives: one socket, output in labelled pieces.

    Each piece has 8 bytes before it: its pipe, three zeros, its length in big endian.

    Args:
        connection: Connected and with nothing read from it; plain or TLS.
        owner: Kept alive as long as the connection is needed.
    """

    _HEAD = struct.Struct(">BxxxI")

    def __init__(self, connection: socket.socket, owner: object = None) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._owner = owner
        self._head = bytearray()
        self._pipe = Pipe.STDOUT
        self._left = 0

    @property
    def readers(self) -> Sequence[Readable]:
        """The one socket."""
        return (self._connection,)

    @property
    def writer(self) -> Readable:
        """The one socket."""
        return self._connection

    def receive(self, source: Readable) -> Pieces:
        """Take pieces off the socket; see `Carrier`."""
        try:
            # One TLS record is at most 16 KiB, so a chunk of this size leaves nothing decoded behind.
            data = self._connection.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return []
        except (OSError, ValueError) as error:
            raise EOFError("the connection to the box broke") from error
        if not data:
            raise EOFError("the connection to the box was closed")
        return self._separate(data)

    def send(self, data: memoryview) -> int:
        """Send what fits; see `Carrier`."""
        try:
            return self._connection.send(data[:_CHUNK])
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except (OSError, ValueError) as error:
            raise EOFError("the connection to the box broke") from error

    def interrupt(self) -> None:
        """Hang up; see `Carrier`."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket, and what has been built around it."""
        closer = getattr(self._owner, "close", None)
        if closer is not None:
            closer()
        self._owner = None
        self._connection.close()

    def _separate(self, data: bytes) -> Pieces:
        pieces: Pieces = []
        at = 0
        while at < len(data):
            if self._left:
                piece = data[at : at + self._left]
                pieces.append((self._pipe, piece))
                self._left -= len(piece)
                at += len(piece)
            else:
                missing = self._HEAD.size - len(self._head)
                self._head += data[at : at + missing]
                at += missing
                self._read_head()
        return pieces

    def _read_head(self) -> None:
        if len(self._head) < self._HEAD.size:
            return
        pipe, self._left = self._HEAD.unpack(self._head)
        self._head.clear()
        if pipe not in (Pipe.STDOUT, Pipe.STDERR):
            raise InfrastructureFault(
                f"the engine sent output of an unknown kind ({pipe}) from a box",
                hint="Try again; if it stays so, this engine's attach protocol is not Docker's.",
            )
        self._pipe = Pipe(pipe)


class ChildPipes:
    """The three pipes of a child process.

    Args:
        stdin: Unbuffered, as are the others.
        stdout: Where frames come from.
        stderr: Where messages come from.
    """

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], stderr: IO[bytes]) -> None:
        self._stdin = stdin
        self._pipes: dict[Readable, tuple[IO[bytes], Pipe]] = {
            stdout: (stdout, Pipe.STDOUT),
            stderr: (stderr, Pipe.STDERR),
        }
        for pipe in (stdin, stdout, stderr):
            os.set_blocking(pipe.fileno(), False)

    @property
    def readers(self) -> Sequence[Readable]:
        """Stdout and stderr."""
        return tuple(self._pipes)

    @property
    def writer(self) -> Readable:
        """Stdin."""
        return self._stdin

    def receive(self, source: Readable) -> Pieces:
        """Read one of the pipes; see `Carrier`."""
        file, pipe = self._pipes[source]
        try:
            data = os.read(file.fileno(), _CHUNK)
        except BlockingIOError:
            return []
        if not data:
            raise EOFError("the process closed its output")
        return [(pipe, data)]

    def send(self, data: memoryview) -> int:
        """Write what fits; see `Carrier`."""
        try:
            return os.write(self._stdin.fileno(), data[:_CHUNK])
        except BlockingIOError:
            return 0
        except BrokenPipeError as error:
            raise EOFError("the process closed its input") from error

    def interrupt(self) -> None:
        """Nothing to do: the pipes end with the process."""

    def close(self) -> None:
        """Close all three."""
        for pipe in (self._stdin, *(file for file, _ in self._pipes.values())):
            pipe.close()

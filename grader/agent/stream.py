"""The box's end of a frame stream, and the loop that answers requests on it.

The submission box's agent and the checker box's program both speak through this.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from grader import frames
from grader.frames import Frame

THREADS = 64  # requests that may wait at once
_OS_CODES = {
    errno.ENOSPC: "disk",
    errno.EDQUOT: "disk",
    errno.ENOENT: "missing",
    errno.EAGAIN: "pids",
    errno.ENOMEM: "oom",
}

Answer = tuple[dict[str, Any], bytes]
Handler = Callable[[dict[str, Any], bytes], Answer]


class Refused(Exception):
    """A request cannot be done; the peer gets the code and the message."""

    def __init__(self, code: str, message: str) -> None:
        """Keep code and message apart."""
        super().__init__(message)
        self.code = code
        self.message = message


class Stream:
    """Frames over two file descriptors.

    The descriptors are moved out of the way of everything that is started or imported later:
    stdin becomes empty and stdout becomes stderr, so that a stray `print` can never
    break into the stream.
    """

    def __init__(self, reader: int, writer: int) -> None:
        """Read the nonce, which the host sends before the first frame."""
        self._reader = os.fdopen(reader, "rb", buffering=256 * 1024)
        self._writer = writer
        self._nonce = self._exactly(frames.NONCE_SIZE)
        self._last_request = 0
        self._sending = threading.Lock()

    @classmethod
    def from_standard_streams(cls) -> Stream:
        """Take over stdin and stdout."""
        reader, writer = os.dup(0), os.dup(1)  # os.dup makes them close on exec
        empty = os.open(os.devnull, os.O_RDONLY)
        os.dup2(empty, 0)
        os.close(empty)
        os.dup2(2, 1)
        return cls(reader, writer)

    def _exactly(self, size: int) -> bytes:
        data = self._reader.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def read(self) -> Frame:
        """Read the next frame."""
        return frames.read_frame(self._exactly, self._nonce)

    def send(self, frame: Frame) -> None:
        """Write one frame whole; several threads may do so."""
        view = memoryview(frames.encode(frame, self._nonce))
        with self._sending:
            while view:
                view = view[os.write(self._writer, view) :]

    def request(self, op: str, header: Mapping[str, Any], body: bytes = b"") -> Frame:
        """Ask the host for something and wait for its reply.

        Raises:
            Refused: The host answered with a refusal.
        """
        self._last_request += 1
        self.send(Frame(frames.REQUEST, self._last_request, {"op": op, **header}, body))
        reply = self.read()
        if reply.request != self._last_request or reply.kind == frames.REQUEST:
            raise frames.BrokenFrame("a reply to another request")
        if reply.kind == frames.REFUSAL:
            raise Refused(str(reply.header.get("code", "")), str(reply.header.get("message", "")))
        return reply


def serve(stream: Stream, handlers: Mapping[str, Handler], side_by_side: frozenset[str] = frozenset()) -> None:
    """Answer requests until the host closes the stream.

    Args:
        stream: Where requests come from.
        handlers: What answers each operation.
        side_by_side: Operations that wait for something else; they are answered as they end, in any order.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        if side_by_side:
            pool.submit(int)  # one thread is there before a submission can use up all that it may have
        while True:
            try:
                frame = stream.read()
            except EOFError:
                return
            if frame.header.get("op") in side_by_side:
                with contextlib.suppress(RuntimeError):  # no further thread: it waits for one that is there
                    pool.submit(_answer_aside, stream, frame, handlers)
            else:
                stream.send(_answer(frame, handlers))


def _answer_aside(stream: Stream, frame: Frame, handlers: Mapping[str, Handler]) -> None:
    try:
        answer = _answer(frame, handlers)
    except Exception as error:  # in a thread nobody would ever hear of it, and the host would wait in vain
        message = f"{type(error).__name__}: {error}"[:500]
        answer = Frame(frames.REFUSAL, frame.request, {"code": "os", "message": message})
    stream.send(answer)


def _answer(frame: Frame, handlers: Mapping[str, Handler]) -> Frame:
    handler = handlers.get(str(frame.header.get("op")))
    try:
        if handler is None:
            raise Refused("unknown_op", f"unknown operation {frame.header.get('op')!r}")
        header, body = handler(frame.header, frame.body)
    except Refused as refused:
        return Frame(frames.REFUSAL, frame.request, {"code": refused.code, "message": refused.message})
    except OSError as error:
        return Frame(frames.REFUSAL, frame.request, {"code": os_code(error), "message": str(error)[:500]})
    return Frame(frames.REPLY, frame.request, header, body)


def os_code(error: OSError) -> str:
    """Name the errors that mean something to the other side."""
    return _OS_CODES.get(error.errno or 0, "os")

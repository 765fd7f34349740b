"""The host's end of a frame stream into a box: requests, replies, deadlines."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader import frames
from grader.clock import Deadline
from grader.errors import FrameError
from grader.frames import BrokenFrame, Frame
from grader.sandbox.port import Box

HELLO_SECONDS = 60.0


class Refusal(Exception):
    """The program in the box answered that it cannot do what was asked."""

    def __init__(self, code: str, message: str) -> None:
        """Keep code and message apart."""
        super().__init__(message)
        self.code = code
        self.message = message


class Channel:
    """Talks with the program in a box.

    Args:
        box: An open box whose program has not been spoken to.
    """

    def __init__(self, box: Box) -> None:
        """Send the nonce of this stream."""
        self.box = box
        self._nonce = secrets.token_bytes(frames.NONCE_SIZE)
        self._next = 0
        box.write(self._nonce, Deadline(HELLO_SECONDS))

    def send(self, frame: Frame, deadline: Deadline) -> None:
        """Write a frame.

        Raises:
            EOFError: The box is gone.
            TimeoutError: The deadline passed.
        """
        self.box.write(frames.encode(frame, self._nonce), deadline)

    def receive(self, deadline: Deadline) -> Frame:
        """Read the next frame, whatever it is.

        Raises:
            EOFError: The box is gone.
            TimeoutError: The deadline passed.
            FrameError: The bytes are not a frame of this run.
        """
        try:
            return frames.read_frame(lambda size: self.box.read_exactly(size, deadline), self._nonce)
        except BrokenFrame as error:
            raise FrameError(f"The box sent {error}.") from error

    def poll(self, wait: Deadline, deadline: Deadline) -> Frame | None:
        """Read the next frame if it begins before `wait` has passed; once begun it has until `deadline`.

        Raises:
            EOFError, TimeoutError, FrameError: As `receive`.
        """
        begun = False

        def read(size: int) -> bytes:
            nonlocal begun
            data = self.box.read_exactly(size, deadline if begun else wait)
            begun = True
            return data

        try:
            return frames.read_frame(read, self._nonce)
        except BrokenFrame as error:
            raise FrameError(f"The box sent {error}.") from error
        except TimeoutError:
            if begun or deadline.passed:
                raise
            return None

    def start(self, op: str, header: Mapping[str, Any], deadline: Deadline, body: bytes = b"") -> int:
        """Send a request without waiting for its reply; return its id."""
        self._next += 1
        self.send(Frame(frames.REQUEST, self._next, {"op": op, **header}, body), deadline)
        return self._next

    def request(self, op: str, header: Mapping[str, Any], deadline: Deadline, body: bytes = b"") -> Frame:
        """Ask for something and wait for the one reply.

        Raises:
            Refusal: The program refused.
            EOFError, TimeoutError, FrameError: As `receive`; a frame that is not the reply
                to this request counts as a broken stream.
        """
        number = self.start(op, header, deadline, body)
        reply = self.receive(deadline)
        if reply.request != number or reply.kind == frames.REQUEST:
            raise FrameError("The box sent a frame that answers no question.")
        if reply.kind == frames.REFUSAL:
            raise Refusal(str(reply.header.get("code", ""))[:80], str(reply.header.get("message", ""))[:2000])
        return reply

    def put_file(self, op: str, path: str, content: bytes, deadline: Deadline) -> None:
        """Send a whole file in pieces."""
        for offset in range(0, max(1, len(content)), frames.BODY_CAP):
            piece = content[offset : offset + frames.BODY_CAP]
            self.request(op, {"path": path, "offset": offset}, deadline, piece)

    def put_path(self, path: Path, target: str, deadline: Deadline) -> None:
        """Send a file of this machine in pieces, without ever holding more than one."""
        with path.open("rb") as file:
            offset = 0
            while (piece := file.read(frames.BODY_CAP)) or offset == 0:
                self.request("file.put", {"path": target, "offset": offset}, deadline, piece)
                offset += len(piece)
                if len(piece) < frames.BODY_CAP:
                    return

    def put_tree(self, folder: Path, target: str, deadline: Deadline) -> None:
        """Send all files below a folder of this machine; caches of Python stay behind."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                self.put_path(path, f"{target}/{path.relative_to(folder).as_posix()}", deadline)

    def get_tree(self, source: str, folder: Path, cap: int, deadline: Deadline) -> None:
        """Copy all regular files below a folder of the box into `folder`.

        Only for boxes that ran nothing of a candidate.

        Raises:
            Refusal: The folder holds something else, or a file of more than `cap` bytes.
        """
        listing = self.request("file.list", {"path": source}, deadline).header
        for name, kind, _ in listing["entries"]:
            target = folder.joinpath(*str(name).split("/"))
            if not target.resolve().is_relative_to(folder.resolve()):
                raise Refusal("path", f"{name} lies outside of the folder")
            if kind == "folder":
                target.mkdir(parents=True, exist_ok=True)
            elif kind == "file":
                target.parent.mkdir(parents=True, exist_ok=True)
                self._get_path(f"{source}/{name}", target, cap, deadline)
            else:
                raise Refusal("format", f"{name} is neither a file nor a folder")

    def _get_path(self, source: str, target: Path, cap: int, deadline: Deadline) -> None:
        with target.open("xb") as file:
            while True:
                header = {"path": source, "offset": file.tell(), "length": frames.BODY_CAP}
                reply = self.request("file.get", header, deadline)
                if file.tell() + len(reply.body) > cap:
                    raise Refusal("too_large", f"{source} holds more than {cap} bytes")
                file.write(reply.body)
                if reply.header.get("end") is True or not reply.body:
                    return

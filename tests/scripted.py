"""A sandbox whose boxes follow a script: the fake for tests that need no real box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader import frames
from grader.clock import Deadline
from grader.frames import Frame
from grader.model.run import Isolation
from grader.sandbox.port import Box, BoxSpec, Ending, Role, Usage

Script = Callable[[Frame], Sequence[Frame | bytes] | None]
"""Answers a frame with frames or raw bytes; None ends the box."""

NO_WALLS = Isolation(engine="scripted", runtime="none", seccomp="none", security_module="none", cgroups="none")


def reply(frame: Frame, body: bytes = b"", **header: Any) -> Frame:
    """The reply to a request."""
    return Frame(frames.REPLY, frame.request, header, body)


def refuse(frame: Frame, code: str, message: str = "no") -> Frame:
    """The refusal of a request."""
    return Frame(frames.REFUSAL, frame.request, {"code": code, "message": message})


@dataclass
class ScriptedBox:
    """A box that answers as its script says. Reading when nothing was answered is a time-out."""

    script: Script
    ending: Ending = field(default_factory=lambda: Ending(exit_status=0, oom=False, removed_by_us=False))
    isolation: Isolation = NO_WALLS
    closed: int = 0
    ended: bool = False
    paused: bool = False
    cpu_seconds: float = 1.5
    _nonce: bytes = b""
    _in: bytearray = field(default_factory=bytearray)
    _out: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes, deadline: Deadline) -> None:
        if self.ended:
            raise EOFError
        if not self._nonce:
            self._nonce, data = data[: frames.NONCE_SIZE], data[frames.NONCE_SIZE :]
        self._in += data
        while self._in:
            self._answer(frames.read_frame(self._take, self._nonce))

    def _take(self, size: int) -> bytes:
        piece = bytes(self._in[:size])
        del self._in[:size]
        return piece

    def _answer(self, frame: Frame) -> None:
        answers = self.script(frame)
        if answers is None:
            self.ended = True
            return
        for answer in answers:
            self._out += answer if isinstance(answer, bytes) else frames.encode(answer, self._nonce)

    def read_exactly(self, size: int, deadline: Deadline) -> bytes:
        if len(self._out) < size:
            raise EOFError if self.ended else TimeoutError
        piece = bytes(self._out[:size])
        del self._out[:size]
        return piece

    def usage(self) -> Usage:
        return Usage(cpu_seconds=self.cpu_seconds, memory=2**20, peak_memory=2**20)

    def pause(self) -> None:
        if self.ended:
            raise EOFError
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    def kill(self) -> None:
        self.ended = True

    def close(self) -> Ending:
        self.closed += 1
        self.ended = True
        return self.ending


@dataclass
class ScriptedSandbox:
    """Opens boxes that follow the script of their role, and remembers them."""

    scripts: dict[Role, Script]
    ending: Ending = field(default_factory=lambda: Ending(exit_status=0, oom=False, removed_by_us=False))
    boxes: list[ScriptedBox] = field(default_factory=list)
    stillborn: bool = False

    def open(self, spec: BoxSpec) -> Box:
        box = ScriptedBox(self.scripts[spec.role], ending=self.ending, ended=self.stillborn)
        self.boxes.append(box)
        return box


def obliging(frame: Frame) -> Sequence[Frame | bytes] | None:
    """A script that says yes to everything."""
    return [reply(frame)]

"""The port that every kind of box implements; `tests/integration/sandbox/test_conformance.py` holds them to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from grader.clock import Deadline
from grader.model.exercise import BoxLimits
from grader.model.run import Isolation


class Role(StrEnum):
    """What a box is for; it decides the image and the program inside."""

    SUBMISSION = "submission"
    CHECKER = "checker"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxSpec:
    """What to open.

    Attributes:
        role: Which program runs inside.
        image: Image reference with digest; the process adapter ignores it.
        limits: What the box may use.
        run: Id of the run, 32 hexadecimal digits; put on the container as a label.
        seconds: Hard lifetime; the reaper removes a box that is older.
    """

    role: Role
    image: str
    limits: BoxLimits
    run: str
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a box has used so far, measured from outside it.

    Attributes:
        cpu_seconds: CPU time of all its processes, user and system.
        memory: Bytes in use now by processes; files in tmpfs and page cache not counted.
        peak_memory: Highest `memory` seen by any call of `usage` so far.
    """

    cpu_seconds: float
    memory: int
    peak_memory: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a box ended.

    Attributes:
        exit_status: Exit status of its first process; None when the engine does not know.
        oom: The kernel stopped something in the box for memory.
        removed_by_us: The box was still running and `close` ended it.
        stderr: Last bytes that the box wrote to stderr; from our own programs, but inside
            a submission box never to be trusted.
    """

    exit_status: int | None
    oom: bool
    removed_by_us: bool
    stderr: bytes = b""


class Box(Protocol):
    """One open box. Not safe for use by several threads, save for `usage` and `kill`."""

    @property
    def isolation(self) -> Isolation:
        """The walls that stand around this box, as read back from the engine."""

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write all of `data` to the box's stdin.

        Raises:
            EOFError: The box has closed its end or is gone.
            TimeoutError: The deadline passed.
            InfrastructureFault: The engine failed.
        """

    def read_exactly(self, size: int, deadline: Deadline) -> bytes:
        """Return just `size` bytes from the box's stdout. Stderr is drained on the side.

        Raises:
            EOFError: The stream ended first.
            TimeoutError: The deadline passed first.
            InfrastructureFault: The engine failed.
        """

    def usage(self) -> Usage:
        """Measure from outside. Cheap enough to be called ten times a second.

        Raises:
            InfrastructureFault: The engine did not answer.
        """

    def pause(self) -> None:
        """Stop everything in the box, so that it uses no CPU until `resume`. Idempotent.

        Raises:
            EOFError: The box has ended; a process box notices that at the next read only.
            InfrastructureFault: The engine failed.
        """

    def resume(self) -> None:
        """Let a paused box go on. Idempotent.

        Raises:
            InfrastructureFault: The engine failed.
        """

    def kill(self) -> None:
        """End everything in the box now; `read_exactly` then meets the end of the stream. Idempotent."""

    def close(self) -> Ending:
        """End the box and remove every trace of it. Idempotent: a second call returns the same ending."""


class Sandbox(Protocol):
    """Something that can open boxes."""

    def open(self, spec: BoxSpec) -> Box:
        """Start a box whose first process is waiting for its first frame.

        Raises:
            EngineUnavailable: No engine answers.
            ImageMissing: The image is not there.
            InfrastructureFault: Anything else that kept the box from starting.
        """

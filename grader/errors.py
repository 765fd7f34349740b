"""The one exception tree.

GraderError                     anything grader tells a user about; knows its exit code
├── UsageError                  2  the command line or a setting is wrong
├── SubmissionRejected          3  the submission cannot be graded; never costs a run
├── InfrastructureFault         4  engine, machine or disk failed; never turned into points
│   ├── EngineUnavailable          no Docker engine answers
│   ├── ImageMissing               an image has not been built, or its build failed
│   ├── BoxLost                    a box ended without the submission being to blame
│   └── StoreFailed                the database or a kept file cannot be read or written
├── ExerciseDefect              5  the author's manifest, generator or check is wrong
└── FrameError                  4  bytes on a frame stream that no honest peer sends

Every message says what happened and where; `hint` says what to do next.
"""

from __future__ import annotations

from typing import ClassVar

from grader.model.reasons import Rejection


class GraderError(Exception):
    """Base of everything that is shown to a user without a traceback.

    Args:
        message: What happened, and where.
        hint: What to do next; may be empty.
    """

    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        """Keep the message and the hint apart, so that each output can lay them out."""
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GraderError):
    """The command line, a path in it, or a setting is wrong."""

    exit_code = 2


class SubmissionRejected(GraderError):
    """The submission cannot be graded as it is.

    Args:
        reason: Closed-list code, shown on the sheet and used by machines.
        message: What is wrong, naming the file where there is one.
        hint: What the candidate can do about it.
    """

    exit_code = 3

    def __init__(self, reason: Rejection, message: str, *, hint: str = "") -> None:
        """Keep the reason code beside the message."""
        super().__init__(message, hint=hint)
        self.reason = reason


class InfrastructureFault(GraderError):
    """The engine, the machine or the disk failed. Retried, never scored."""

    exit_code = 4


class EngineUnavailable(InfrastructureFault):
    """No Docker engine answers."""


class ImageMissing(InfrastructureFault):
    """An image is not there, or building it failed."""


class BoxLost(InfrastructureFault):
    """A box ended, and nothing points at the submission."""


class StoreFailed(InfrastructureFault):
    """The database failed, or a kept file is missing, damaged or cannot be written."""


class FrameError(GraderError):
    """A frame stream carried bytes that no honest peer sends."""


class ExerciseDefect(GraderError):
    """The exercise itself is wrong: manifest, generator or check.

    Args:
        message: What is wrong.
        file: Path inside the exercise folder, or "".
        line: Line in that file, or 0.
        hint: What the author can do about it.
    """

    exit_code = 5

    def __init__(self, message: str, *, file: str = "", line: int = 0, hint: str = "") -> None:
        """Prefix the place, as compilers do, so that editors can jump to it."""
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else ""
        super().__init__(place + message, hint=hint)
        self.file = file
        self.line = line

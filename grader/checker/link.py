"""The checker's line to the host: asks for the submission's work, reports results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader import frames
from grader.agent.stream import Refused, Stream
from grader.checker.api import SubmissionFailed
from grader.frames import Frame
from grader.model.reasons import Reason
from grader.model.result import CheckDefect, CheckResult


class HostGone(BaseException):
    """The host no longer answers. Not an Exception, so that no check can swallow it."""


def _as_failure(refused: Refused) -> SubmissionFailed | HostGone:
    try:
        return SubmissionFailed(Reason(refused.code), refused.message)
    except ValueError:  # not a reason: the host will not go on
        return HostGone(refused.message)


class Link:
    """Requests to the host, with refusals turned into failures of the submission.

    Args:
        stream: The checker box's frame stream.
    """

    def __init__(self, stream: Stream) -> None:
        """Use the stream while the host waits for the checks to end."""
        self._stream = stream

    def ask(self, op: str, header: Mapping[str, Any] | None = None, body: bytes = b"") -> Frame:
        """Ask the host, and through it the submission box.

        Raises:
            SubmissionFailed: The submission is why there is no answer.
            HostGone: The run is over.
        """
        try:
            return self._stream.request(op, header or {}, body)
        except Refused as refused:
            raise _as_failure(refused) from refused
        except (EOFError, OSError, frames.BrokenFrame) as error:
            raise HostGone from error

    def put_tree(self, source: Path, target: str, *, box: str = "submission") -> None:
        """Copy a folder (or one file) of the checker box into the submission's box, or the reference's."""
        if source.is_file():
            self._put_file(source, target, box)
            return
        self.ask("folder.make", {"path": target, "box": box})
        for path in sorted(source.rglob("*")):
            name = f"{target}/{path.relative_to(source).as_posix()}"
            if path.is_file():
                self._put_file(path, name, box)
            else:
                self.ask("folder.make", {"path": name, "box": box})

    def _put_file(self, source: Path, target: str, box: str) -> None:
        with source.open("rb") as file:
            offset = 0
            while (piece := file.read(frames.BODY_CAP)) or offset == 0:
                self.ask("file.put", {"path": target, "offset": offset, "box": box}, piece)
                offset += len(piece)
                if not piece:
                    break

    def get_file(self, path: str, target: Path, cap: int, *, box: str = "submission") -> None:
        """Copy a file of the submission's box here, or of the reference's.

        Raises:
            SubmissionFailed: There is no such regular file, or it holds more than `cap` bytes.
        """
        offset = 0
        with target.open("wb") as file:
            while True:
                reply = self.ask("file.get", {"path": path, "offset": offset, "length": frames.BODY_CAP, "box": box})
                offset += file.write(reply.body)
                if offset > cap:
                    raise SubmissionFailed(Reason.TOO_LARGE, f"{path} holds more than {cap:,} bytes.")
                if reply.header.get("end") is True or not reply.body:
                    return

    def started(self, check: str) -> None:
        """Tell the host which check begins."""
        self.ask("check.started", {"check": check})

    def result(self, result: CheckResult) -> None:
        """Report a check's result."""
        self.ask("check.result", {"result": result.model_dump(mode="json")})

    def defect(self, defect: CheckDefect) -> None:
        """Report that a check is defective."""
        self.ask("check.defect", {"defect": defect.model_dump(mode="json")})

    def unmeasured(self, check: str, because: str) -> None:
        """Report that the machine did not allow a check to be made."""
        self.ask("check.unmeasured", {"check": check, "because": because[:1000]})

    def plot(self, check: str, caption: str, svg: bytes) -> None:
        """Report a picture that belongs to a check."""
        self.ask("check.plot", {"check": check, "caption": caption}, svg)

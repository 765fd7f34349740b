"""The relay: carries bounded frames between checker box and submission box, and keeps the checker's answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from grader import frames
from grader.clock import Deadline
from grader.engine.submission_box import SubmissionBox, SubmissionFailure
from grader.errors import BoxLost, ExerciseDefect, FrameError
from grader.frames import Frame
from grader.model.exercise import Limits
from grader.model.reasons import Reason
from grader.model.result import CheckDefect, CheckResult, Plot
from grader.model.run import Party
from grader.sandbox.channel import Channel
from grader.sandbox.failures import blame_for
from grader.sandbox.port import Role

FORWARDED = frozenset({"session.open", "file.put", "folder.make", "command.run", "file.list", "file.get"})
TRANSFER_SECONDS = 60.0
BYTES_CAP = 8 * 1024**3
OWN_SHARE = 0.1  # of a run's time, kept for the checks themselves
PLOTS_CAP = 6

Report = Callable[[str, CheckResult | None], None]
"""Called with a check's id when it begins (and None) and when it ends (and its result)."""


class Relay:
    """Serves one run of the checks.

    Args:
        checker: Channel into a checker box that holds checks and hidden data.
        submission: The submission box.
        expected: Ids of all declared checks.
        limits: The exercise's limits.
        report: Told how the run goes.
    """

    def __init__(
        self,
        checker: Channel,
        submission: SubmissionBox,
        expected: tuple[str, ...],
        limits: Limits,
        report: Report,
    ) -> None:
        """Nothing has been answered yet."""
        self._checker = checker
        self._submission = submission
        self._expected = expected
        self._limits = limits
        self._report = report
        self._sent = self._received = 0
        self._deadline = Deadline(0)
        self._plots: dict[str, list[Plot]] = {}
        self.results: dict[str, CheckResult] = {}
        self.defects: dict[str, CheckDefect] = {}
        self.current: str | None = None

    def serve(self, request: dict[str, Any], deadline: Deadline) -> None:
        """Start the checks and serve them until they have ended.

        Raises:
            ExerciseDefect: The checks broke their side of the protocol, or did not end in time.
            BoxLost: The checker box ended.
            InfrastructureFault: An engine or a machine failed.
        """
        self._deadline = deadline
        try:
            number = self._checker.start("checks.run", request, deadline)
            while True:
                frame = self._checker.receive(deadline)
                if frame.kind != frames.REQUEST:
                    self._finish(frame, number)
                    return
                self._checker.send(self._answer(frame), deadline)
        except TimeoutError as error:
            place = f" Check {self.current} was running." if self.current else ""
            raise ExerciseDefect(
                f"The checks did not end within {deadline.seconds:.0f} s.{place}",
                hint="Raise limits.run_seconds in exercise.toml, or make the check quicker.",
            ) from error
        except EOFError as error:
            raise self._checker_lost() from error

    def _finish(self, frame: Frame, number: int) -> None:
        if frame.request != number:
            raise FrameError("The checker answered a question that was not asked.")
        if frame.kind == frames.REFUSAL:
            raise ExerciseDefect(f"The checks could not be run: {frame.header.get('message')}")
        missing = [name for name in self._expected if name not in self.results and name not in self.defects]
        if missing:
            raise ExerciseDefect(
                f"No answer came for {', '.join(missing)} (pytest's exit status {frame.header.get('status')}).",
                hint="Grade again with --keep and read checker.log.",
            )

    def _checker_lost(self) -> ExerciseDefect | BoxLost:
        place = f" Check {self.current} was running." if self.current else ""
        blame = blame_for(Role.CHECKER, self._checker.box.close())
        message = (blame.message if blame else "The checker box was closed while it was needed.") + place
        hint = "Grade again with --keep and read checker.log."
        if blame and blame.party is Party.AUTHOR:
            return ExerciseDefect(message, hint=blame.hint)
        return BoxLost(message, hint=hint)

    def _answer(self, frame: Frame) -> Frame:
        op = str(frame.header.get("op"))
        try:
            if op in FORWARDED:
                return self._forward(op, frame)
            self._take(op, frame)
        except SubmissionFailure as failure:
            header = {"code": failure.reason.value, "message": failure.message[:2000]}
            return Frame(frames.REFUSAL, frame.request, header)
        except (ValidationError, KeyError) as error:
            raise ExerciseDefect(f"The checker sent a {op} frame that makes no sense: {error}") from error
        return Frame(frames.REPLY, frame.request)

    def _forward(self, op: str, frame: Frame) -> Frame:
        self._sent += len(frame.body)
        if self._sent > BYTES_CAP:
            raise ExerciseDefect(f"The checks sent more than {BYTES_CAP:,} bytes to the submission.")
        if op == "session.open":
            self._submission.open_session()
            return Frame(frames.REPLY, frame.request)
        header = {key: value for key, value in frame.header.items() if key != "op"}
        seconds = TRANSFER_SECONDS
        if op == "command.run":
            seconds = self._seconds_for(float(header["seconds"]))
            header |= {"seconds": seconds, "printed": int(self._limits.printed)}
        measured = self._submission.request(op, header, frame.body, seconds)
        self._received += len(measured.reply.body)
        if self._received > BYTES_CAP:
            raise SubmissionFailure(Reason.TOO_LARGE, f"It wrote more than {BYTES_CAP:,} bytes in all.")
        answer = dict(measured.reply.header)
        answer["measured"] = {
            "seconds": measured.seconds,
            "cpu_seconds": measured.cpu_seconds,
            "peak_memory": measured.peak_memory,
        }
        return Frame(frames.REPLY, frame.request, answer, measured.reply.body)

    def _seconds_for(self, wanted: float) -> float:
        """Bound one command, so that slow commands use up the submission's time and never the checks' own."""
        left = self._deadline.left - OWN_SHARE * self._deadline.seconds
        if left <= 0:
            raise SubmissionFailure(Reason.TIMEOUT, "The time for all runs of the program together is used up.")
        return min(wanted, self._limits.command_seconds, left)

    def _take(self, op: str, frame: Frame) -> None:
        if op == "check.started":
            self.current = self._known(frame.header["check"])
            self._report(self.current, None)
        elif op == "check.plot":
            check = self._known(frame.header["check"])
            plots = self._plots.setdefault(check, [])
            if len(plots) >= PLOTS_CAP:
                raise ExerciseDefect(f"Check {check} drew more than {PLOTS_CAP} pictures.")
            plots.append(Plot(caption=frame.header["caption"], svg=frame.body.decode()))
        elif op == "check.result":
            result = CheckResult.model_validate_json(_json(frame.header["result"]))
            check = self._known(result.check)
            self.results[check] = result.model_copy(update={"plots": tuple(self._plots.get(check, ()))})
            self._report(check, self.results[check])
        elif op == "check.defect":
            defect = CheckDefect.model_validate_json(_json(frame.header["defect"]))
            self.defects[self._known(defect.check)] = defect
        else:
            raise ExerciseDefect(f"The checker asked for {op!r}, which does not exist.")

    def _known(self, check: object) -> str:
        """Refuse ids that nobody declared, and second answers."""
        if check not in self._expected:
            raise ExerciseDefect(f"The checker spoke of a check {check!r} that is not declared.")
        if check in self.results or check in self.defects:
            raise ExerciseDefect(f"Check {check} was answered twice.")
        return str(check)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()

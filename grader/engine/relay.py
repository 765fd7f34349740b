"""The relay: carries bounded frames between checker box and submission box, and keeps the checker's answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from grader import frames
from grader.clock import Deadline
from grader.engine.forwarding import Forwarder
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
        reference: The reference solution's box, where checks may compare with it.
        places: File and line of checks, by id, for complaints about them.
        begin: Called before a check begins; returns the seconds that it has kept the check waiting.
    """

    def __init__(
        self,
        checker: Channel,
        submission: SubmissionBox,
        expected: tuple[str, ...],
        limits: Limits,
        report: Report,
        reference: SubmissionBox | None = None,
        places: Mapping[str, tuple[str, int]] = MappingProxyType({}),
        begin: Callable[[str], float] = lambda _: 0.0,
    ) -> None:
        """Nothing has been answered yet."""
        self._begin = begin
        self._deadline = Deadline(0)
        self._places = places
        self._checker = checker
        self._forwarder = Forwarder(submission, reference, limits)
        self._expected = expected
        self._report = report
        self._plots: dict[str, list[Plot]] = {}
        self.results: dict[str, CheckResult] = {}
        self.defects: dict[str, CheckDefect] = {}
        self.unmeasured: dict[str, str] = {}
        self.current: str | None = None
        self.waited = 0.0
        self.some_may_be_missing = False  # where an author runs only some of the checks

    def serve(self, request: dict[str, Any], deadline: Deadline) -> None:
        """Start the checks and serve them until they have ended.

        Raises:
            ExerciseDefect: The checks broke their side of the protocol, or did not end in time.
            BoxLost: The checker box ended.
            InfrastructureFault: An engine or a machine failed.
        """
        self._deadline = deadline
        self._forwarder.begin(deadline)
        try:
            number = self._checker.start("checks.run", request, deadline)
            while True:
                frame = self._checker.receive(deadline)
                if frame.kind != frames.REQUEST:
                    self._finish(frame, number)
                    return
                self._checker.send(self._sendable(self._answer(frame), frame), deadline)
        except TimeoutError as error:
            place = f" Check {self.current} was running." if self.current else ""
            file, line = self._places.get(self.current or "", ("", 0))
            raise ExerciseDefect(
                f"The checks did not end within {deadline.seconds:.0f} s.{place}",
                file=file,
                line=line,
                hint="Raise limits.run_seconds in exercise.toml, or make the check quicker.",
            ) from error
        except EOFError as error:
            raise self._checker_lost() from error

    def _finish(self, frame: Frame, number: int) -> None:
        if frame.request != number:
            raise FrameError("The checker answered a question that was not asked.")
        if frame.kind == frames.REFUSAL:
            raise ExerciseDefect(f"The checks could not be run: {frame.header.get('message')}")
        missing = [name for name in self._expected if not self._is_answered(name)]
        problem = frame.header.get("problem")
        if missing and isinstance(problem, dict):
            raise ExerciseDefect(
                f"The checks could not be run: {problem.get('message')}",
                file=str(problem.get("file", "")),
                line=int(problem.get("line", 0)),
                hint="Correct the line and grade again.",
            )
        if missing and not self.some_may_be_missing:
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
            if self._forwarder.knows(op):
                return self._forwarder.answer(op, frame)
            self._take(op, frame)
        except SubmissionFailure as failure:
            header = {"code": failure.reason.value, "message": failure.message[:2000]}
            return Frame(frames.REFUSAL, frame.request, header)
        except (ValidationError, KeyError, TypeError, ValueError) as error:
            raise ExerciseDefect(f"The checker sent a {op} frame that makes no sense: {error}") from error
        return Frame(frames.REPLY, frame.request)

    def _sendable(self, answer: Frame, frame: Frame) -> Frame:
        """Replace an answer that does not fit a frame: only a submission that meddles with its box gives one."""
        if len(json.dumps(answer.header)) <= frames.HEADER_CAP and len(answer.body) <= frames.BODY_CAP:
            return answer
        header = {"code": Reason.PROTOCOL.value, "message": "It interfered with its answers."}
        return Frame(frames.REFUSAL, frame.request, header)

    def _take(self, op: str, frame: Frame) -> None:
        if op == "check.started":
            self.current = self._known(frame.header["check"])
            waited = self._begin(self.current)  # the checker waits for this reply, and measures nothing
            self._deadline.extend(waited)
            self.waited += waited
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
        elif op == "check.unmeasured":
            check = self._known(frame.header["check"])
            self.unmeasured[check] = str(frame.header["because"])
        elif op == "check.defect":
            defect = CheckDefect.model_validate_json(_json(frame.header["defect"]))
            self.defects[self._known(defect.check)] = defect
        else:
            raise ExerciseDefect(f"The checker asked for {op!r}, which does not exist.")

    def _is_answered(self, check: str) -> bool:
        return check in self.results or check in self.defects or check in self.unmeasured

    def _known(self, check: object) -> str:
        """Refuse ids that nobody declared, and second answers."""
        if check not in self._expected:
            raise ExerciseDefect(f"The checker spoke of a check {check!r} that is not declared.")
        if self._is_answered(str(check)):
            raise ExerciseDefect(f"Check {check} was answered twice.")
        return str(check)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()

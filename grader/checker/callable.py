"""The `submission` fixture: calls the submission's class in processes of its own, and judges nothing."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

from grader.checker.api import SubmissionFailed
from grader.checker.link import Link
from grader.checker.staging import Staging, as_stream
from grader.frames import BrokenFrame, Frame, strict_json
from grader.model.reasons import Reason

BATCH_BYTES = 64 * 1024 * 1024
BATCH_CALLS = 200


@dataclass(frozen=True, slots=True)
class BoxPath:
    """A path inside the submission's box."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one call gave.

    Attributes:
        value: What was returned, as JSON knows it; floats that are not finite are Python's own.
        error: Name of the exception's class, or "".
        bases: Names of that class and of those that it is a kind of.
        message: The exception's text, or why there is no answer.
        reason: Why there is no answer at all; None when the method returned or raised.
    """

    value: Any = None
    error: str = ""
    bases: tuple[str, ...] = ()
    message: str = ""
    reason: Reason | None = None

    @property
    def ok(self) -> bool:
        """Whether the method returned a value."""
        return not self.error and self.reason is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What calls took, measured outside of the box: wall seconds, CPU seconds, peak bytes."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0

    def plus(self, header: Mapping[str, Any]) -> Cost:
        """Add what one request cost."""
        measured = cast("dict[str, float]", header["measured"])  # added by the host
        return Cost(
            seconds=self.seconds + measured["seconds"],
            cpu_seconds=self.cpu_seconds + measured["cpu_seconds"],
            peak_memory=max(self.peak_memory, int(measured["peak_memory"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """Seconds that one call may take unless a check says otherwise, and that importing may take."""

    call: float
    start: float


class CallableSession:
    """Processes that hold one object each, all made the same way.

    Arguments of calls may be pandas data frames and Arrow tables (both arrive as data frames), `path(...)`,
    texts, numbers, booleans and None.

    Args:
        link: The line to the host.
        box: Whose box: "submission" or "reference".
        entry: `module:attribute` of the class.
        limits: How long things may take.
    """

    def __init__(self, link: Link, box: str, entry: str, limits: CallLimits) -> None:
        """Nothing is started before `restart`."""
        self._link = link
        self._box = box
        self._entry = entry
        self._limits = limits
        self._tables = Staging(lambda header, body: self._ask("calls.stage", header, body))
        self.total = Cost()
        self.last = Cost()

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of all calls since the session was opened."""
        return self.total.cpu_seconds

    @property
    def peak_memory(self) -> int:
        """Most bytes that the box held at any moment since the session was opened."""
        return self.total.peak_memory

    def restart(self, workers: int = 1) -> None:
        """Start new processes; files of the old ones stay.

        Raises:
            SubmissionFailed: The entry point cannot be imported.
        """
        self._ask("calls.open", {"workers": workers, "entry": self._entry, "seconds": self._limits.start})

    def path(self, name: str) -> BoxPath:
        """A path inside the box that methods may write to and read from."""
        return BoxPath(name)

    def construct(self, **arguments: Any) -> None:
        """Make the object in every process.

        Raises:
            SubmissionFailed: Its constructor raised.
        """
        self._value(self._everywhere("construct", "", arguments, None), "the constructor")

    def call(self, method: str, *, seconds: float | None = None, **arguments: Any) -> Any:
        """Call a method in every process, as for fitting; return what the first one returned.

        Args:
            method: What to call.
            seconds: Time for it in each process; the exercise's limit when left out.
            arguments: What it is given.

        Raises:
            SubmissionFailed: It raised, or did not answer.
        """
        return self._value(self._everywhere("setup", method, arguments, seconds), method)

    def load(self, method: str, *, seconds: float | None = None, **arguments: Any) -> None:
        """Restore the object by a method that may return one or change the one it is called on.

        Raises:
            SubmissionFailed: It raised, or did not answer.
        """
        self._value(self._everywhere("load", method, arguments, seconds), method)

    def ask(self, method: str, *, seconds: float | None = None, **arguments: Any) -> Answer:
        """Call a method in one process."""
        return self.map(method, [arguments], seconds=seconds)[0]

    def map(self, method: str, calls: Sequence[Mapping[str, Any]], *, seconds: float | None = None) -> list[Answer]:
        """Call a method once for each set of arguments, spread over the processes.

        Each process sees one call at a time. The answers are in the order of the calls.

        Args:
            method: What to call.
            calls: The arguments of each call.
            seconds: Time for one call; the exercise's limit when left out.
        """
        steps = ({"op": "call", "method": method, "arguments": dict(each)} for each in calls)
        return [_answer(found) for found in self._mapped(steps, seconds or self._limits.call)]

    def map_fresh(
        self, method: str, sequences: Sequence[Sequence[Mapping[str, Any]]], *, seconds: float | None = None
    ) -> list[list[Answer]]:
        """Make each sequence of calls on a fresh copy of the object.

        Args:
            method: What to call.
            sequences: For each copy, the arguments of its calls.
            seconds: Time for one sequence; the exercise's limit for a call when left out.
        """
        steps = (
            {"op": "sequence", "method": method, "steps": [dict(each) for each in sequence]} for sequence in sequences
        )
        found = list(self._mapped(steps, seconds or self._limits.call))
        return [_steps(each, len(sequence)) for each, sequence in zip(found, sequences, strict=True)]

    def _mapped(self, requests: Iterable[dict[str, Any]], seconds: float) -> Iterator[dict[str, Any]]:
        self.last = Cost()
        batch: list[dict[str, Any]] = []
        staged = 0
        for request in requests:
            staged += self._stage(request)
            batch.append(request)
            if len(batch) >= BATCH_CALLS or staged >= BATCH_BYTES:
                yield from self._sent(batch, seconds)
                batch, staged = [], 0
        if batch:
            yield from self._sent(batch, seconds)

    def _sent(self, batch: list[dict[str, Any]], seconds: float) -> list[dict[str, Any]]:
        header = {"seconds": seconds, "all_seconds": seconds * len(batch)}
        try:
            self._tables.send()
            reply = self._ask("calls.map", header, json.dumps(batch).encode())
        except SubmissionFailed as failure:  # the box itself is gone: so are all answers
            return [{"reason": failure.reason.value, "message": failure.because}] * len(batch)
        self.last = self.last.plus(reply.header)
        found = _json(reply.body)
        if not isinstance(found, list) or len(found) != len(batch):
            return [{"reason": Reason.PROTOCOL.value, "message": "It interfered with its answers."}] * len(batch)
        return [each if isinstance(each, dict) else {} for each in found]

    def _everywhere(self, op: str, method: str, arguments: Mapping[str, Any], seconds: float | None) -> Answer:
        request = {"op": op, "method": method, "arguments": dict(arguments)}
        self.last = Cost()
        self._stage(request)
        self._tables.send()
        header = {"seconds": seconds or self._limits.call}
        reply = self._ask("calls.everywhere", header, json.dumps(request).encode())
        self.last = self.last.plus(reply.header)
        found = _json(reply.body)
        return _answer(found if isinstance(found, dict) else {})

    def _value(self, answer: Answer, what: str) -> Any:
        if answer.ok:
            return answer.value
        said = f"{answer.error}: {answer.message}" if answer.error else answer.message
        raise SubmissionFailed(answer.reason or Reason.CRASHED, f"{what}() gave no result: {said}.")

    def _ask(self, op: str, header: Mapping[str, Any], body: bytes = b"") -> Frame:
        reply = self._link.ask(op, {**header, "box": self._box}, body)
        if "measured" in reply.header:
            self.total = self.total.plus(reply.header)
        return reply

    def _stage(self, request: dict[str, Any]) -> int:
        """Stage the tables among the arguments and put their names in their places; return their bytes."""
        total = 0
        for arguments in [request["arguments"]] if "arguments" in request else request["steps"]:
            for name, value in arguments.items():
                if isinstance(value, BoxPath):
                    arguments[name] = {"$path": value.name}
                elif value is not None and not isinstance(value, str | int | float | bool):
                    data = as_stream(value)
                    arguments[name] = {"$table": self._tables.add(data)}
                    total += len(data)
        return total


class CallableSubmission:
    """The `submission` and `reference` fixtures.

    Args:
        link: The line to the host.
        box: "submission" or "reference".
        entry: `module:attribute` of the class.
        limits: How long things may take.
    """

    def __init__(self, link: Link, box: str, entry: str, limits: CallLimits) -> None:
        """Nothing is started yet."""
        self._new: Callable[[], CallableSession] = lambda: CallableSession(link, box, entry, limits)
        self._link = link
        self._box = box

    @contextmanager
    def open(self, workers: int = 1) -> Iterator[CallableSession]:
        """Start a fresh session: an empty box, and new processes that have imported the entry point.

        Raises:
            SubmissionFailed: The entry point cannot be imported.
        """
        self._link.ask("session.open", {"box": self._box})
        session = self._new()
        session.restart(workers)
        yield session


def _json(body: bytes) -> object:
    try:
        return strict_json(body)
    except BrokenFrame:
        return None


def _answer(found: Mapping[str, Any]) -> Answer:
    """Read one answer; all of it comes from the submission's box."""
    message = found.get("message")
    told = message[:500] if isinstance(message, str) else ""
    if "value" in found:
        return Answer(value=_restored(found["value"]))
    if isinstance(found.get("error"), str):
        return Answer(error=found["error"][:80] or "Exception", bases=_names(found.get("bases")), message=told)
    try:
        reason = Reason(str(found.get("reason")))
    except ValueError:
        reason = Reason.PROTOCOL
    return Answer(reason=reason, message=told)


def _names(found: object) -> tuple[str, ...]:
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def _steps(found: Mapping[str, Any], length: int) -> list[Answer]:
    steps = found.get("steps")
    if isinstance(steps, list) and len(steps) == length and all(isinstance(each, dict) for each in steps):
        return [_answer(each) for each in steps]
    return [_answer({} if "steps" in found else found)] * length


def _restored(value: object) -> object:
    """Put floats that are not finite back in their places."""
    if isinstance(value, dict):
        if set(value) == {"$float"}:
            return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}.get(str(value["$float"]), math.nan)
        return {key: _restored(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_restored(item) for item in value]
    return value

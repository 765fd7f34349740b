"""What the checks may ask of a submission's box: each operation bounded in time, in bytes, and by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from grader import frames
from grader.clock import Deadline
from grader.engine.load import Exchange, Load, LoadOptions, LoadRequest
from grader.engine.submission_box import Measured, SubmissionBox, SubmissionFailure
from grader.errors import ExerciseDefect
from grader.frames import Frame
from grader.model.exercise import Limits
from grader.model.reasons import Reason

TRANSFER_SECONDS = 60.0
REQUEST_SECONDS = 60.0
BYTES_CAP = 8 * 1024**3
ANSWER_CAP = 1024 * 1024
OWN_SHARE = 0.1  # of a run's time, kept for the checks themselves
CONCURRENCY_CAP = 32
REQUESTS_CAP = 20_000
PAGE = 512 * 1024

# Operations of the agent that are passed on as they are, and what bounds their time.
PASSED_ON = frozenset(
    {
        "file.put", "folder.make", "file.list", "file.get", "command.run", "notebook.run",
        "calls.open", "calls.stage", "calls.everywhere", "calls.map",
        "service.start", "service.state", "service.stop", "http.request",
    }
)  # fmt: skip
TIMED = frozenset(
    {"command.run", "notebook.run", "calls.open", "calls.everywhere", "calls.map", "service.stop", "http.request"}
)
LIMITS = {
    "command.run": "command_seconds", "calls.open": "start_seconds", "calls.everywhere": "call_seconds",
    "calls.map": "call_seconds",
}  # fmt: skip
CUT_SHORT = ("timed_out", "interrupted")  # as a check may want it, to see what is left behind
PRINTING = frozenset({"command.run", "notebook.run", "calls.open", "service.start"})
BOXES = ("submission", "reference")


class Forwarder:
    """Carries out what the checks ask of the submission's box, or of the reference's.

    Args:
        submission: The candidate's box.
        reference: The reference solution's box, where the exercise has one.
        limits: The exercise's limits.
    """

    def __init__(self, submission: SubmissionBox, reference: SubmissionBox | None, limits: Limits) -> None:
        """Nothing is forwarded yet."""
        self._boxes = {"submission": submission, "reference": reference}
        self._limits = limits
        self._deadline = Deadline(0)
        self._sent = self._received = 0
        self._requests: list[LoadRequest] = []
        self._load: Load | None = None
        self._exchanges: list[Exchange] = []
        own: dict[str, Callable[[SubmissionBox, Frame], Frame]] = {
            "session.open": self._open_session,
            "box.pause": self._pause,
            "box.resume": self._resume,
            "box.usage": self._usage,
            "service.ready": self._take_ready,
            "load.stage": self._stage_load,
            "load.run": self._run_load,
            "load.start": self._start_load,
            "load.stop": self._stop_load,
            "load.take": self._take_exchanges,
        }
        self._operations = own | dict.fromkeys(PASSED_ON, self._pass_on)

    def begin(self, deadline: Deadline) -> None:
        """Know when the run must have ended."""
        self._deadline = deadline

    def knows(self, op: str) -> bool:
        """Whether this is something to forward."""
        return op in self._operations

    def answer(self, op: str, frame: Frame) -> Frame:
        """Carry out one operation.

        Raises:
            SubmissionFailure: The submission is why there is no answer.
            ExerciseDefect: The checks ask for too much, or the reference solution failed.
            InfrastructureFault: An engine or a machine failed.
        """
        self._sent += len(frame.body)
        if self._sent > BYTES_CAP:
            raise ExerciseDefect(f"The checks sent more than {BYTES_CAP:,} bytes to the submission.")
        name = str(frame.header.get("box", BOXES[0]))
        box = self._boxes.get(name)
        if box is None:
            raise ExerciseDefect(
                f"The checks asked for the box of {name!r}, which this exercise does not have.",
                hint="Name the rung under [reference] in exercise.toml.",
            )
        try:
            return self._operations[op](box, frame)
        except SubmissionFailure as failure:
            if name != BOXES[0]:
                raise ExerciseDefect(f"The reference solution failed at {op}: {failure.message}") from failure
            raise

    # -- operations of the agent ------------------------------------------------------------

    def _open_session(self, box: SubmissionBox, frame: Frame) -> Frame:
        box.open_session()
        return Frame(frames.REPLY, frame.request)

    def _pass_on(self, box: SubmissionBox, frame: Frame) -> Frame:
        op = str(frame.header["op"])
        header = {key: value for key, value in frame.header.items() if key not in ("op", "box")}
        left = self._left(box)
        seconds = min(TRANSFER_SECONDS, left)
        if op in TIMED:
            seconds = self._seconds_for(op, header, left)
            header |= {"seconds": min(seconds, float(header["seconds"]))}
            if op == "calls.map":
                header["all_seconds"] = seconds
        if op in PRINTING:
            header["printed"] = int(self._limits.printed)
        measured = box.request(op, header, frame.body, seconds)
        if op in LIMITS:
            self._note(box, op, measured, float(header["seconds"]))
        self._received += len(measured.reply.body)
        if self._received > BYTES_CAP:
            raise SubmissionFailure(Reason.TOO_LARGE, f"It wrote more than {BYTES_CAP:,} bytes in all.")
        answer = dict(measured.reply.header)
        answer["measured"] = _figures(measured)
        return Frame(frames.REPLY, frame.request, answer, measured.reply.body)

    def _note(self, box: SubmissionBox, op: str, measured: Measured, given: float) -> None:
        """Keep how near an operation came to its limit; what a check cut short with less tells nothing of it."""
        if not any(measured.reply.header.get(name) for name in CUT_SHORT):
            box.near(LIMITS[op], _taken(op, measured), given)
        elif measured.reply.header.get("timed_out") and given >= getattr(self._limits, LIMITS[op]):
            box.near(LIMITS[op], given, given)

    def _take_ready(self, box: SubmissionBox, frame: Frame) -> Frame:
        """Learn how long a server took until it was ready, which the checks alone can tell."""
        box.near("start_seconds", float(frame.header["seconds"]), float(frame.header["given"]))
        return Frame(frames.REPLY, frame.request)

    def _seconds_for(self, op: str, header: Mapping[str, Any], left: float) -> float:
        """Bound one operation, so that slow programs use up the submission's time and never the checks' own.

        A call of a method has the seconds that its check gives it: `call_seconds` is for checks that give none.
        """
        wanted = float(header.get("all_seconds", header["seconds"]))
        most = {
            "command.run": self._limits.command_seconds,
            "calls.open": self._limits.start_seconds,
            "http.request": REQUEST_SECONDS,
        }
        return min(wanted, most.get(op, left), left)

    def _left(self, box: SubmissionBox) -> float:
        """Seconds that are left for a box; the reference is the checks' own, and has their share too.

        Otherwise a slow submission would leave it nothing, and its failure would be the exercise's defect.
        """
        if box is self._boxes[BOXES[1]]:
            return max(1.0, self._deadline.left)
        left = self._deadline.left - OWN_SHARE * self._deadline.seconds
        if left <= 0:
            raise SubmissionFailure(Reason.TIMEOUT, "The time for all runs of the program together is used up.")
        return left

    # -- boxes ------------------------------------------------------------------------------

    def _pause(self, box: SubmissionBox, frame: Frame) -> Frame:
        box.pause()
        return Frame(frames.REPLY, frame.request)

    def _resume(self, box: SubmissionBox, frame: Frame) -> Frame:
        box.resume()
        return Frame(frames.REPLY, frame.request)

    def _usage(self, box: SubmissionBox, frame: Frame) -> Frame:
        usage = box.usage()
        return Frame(
            frames.REPLY,
            frame.request,
            {"cpu_seconds": usage.cpu_seconds, "memory": usage.memory, "peak_memory": usage.peak_memory},
        )

    # -- loads ------------------------------------------------------------------------------

    def _stage_load(self, box: SubmissionBox, frame: Frame) -> Frame:
        """Take requests for the next load: their headers, and all bodies one after the other."""
        offset = 0
        for header in frame.header["requests"]:
            size = int(header.pop("size"))
            self._requests.append(LoadRequest(header, frame.body[offset : offset + size]))
            offset += size
        if len(self._requests) > REQUESTS_CAP:
            raise ExerciseDefect(f"A load of more than {REQUESTS_CAP:,} requests.")
        return Frame(frames.REPLY, frame.request)

    def _new_load(self, box: SubmissionBox, frame: Frame) -> tuple[Load, float]:
        requests, self._requests = self._requests, []
        concurrency = int(frame.header["concurrency"])
        if self._load is not None or not 1 <= concurrency <= CONCURRENCY_CAP:
            raise ExerciseDefect(f"A load inside a load, or one of {concurrency} requests at once.")
        seconds = min(float(frame.header["all_seconds"]), self._left(box))
        options = LoadOptions(
            concurrency=concurrency,
            keep_alive=bool(frame.header["keep_alive"]),
            repeat=bool(frame.header.get("repeat")),
            seconds=min(float(frame.header["seconds"]), REQUEST_SECONDS),
            cap=min(int(frame.header["cap"]), ANSWER_CAP),
        )
        return box.new_load(requests, options, seconds), seconds

    def _run_load(self, box: SubmissionBox, frame: Frame) -> Frame:
        load, seconds = self._new_load(box, frame)
        measured = box.run_load(load, seconds)
        self._exchanges = load.exchanges
        return Frame(frames.REPLY, frame.request, {"measured": measured, "count": len(load.exchanges)})

    def _start_load(self, box: SubmissionBox, frame: Frame) -> Frame:
        self._load, _ = self._new_load(box, frame)
        box.carry(self._load)
        return Frame(frames.REPLY, frame.request)

    def _stop_load(self, box: SubmissionBox, frame: Frame) -> Frame:
        load, self._load = self._load, None
        if load is None:
            raise ExerciseDefect("The checks stopped a load that was not started.")
        self._exchanges = load.exchanges
        box.end_load(load, at_once=bool(frame.header.get("at_once")))
        return Frame(frames.REPLY, frame.request, {"count": len(load.exchanges)})

    def _take_exchanges(self, box: SubmissionBox, frame: Frame) -> Frame:
        """Hand the answers of the last load to the checks, a page at a time."""
        start = int(frame.header["start"])
        entries: list[list[object]] = []
        body = bytearray()
        for each in self._exchanges[start:]:
            if entries and (len(body) + len(each.body) > PAGE or len(entries) >= 500):
                break
            entries.append(
                [each.request, each.began, each.seconds, each.status, each.error, each.headers, len(each.body)]
            )
            body += each.body
        return Frame(frames.REPLY, frame.request, {"exchanges": entries}, bytes(body))


def _taken(op: str, measured: Measured) -> float:
    """Seconds of what a limit is for: of many calls, those of the longest."""
    if op != "calls.map":
        return measured.seconds
    longest = measured.reply.header.get("longest")
    return float(longest) if isinstance(longest, int | float) and 0 <= longest <= measured.seconds else 0.0


def _figures(measured: Measured) -> dict[str, float]:
    return {
        "seconds": measured.seconds,
        "cpu_seconds": measured.cpu_seconds,
        "peak_memory": measured.peak_memory,
    }

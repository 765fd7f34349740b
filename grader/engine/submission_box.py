"""The submission box as the relay sees it: replaced when it dies, measured from outside."""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from grader.clock import Deadline, monotonic
from grader.engine.load import Load, LoadOptions, LoadRequest
from grader.engine.noticing import Notices
from grader.errors import BoxLost, FrameError, InfrastructureFault
from grader.frames import Frame
from grader.model.reasons import Reason
from grader.model.run import Isolation, Nearest, Resources, Sign
from grader.model.submission import Submission
from grader.sandbox.channel import Channel, Refusal
from grader.sandbox.failures import blame_for
from grader.sandbox.port import Box, BoxSpec, Ending, Role, Sandbox, Usage

SAMPLE_SECONDS = 0.1
GRACE_SECONDS = 15.0
SESSION_SECONDS = 60.0
BOXES_CAP = 60
# Operations that are the submission at work; what they cost is sampled from outside.
MEASURED = frozenset({"command.run", "probe", "notebook.run", "calls.everywhere", "calls.map"})

_BROKEN = (Refusal, EOFError, TimeoutError, FrameError)


class SubmissionFailure(Exception):
    """The submission did something that ends what a check asked of it."""

    def __init__(self, reason: Reason, message: str) -> None:
        """Keep the reason code beside the message."""
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Measured:
    """A reply, and what its request cost as seen from outside: seconds, CPU seconds, peak bytes."""

    reply: Frame
    seconds: float
    cpu_seconds: float
    peak_memory: int


class SubmissionBox:
    """Opens a box for a submission, asks it things, and opens another one when it breaks.

    Args:
        sandbox: Where boxes come from.
        spec: What to open.
        submission: What to lay out in it.
    """

    def __init__(self, sandbox: Sandbox, spec: BoxSpec, submission: Submission) -> None:
        """Nothing is opened before the first request."""
        self._sandbox = sandbox
        self._spec = spec
        self._submission = submission
        self._channel: Channel | None = None
        self._load: Load | None = None
        self._paused = False
        self.isolation: Isolation | None = None
        self.resources = Resources()
        self.notices = Notices()
        self.last_words = b""

    def open(self) -> Channel:
        """Return the channel into the box, opening one first where there is none."""
        if self._channel is None:
            if self.resources.boxes >= BOXES_CAP:
                raise SubmissionFailure(Reason.CRASHED, "The program has broken its sandbox too often.")
            box = self._sandbox.open(self._spec)
            self._count(boxes=1)
            self.isolation = box.isolation
            try:
                self._channel = self._filled(box)
            except BaseException:
                box.close()
                raise
        return self._channel

    def _filled(self, box: Box) -> Channel:
        """Lay the submission out in a box."""
        deadline = Deadline(60)
        try:
            channel = Channel(box)
            channel.request("hello", {}, deadline)
            for file in self._submission.files:
                channel.put_file("submission.put", file.path, file.content, deadline)
            return channel
        except _BROKEN as error:
            # No line of the submission has run yet.
            raise BoxLost(
                f"The submission box did not start: {words(error)}",
                hint="Run `grader doctor`; then grade again.",
            ) from error

    def open_session(self) -> Frame:
        """Start a fresh session, in a fresh box where the old one cannot be emptied.

        Raises:
            BoxLost: Not even a box that nothing has run in could start one.
        """
        self._count(sessions=1)
        was_used = self._channel is not None
        try:
            # Libraries look at the cores of the whole machine; they are told how many are theirs.
            threads = math.ceil(self._spec.limits.cpus)
            reply = self.open().request("session.open", {"threads": threads}, Deadline(SESSION_SECONDS))
        except _BROKEN as error:
            self.replace()
            if not was_used:
                raise BoxLost(f"A fresh box failed: {words(error)}") from error
            self.notices.see(Sign.DIRTY)
            return self.open_session()
        # Processes of an earlier session are no news here: a server that nobody stopped is one of them.
        self.notices.see_reply(replace(reply, header={"unreachable": reply.header.get("unreachable")}))
        return reply

    def request(self, op: str, header: Mapping[str, Any], body: bytes, seconds: float) -> Measured:
        """Ask the agent; whatever goes wrong from here on is the submission's doing.

        Raises:
            SubmissionFailure: With a reason code.
            InfrastructureFault: The engine failed.
        """
        channel = self.open()
        sampler = _Sampler(channel.box) if op in MEASURED else None
        start, cpu_seconds, peak = monotonic(), 0.0, 0
        try:
            with self._blamed(seconds):
                reply = (
                    self._load.request(op, header, body, Deadline(seconds + GRACE_SECONDS))
                    if self._load
                    else channel.request(op, header, Deadline(seconds + GRACE_SECONDS), body)
                )
                self.notices.see_reply(reply)
        finally:
            taken = monotonic() - start
            if sampler is not None:
                cpu_seconds, peak = sampler.stop()
                self._count(wall_seconds=taken, peak_memory=peak)
        inside = reply.header.get("peak_memory")
        if sampler is not None and isinstance(inside, int) and inside < 2**50:
            peak = max(peak, inside)
            self._count(peak_memory=peak)
        return Measured(reply, taken, cpu_seconds, peak)

    @contextmanager
    def _blamed(self, seconds: float) -> Generator[None]:
        """Turn what breaks while the submission is at work into its failure, and replace a broken box.

        Raises:
            SubmissionFailure: With a reason code.
            InfrastructureFault: The engine failed.
        """
        try:
            yield
        except Refusal as refusal:
            raise SubmissionFailure(_refusal_reason(refusal.code), refusal.message) from refusal
        except TimeoutError as error:
            self.replace()
            raise SubmissionFailure(Reason.TIMEOUT, f"No answer within {seconds:.0f} s.") from error
        except FrameError as error:
            self.replace()
            self.notices.see(Sign.PROTOCOL)
            raise SubmissionFailure(Reason.PROTOCOL, error.message) from error
        except EOFError as error:
            raise self._broken(self.replace()) from error

    def usage(self) -> Usage:
        """What the box has used so far, measured from outside."""
        return self.open().box.usage()

    def pause(self) -> None:
        """Freeze the box; nothing may be asked of it until `resume`.

        Raises:
            SubmissionFailure: The box had ended: nothing but its own doing ends it between two requests.
        """
        with self._blamed(SESSION_SECONDS):
            self.open().box.pause()
        self._paused = True

    def resume(self) -> None:
        """Let the box go on."""
        self.open().box.resume()
        self._paused = False

    @contextmanager
    def frozen(self) -> Generator[None]:
        """Keep what was left running in the box from computing during the block, in which nothing is asked of it.

        Where requests run in the background it goes on, as does a box that cannot be frozen: it has ended, which the
        next request will tell.

        Raises:
            InfrastructureFault: The box cannot go on afterwards.
        """
        box = None if self._channel is None or self._load or self._paused else self._channel.box
        if box is None:
            yield
            return
        with suppress(InfrastructureFault, EOFError):
            box.pause()
        try:
            yield
        finally:
            box.resume()

    def new_load(self, requests: Sequence[LoadRequest], options: LoadOptions, seconds: float) -> Load:
        """Prepare many HTTP requests to the server in this box."""
        return Load(self.open(), requests, options, Deadline(seconds + GRACE_SECONDS))

    def run_load(self, load: Load, seconds: float) -> dict[str, float]:
        """Make all requests of a load; return what that cost, measured from outside: seconds and CPU seconds.

        Raises:
            SubmissionFailure: The box did not survive it.
        """
        before, start = self.usage().cpu_seconds, monotonic()
        with self._blamed(seconds):
            load.run()
        return {"seconds": monotonic() - start, "cpu_seconds": self.usage().cpu_seconds - before}

    def carry(self, load: Load) -> None:
        """Run a load in the background; requests go through it until `end_load`."""
        self._load = load
        load.start()

    def end_load(self, load: Load, *, at_once: bool) -> None:
        """Wait until a load in the background has made its requests, or end it after those under way.

        Raises:
            SubmissionFailure: The box did not survive it.
        """
        carried, self._load = self._load, None
        if carried is not load:  # its box has been replaced since, and whoever asked it something was told why
            with suppress(*_BROKEN):
                load.stop(at_once=True)
            return
        with self._blamed(SESSION_SECONDS):
            load.stop(at_once=at_once)

    def near(self, limit: str, seconds: float, given: float) -> None:
        """Take note of what was answered, if nothing took a larger share of a limit so far."""
        before = self.resources.nearest.get(limit)
        if given > 0 and (before is None or seconds / given > before.seconds / before.given):
            nearest = {**self.resources.nearest, limit: Nearest(seconds=round(seconds, 3), given=given)}
            self.resources = self.resources.model_copy(update={"nearest": nearest})

    def _broken(self, ending: Ending) -> SubmissionFailure:
        """Say why a box is gone.

        Raises:
            BoxLost: It was not the submission's doing.
        """
        blame = blame_for(Role.SUBMISSION, ending, self.isolation.runtime if self.isolation else "")
        if blame is None or blame.reason is None:
            message = blame.message if blame else "The submission box was closed while it was needed."
            raise BoxLost(message, hint=blame.hint if blame else "")
        return SubmissionFailure(blame.reason, blame.message)

    def replace(self) -> Ending:
        """Close the box; the next request opens another one.

        Raises:
            InfrastructureFault: The engine is gone, so nothing can be said of the submission.
        """
        channel, self._channel = self._channel, None
        self._load = None
        self._paused = False
        self.notices.forget_box()
        if channel is None:
            return Ending(exit_status=None, oom=False, removed_by_us=True)
        with suppress(InfrastructureFault):
            self._count(cpu_seconds=channel.box.usage().cpu_seconds)
        ending = channel.box.close()
        self.last_words = ending.stderr
        return ending

    def close(self) -> None:
        """Close the box for good."""
        with suppress(InfrastructureFault):
            self.replace()

    def _count(
        self,
        *,
        wall_seconds: float = 0.0,
        cpu_seconds: float = 0.0,
        peak_memory: int = 0,
        sessions: int = 0,
        boxes: int = 0,
    ) -> None:
        old = self.resources
        self.resources = Resources(
            wall_seconds=old.wall_seconds + wall_seconds,
            cpu_seconds=old.cpu_seconds + cpu_seconds,
            peak_memory=max(old.peak_memory, peak_memory),
            sessions=old.sessions + sessions,
            boxes=old.boxes + boxes,
            nearest=old.nearest,
        )


def words(error: BaseException) -> str:
    """What an exception says, or its name when it says nothing."""
    return str(error) or type(error).__name__


def _refusal_reason(code: str) -> Reason:
    known = {
        "missing": Reason.MISSING_OUTPUT,
        "disk": Reason.DISK,
        "pids": Reason.PIDS,
        "oom": Reason.OOM,
        "too_large": Reason.TOO_LARGE,
        "format": Reason.FORMAT,
    }
    by_name = {
        reason.value: reason for reason in (Reason.TIMEOUT, Reason.OUTPUT_CAP, Reason.NO_RESPONSE, Reason.PROTOCOL)
    }
    return known.get(code) or by_name.get(code, Reason.CRASHED)


class _Sampler:
    """Asks the engine again and again what a box uses, while a program runs in it."""

    def __init__(self, box: Box) -> None:
        self._box = box
        # What was used before, to fetch files or to start a session, is not the program's.
        self._cpu_before = self._cpu = box.usage().cpu_seconds
        self._peak = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self._look()

    def _look(self) -> None:
        with suppress(InfrastructureFault):  # the main thread meets the same fault and reports it
            usage = self._box.usage()
            self._cpu, self._peak = usage.cpu_seconds, max(self._peak, usage.memory)

    def stop(self) -> tuple[float, int]:
        """Return CPU seconds and peak bytes since it began; of a box that has ended, as far as it was seen."""
        self._stopped.set()
        self._thread.join()
        self._look()
        return max(0.0, self._cpu - self._cpu_before), self._peak

"""A batch: many submissions, several at once, each graded exactly once, whatever happens to one of them.

What is finished is in the ledger at once, so that a batch that was killed goes on where it was. Infrastructure faults
are tried again; the database or disk failing ends the batch, since nothing could be kept any more.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

from tenacity import Retrying, retry_if_result, stop_after_attempt, wait_exponential

from grader.engine.grade import Graded, GradingRun, Harness, Watcher
from grader.engine.jobs import Hall
from grader.engine.ordering import longest_first
from grader.engine.stoppable import StoppableSandbox
from grader.errors import GraderError, InfrastructureFault, StoreFailed, SubmissionRejected
from grader.intake.unread import unread_digest
from grader.model.exercise import Exercise
from grader.model.run import Party, RunStatus
from grader.model.sheet import ScoreSheet
from grader.model.submission import Submission
from grader.sandbox.port import Role
from grader.scoring.signing import sign
from grader.store.artefacts import Artefacts, pack
from grader.store.port import Claim, Delivery, Finished, HandIn, Ledger, Standing, run_key

ATTEMPTS = 4
"""An infrastructure fault is retried three times."""
RENEW_SECONDS = 60.0
IN_A_ROW = 5
"""So many submissions in a row that could not be graded for infrastructure reasons: is the machine broken?"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One submission of a batch.

    Attributes:
        path: Where it is, or was when it was handed in.
        place: Name of the folder for its sheet; differs for all entries of a batch.
        label: What it is called on the sheet.
        who: Whose work it is.
        variant_of: Whose variant it is graded on; None for the one shared by all.
        extra_time: Factor by which this person had more hours, if it was said; nothing else depends on it.
        read: Reads it. Raises SubmissionRejected, or UsageError when it is not there.
        series: Regrade that the run belongs to; "" for ordinary grading.
        parent: Run that is repeated, in a regrade.
    """

    path: Path
    place: str
    label: str
    who: str
    read: Callable[[], Submission]
    variant_of: str | None = None
    extra_time: float | None = None
    series: str = ""
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Generic[T]):
    """What became of an entry.

    Attributes:
        entry: The entry.
        row: What `deliver` made of its sheet; None when there is no sheet.
        party: Who has to act because the run faulted.
        reused: The run had been finished before.
        trouble: Why there is no sheet.
    """

    entry: Entry
    row: T | None = None
    party: Party | None = None
    reused: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Generic[T]):
    """How a batch is carried out.

    Attributes:
        batch: Its id in the ledger; None for a regrade.
        jobs: Runs at once.
        deliver: Writes an entry's sheet and logs to where people look; called by several threads.
        watch: Makes the watcher of an entry.
        replace: New scores count instead of those that are shown.
        back_off: Seconds before the first repetition of a faulted run; doubled each time.
        poll: Seconds between looks at what other processes carry out.
    """

    batch: str | None
    jobs: int
    deliver: Callable[[Entry, ScoreSheet, Mapping[str, bytes]], T]
    watch: Callable[[Entry], Watcher] = lambda _: Watcher()
    replace: bool = False
    back_off: float = 2.0
    poll: float = 1.0


class Stopped(Exception):
    """The batch was stopped while this entry was at work."""


@dataclass(slots=True)
class _Answer(Generic[T]):
    """From a worker: what became of an entry; None when another process carries it out."""

    entry: Entry
    done: Done[T] | None = None
    fatal: BaseException | None = field(default=None)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A run that has ended, now or earlier."""

    sheet: ScoreSheet
    logs: Mapping[str, bytes]
    reused: bool

    @property
    def party(self) -> Party | None:
        """Who has to act; the author first, since trying again does not help then."""
        parties = {fault.party for fault in self.sheet.open_faults}
        return Party.AUTHOR if Party.AUTHOR in parties else Party.INFRASTRUCTURE if parties else None


class Batch(Generic[T]):
    """Carries out a batch.

    Args:
        harness: What every run shares.
        exercise: The exercise; registered in the ledger.
        source: Its folder.
        ledger: Remembers runs.
        artefacts: Keeps submissions and logs.
        plan: How.
    """

    def __init__(
        self, harness: Harness, exercise: Exercise, source: Path, ledger: Ledger, artefacts: Artefacts, plan: Plan[T]
    ) -> None:
        """Nothing is started yet."""
        self._stopped = Event()
        self._sandbox = StoppableSandbox(harness.sandbox, self._stopped)
        self._harness = replace(harness, sandbox=self._sandbox)
        self._exercise = exercise
        self._source = source
        self._ledger = ledger
        self._artefacts = artefacts
        self._plan = plan
        self._hall = Hall(harness.cache, self._stopped)
        self._orders: SimpleQueue[Entry | None] = SimpleQueue()
        self._answers: SimpleQueue[_Answer[T]] = SimpleQueue()

    def run(self, entries: Sequence[Entry], seconds: Mapping[str, float] | None = None) -> Iterator[Done[T]]:
        """Carry out all entries; yields each when it is done, in whatever order.

        Args:
            entries: All of them.
            seconds: How long each is expected to take, by place; the longest are started first.

        Raises:
            StoreFailed: Nothing can be kept any more.
            InfrastructureFault: The machine is broken.
        """
        for entry in longest_first(entries, seconds or {}):
            self._orders.put(entry)
        workers = [Thread(target=self._work, daemon=True) for _ in range(min(self._plan.jobs, len(entries)))]
        helpers = [*workers, Thread(target=self._renew, daemon=True)]
        for thread in helpers:
            thread.start()
        try:
            yield from self._collect(len(entries))
        finally:
            self._sandbox.stop()
            for _ in workers:
                self._orders.put(None)
            for thread in helpers:
                thread.join()

    def _collect(self, left: int) -> Iterator[Done[T]]:
        elsewhere: list[Entry] = []
        in_a_row = 0
        while left:
            if elsewhere and len(elsewhere) == left:  # all others are done
                self._stopped.wait(self._plan.poll)
                while elsewhere:
                    self._orders.put(elsewhere.pop())
            try:
                answer = self._answers.get(timeout=0.2)  # now and then, for an interruption to be heard
            except Empty:
                continue
            if answer.fatal is not None:
                raise answer.fatal
            if answer.done is None:
                elsewhere.append(answer.entry)
                continue
            left -= 1
            yield answer.done
            in_a_row = in_a_row + 1 if answer.done.party is Party.INFRASTRUCTURE else 0
            if in_a_row >= max(IN_A_ROW, 2 * self._plan.jobs) and left:
                if self._grades_the_kit(answer.entry):
                    in_a_row = 0
                    continue
                raise InfrastructureFault(
                    f"{in_a_row} submissions in a row could not be graded because something on this machine failed; "
                    f"{left} are left.",
                    hint="Run `grader doctor`; then run the same command again: it goes on where it was.",
                )

    def _grades_the_kit(self, entry: Entry) -> bool:
        """Tell whether the kit, as it is handed out, can be graded: then submissions failed by their own doing."""
        alone = self._exercise.manifest.timing == "exclusive"
        run = GradingRun(self._harness, self._exercise, self._source, entry.variant_of, Watcher())
        try:
            with self._hall.place(alone=alone) as place:
                graded = run.grade(self._source / "template", place=place) if place else None
        except GraderError:
            return False
        return graded is not None and graded.sheet.status is RunStatus.GRADED

    def _renew(self) -> None:
        while not self._stopped.wait(RENEW_SECONDS):
            try:
                self._ledger.renew()
            except StoreFailed:
                continue  # whoever finishes a run will say it

    def _work(self) -> None:
        while (entry := self._orders.get()) is not None:
            if self._stopped.is_set():
                continue
            try:
                self._answers.put(_Answer(entry, self._attempt_all(entry)))
            except Stopped:
                continue
            except GraderError as error:
                # Of all that can happen to one submission, only this is no matter of its own.
                fatal = isinstance(error, InfrastructureFault)
                done: Done[T] = Done(entry=entry, trouble=error.message)
                self._answers.put(_Answer(entry, None if fatal else done, error if fatal else None))
            except Exception as error:  # a defect of ours must not cost the other submissions
                told = f"{type(error).__name__}: {error}; this is a defect of grader"
                self._answers.put(_Answer(entry, Done(entry=entry, party=Party.INFRASTRUCTURE, trouble=told)))

    def _attempt_all(self, entry: Entry) -> Done[T] | None:
        watcher = self._plan.watch(entry)
        submission, digest = self._read(entry)
        retrying = Retrying(
            retry=retry_if_result(lambda ended: ended is not None and ended.party is Party.INFRASTRUCTURE),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=self._plan.back_off, max=60),
            sleep=self._pause,
            before_sleep=lambda state: watcher.step(f"failed on our side; attempt {state.attempt_number + 1} follows"),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )
        ended: _Ended | None = retrying(self._attempt, entry, submission, digest, watcher)
        if ended is None:
            return None
        row = self._plan.deliver(entry, ended.sheet, ended.logs)
        return Done(entry=entry, row=row, party=ended.party, reused=ended.reused)

    def _pause(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise Stopped

    def _read(self, entry: Entry) -> tuple[Submission | None, str]:
        try:
            submission = entry.read()
        except SubmissionRejected as rejection:
            return None, unread_digest(entry.path, rejection)
        return submission, submission.digest

    def _attempt(self, entry: Entry, submission: Submission | None, digest: str, watcher: Watcher) -> _Ended | None:
        """Claim a run and carry it out; None when another process does."""
        run = GradingRun(self._harness, self._exercise, self._source, entry.variant_of, watcher, entry.who)
        turn = self._ledger.claim(self._claim(entry, run, digest))
        if turn.standing is Standing.TAKEN:
            watcher.step("another process is grading it")
            return None
        if turn.standing is Standing.DONE:
            return self._reuse(entry, turn.run, self._delivery(entry, submission, digest))
        try:
            alone = self._exercise.manifest.timing == "exclusive"
            with self._hall.place(alone=alone, waiting=lambda: watcher.step("waiting for its turn")) as place:
                graded = run.grade(entry.path, submission, place) if place else None
            if graded is None or self._stopped.is_set():
                raise Stopped
            delivery = self._delivery(entry, submission, digest)
            if not self._ledger.finish(run.id, self._finished(graded), delivery):
                return None  # it was taken away; who has it now finishes it
        except BaseException:
            self._ledger.drop(run.id)
            raise
        watcher.step(graded.sheet.status.value)
        return _Ended(graded.sheet, graded.logs, reused=False)

    def _claim(self, entry: Entry, run: GradingRun, digest: str) -> Claim:
        images = images_of(self._harness)
        commitment = run.variant.commitment
        key = run_key(submission=digest, exercise=self._exercise.digest, images=images, commitment=commitment)
        return Claim(
            run=run.id,
            key=key,
            exercise=self._exercise.digest,
            submission=digest,
            commitment=commitment,
            images=images,
            harness=self._harness.digest,
            series=entry.series,
            parent=entry.parent,
        )

    def _delivery(self, entry: Entry, submission: Submission | None, digest: str) -> Delivery:
        hand_in = HandIn(
            candidate=entry.who,
            label=entry.label,
            digest=digest,
            artefact=self._artefacts.put(pack(submission)) if submission else None,
            variant_of=entry.variant_of,
            extra_time=entry.extra_time,
        )
        return Delivery(batch=self._plan.batch, place=entry.place, hand_in=hand_in, replace=self._plan.replace)

    def _finished(self, graded: Graded) -> Finished:
        logs = {name: self._artefacts.put(content) for name, content in graded.logs.items() if content}
        return Finished(sheet=graded.sheet, fractions=graded.fractions, logs=logs)

    def _reuse(self, entry: Entry, run: str, delivery: Delivery) -> _Ended:
        """Take a run that was finished before, on a sheet with this entry's names."""
        sheet = self._ledger.sheet_of(run)
        if (sheet.candidate, sheet.submission) != (entry.who, entry.label) or sheet.signature is None:
            renamed = sheet.model_copy(update={"candidate": entry.who, "submission": entry.label})
            sheet = sign(renamed, self._harness.keyring.signing_key())
        sheet = self._ledger.record(delivery, sheet)
        logs = {name: self._artefacts.get(digest) for name, digest in self._ledger.logs_of(run).items()}
        return _Ended(sheet, logs, reused=True)


def images_of(harness: Harness) -> dict[str, str]:
    """The images of a harness, as sheets and keys name them."""
    return {Role(role).value: image for role, image in harness.images.items()}


def fresh_series() -> str:
    """A series of its own: everything in it is graded anew."""
    return secrets.token_hex(16)

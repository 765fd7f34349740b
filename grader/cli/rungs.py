"""What `prove` and `calibrate` share: grading many rungs with a bar, and side by side where that is sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from threading import Event, Lock
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from grader.author.proof import Proof
from grader.catalog.ladder import Rung
from grader.cli.console import err
from grader.engine.batch import IN_A_ROW
from grader.engine.jobs import Hall
from grader.engine.stoppable import StoppableSandbox
from grader.errors import InfrastructureFault

if TYPE_CHECKING:
    from grader.author.expectations import Earned
    from grader.engine.grade import Harness

Work = tuple[Proof, Rung, str, int]
"""Proof, rung, candidate, repeat."""


def grade_rungs(harness: Harness, work: Sequence[Work], jobs: int = 1) -> None:
    """Grade what has not been graded before.

    Args:
        harness: What runs share.
        work: What is to be graded, in this order.
        jobs: How many at once. Whole runs of an exercise that says that its timing is exclusive are alone
            whatever is said here, and so are timed checks of the others.

    Raises:
        ExerciseDefect: The generator of an exercise is not deterministic, gives everybody the same, or fails; or
            its public checks call a solution wrong that should earn everything.
        InfrastructureFault: An engine or a machine failed, so that several runs in a row had no result.
    """
    stopped = Event()
    faults = _FaultsInARow(max(IN_A_ROW, 2 * jobs), stopped)
    stoppable = StoppableSandbox(harness.sandbox, stopped)
    harness, hall = replace(harness, sandbox=stoppable), Hall(harness.cache, stopped)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = err()
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(work))

        def report(text: str) -> None:
            progress.update(bar, description=text)
            if not console.is_terminal:
                console.print(text, style="dim", markup=False)

        def grade(each: Work) -> None:
            proof, rung, candidate, repeat = each
            alone = proof.exercise.manifest.timing == "exclusive"
            with hall.place(alone=alone, waiting=lambda: report("waiting for other runs to end")) as place:
                if place:
                    faults.note(proof.prove(harness, rung, candidate, repeat, report, place))
                    progress.advance(bar)

        for exercise, (proof, candidates) in _candidates_of_each(work).items():
            with hall.place(alone=False, waiting=lambda: report("waiting for other runs to end")):
                report(f"{exercise}: looking at its generator")
                proof.verify_generator(harness, candidates, report)
                proof.verify_public_checks(harness, report)
        if jobs == 1:
            for each in work:
                grade(each)
        else:
            _side_by_side(work, jobs, grade, stoppable)


class _FaultsInARow:
    """Ends the work when run after run fails by the machine: it is broken then, and what came next would be wasted."""

    def __init__(self, most: int, stopped: Event) -> None:
        self._most, self._stopped = most, stopped
        self._in_a_row, self._lock = 0, Lock()

    def note(self, earned: Earned) -> None:
        with self._lock:
            self._in_a_row = self._in_a_row + 1 if earned.failed_by_the_machine else 0
            if self._in_a_row >= self._most:
                self._stopped.set()
                raise InfrastructureFault(
                    f"{self._in_a_row} runs in a row failed because of this machine, the last one so: "
                    f"{'; '.join(earned.faults)}",
                    hint="Run `grader doctor`; then run the same command again: it goes on where it was.",
                )


def _side_by_side(work: Sequence[Work], jobs: int, grade: Callable[[Work], None], stoppable: StoppableSandbox) -> None:
    """Grade several at once; the first that fails, or an interruption, ends every box: nobody waits for what runs."""
    with ThreadPoolExecutor(jobs) as pool:
        waiting = [pool.submit(grade, each) for each in work]
        try:
            for one in as_completed(waiting):
                one.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            stoppable.stop()
            raise


def _candidates_of_each(work: Sequence[Work]) -> dict[str, tuple[Proof, list[str]]]:
    found: dict[str, tuple[Proof, list[str]]] = {}
    for proof, _, candidate, _ in work:
        _, candidates = found.setdefault(proof.exercise.id, (proof, []))
        if candidate not in candidates:
            candidates.append(candidate)
    return found

"""What `prove` and `calibrate` share: grading many rungs with a bar, and side by side where that is sound."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from grader.author.proof import Proof
from grader.catalog.ladder import Rung
from grader.cli.console import err

if TYPE_CHECKING:
    from grader.engine.grade import Harness

Work = tuple[Proof, Rung, str, int]
"""Proof, rung, candidate, repeat."""


def grade_rungs(harness: Harness, work: Sequence[Work], jobs: int = 1) -> None:
    """Grade what has not been graded before.

    Args:
        harness: What runs share.
        work: What is to be graded, in this order.
        jobs: How many at once. More than one distorts times, so only where no check measures any.

    Raises:
        ExerciseDefect: The generator of an exercise is not deterministic, or fails.
        InfrastructureFault: An engine or a machine failed.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = err()
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(work))

        def report(text: str) -> None:
            progress.update(bar, description=text)
            if not console.is_terminal:
                console.print(text, style="dim", markup=False)

        def grade(each: Work) -> None:
            proof, rung, candidate, repeat = each
            proof.prove(harness, rung, candidate, repeat, report)
            progress.advance(bar)

        for exercise, (proof, candidate) in _first_of_each(work).items():
            report(f"{exercise}: looking at its generator")
            proof.verify_generator(harness, candidate, report)
        with ThreadPoolExecutor(jobs) as pool:
            waiting = [pool.submit(grade, each) for each in work]
            try:
                for one in waiting:
                    one.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _first_of_each(work: Sequence[Work]) -> dict[str, tuple[Proof, str]]:
    found: dict[str, tuple[Proof, str]] = {}
    for proof, _, candidate, _ in work:
        found.setdefault(proof.exercise.id, (proof, candidate))
    return found

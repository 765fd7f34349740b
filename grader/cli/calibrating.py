"""What `grader author calibrate` does: run what is missing, and write the page."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader import clock
from grader.author import calibration
from grader.author.calibration import Scope
from grader.author.mutants import Mutant, mutants_of
from grader.author.proof import Proof
from grader.catalog.calibration import FILE as FIGURES
from grader.catalog.ladder import SOLUTIONS, RungKind
from grader.cli.console import err, out
from grader.cli.proving import folders_of
from grader.cli.rungs import grade_rungs
from grader.errors import ExerciseDefect, InfrastructureFault, UsageError
from grader.wiring import open_harness

if TYPE_CHECKING:
    from grader.author.expectations import Earned
    from grader.config import Settings

PAGE, PICTURE, RUNS = "CALIBRATION.md", "calibration.svg", "calibration.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Which exercise is calibrated, and how much is run."""

    name: str
    scope: Scope
    mutants: int
    rungs: str = ""
    jobs: int = 1
    fresh: bool = False


def calibrate(settings: Settings, order: Order) -> int:
    """Grade what a calibration needs and was not graded before; write what it shows, and the runs, into the exercise.

    Returns the exit status: not 0 where a run has no result, so that the page is not complete.

    Runs that an earlier calibration left in the exercise count, wherever they were made: ladders are graded on the
    same worlds everywhere.

    Raises:
        UsageError: There is no such exercise or rung, or the exercise's folder cannot be written.
        ExerciseDefect: The exercise, its ladder or its generator is wrong.
        InfrastructureFault: An engine or a machine failed; what is finished is kept.
    """
    (source,) = folders_of([order.name], settings)
    proof = Proof.of(source, settings.cache_dir / "prove", order.rungs)
    if not any(rung.expected.rung is RungKind.REFERENCE for rung in proof.rungs):
        raise UsageError("The reference is not among the rungs; everything is compared with it.", hint="Name it, too.")
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError("The picture needs matplotlib.", hint="Type: pip install 'grader[author]'")
    if not order.fresh:
        proof.recall(source / RUNS)
        proof.recall()
    mutants = _mutants(proof, order.mutants)
    work = [(proof, *each) for each in calibration.work_of(proof, mutants, order.scope)]
    with open_harness(settings, lambda text: err().print(text, style="dim", markup=False)) as harness:
        grade_rungs(harness, work, order.jobs)
    missing = [earned for earned in proof.known.values() if earned.status == "faulted"]
    for earned in missing:
        told_once = f"{earned.rung} ({earned.candidate}) has no total: {'; '.join(earned.faults)}"
        err().print(told_once, style="yellow", markup=False, soft_wrap=True)
    _write(source, _files(proof, mutants, order))
    if order.rungs:
        told = f"{FIGURES} stays as it is: score sheets take their error band from a calibration of the whole ladder."
        err().print(told, style="dim", markup=False, soft_wrap=True)
    return _status(missing)


def _files(proof: Proof, mutants: Sequence[Mutant], order: Order) -> dict[str, str]:
    """Name to content of what is written; figures only where all rungs were graded, as score sheets rest on them."""
    reference = next(rung for rung in proof.rungs if rung.expected.rung is RungKind.REFERENCE)
    first = proof.known[reference.name, order.scope.candidates[0], 1]
    if first.status != "graded":
        what = f"the reference is {first.status}: {'; '.join(first.faults) or first.reason}"
        hint = "Everything is compared with it, so nothing was written. What is finished is kept."
        if first.failed_by_the_machine:
            raise InfrastructureFault(what, hint=hint)
        raise ExerciseDefect(what, file=f"{SOLUTIONS}/{reference.name}", hint=hint)
    told = (proof, mutants, order.scope, clock.now())
    files = {
        PAGE: calibration.render(*told, part=bool(order.rungs)),
        PICTURE: calibration.picture(proof, order.scope),
        RUNS: "".join(run.model_dump_json() + "\n" for run in calibration.lasting(proof)),
    }
    return files if order.rungs else {**files, FIGURES: calibration.measured(*told).model_dump_json(indent=1) + "\n"}


def _status(missing: Sequence[Earned]) -> int:
    """The exit status: who has to act before the page is complete."""
    if not missing:
        return 0
    return (InfrastructureFault if all(each.failed_by_the_machine for each in missing) else ExerciseDefect).exit_code


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        draft = folder / f".{name}.{os.getpid()}"
        try:
            draft.write_text(text, encoding="utf-8")
            draft.replace(folder / name)  # whoever grades meanwhile reads a whole one
        except OSError as error:
            raise UsageError(f"{folder / name} cannot be written: {error.strerror}") from error
        out().print(str(folder / name), markup=False, soft_wrap=True)


def _mutants(proof: Proof, most: int) -> list[Mutant]:
    reference = next(rung for rung in proof.rungs if rung.expected.rung is RungKind.REFERENCE)
    return mutants_of(reference, most) if most else []

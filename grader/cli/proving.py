"""What `grader author prove` does: grade ladders with progress, print the tables, tell what is not as expected."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from grader import clock
from grader.author import matrix_page
from grader.author.proof import Proof
from grader.author.tables import agreement, matrix, spread
from grader.catalog.exercises import resolve, some_exercises
from grader.cli.console import PlainConsole, err, fitting, out
from grader.cli.rungs import Work, grade_rungs
from grader.errors import ExerciseDefect, InfrastructureFault, UsageError
from grader.wiring import open_harness

if TYPE_CHECKING:
    from grader.config import Settings

WIDTH = 140
"""Columns of text where no terminal says how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be proved, and how."""

    names: Sequence[str]
    rungs: str
    variants: int
    repeats: int
    fresh: bool
    html: Path | None
    jobs: int = 1


def folders_of(names: Sequence[str], settings: Settings) -> list[Path]:
    """Return the folders of exercises that are named by id or by path; of all when none is named.

    Raises:
        UsageError: There is no such exercise, or none at all.
    """
    if not names:
        return list(some_exercises(settings.exercises).values())
    return [
        # `.` has no name that findings and figures could go by.
        (Path(name) if Path(name).name else Path(name).resolve())
        if (Path(name) / "exercise.toml").is_file()
        else resolve(name, settings.exercises)
        for name in names
    ]


def prove_all(settings: Settings, order: Order) -> int:
    """Grade what the order names, print the tables, and return the exit status."""
    proofs = [
        Proof.of(folder, settings.cache_dir / "prove", order.rungs) for folder in folders_of(order.names, settings)
    ]
    candidates = [f"v{number}" for number in range(1, order.variants + 1)]
    for proof in proofs:
        if not order.fresh:
            proof.recall()
    with open_harness(settings, lambda text: err().print(text, style="dim", markup=False)) as harness:
        grade_rungs(harness, _work(proofs, candidates, order.repeats), order.jobs)
    console = out(None if sys.stdout.isatty() else WIDTH)
    found = [line for proof in proofs for line in _show(proof, candidates, order.repeats, console)]
    if order.html is not None:
        _write(order.html, proofs, candidates)
    for each in found:
        console.print(Text(each.told, "red"))
    if all(each.by_the_machine for each in found):
        return InfrastructureFault.exit_code if found else 0
    return ExerciseDefect.exit_code


def _work(proofs: Sequence[Proof], candidates: Sequence[str], repeats: int) -> list[Work]:
    work: list[Work] = []
    for proof in proofs:
        work += [(proof, rung, candidate, 1) for candidate in candidates for rung in proof.rungs]
        work += [(proof, rung, candidates[0], again) for again in range(2, repeats + 1) for rung in proof.rungs]
    return work


@dataclass(frozen=True, slots=True)
class _Unexpected:
    """What a rung did otherwise than expected, and whether an engine or a machine is at fault."""

    told: str
    by_the_machine: bool


def show_matrix(proof: Proof, candidate: str, console: PlainConsole) -> None:
    """Print the matrix of a variant, with points by group where there is room."""
    layouts = [partial(matrix, proof, candidate, groups=groups) for groups in (True, False)]
    place, table, least = fitting(console, layouts)
    console.print(table)
    if place:
        told = f"A terminal of {least[0]} columns shows points by group, too; --html shows every check."
        console.print(Text(told, "dim"), soft_wrap=True)


def _show(proof: Proof, candidates: Sequence[str], repeats: int, console: PlainConsole) -> list[_Unexpected]:
    found: list[_Unexpected] = []
    for candidate in candidates:
        show_matrix(proof, candidate, console)
        for again in range(1, repeats + 1 if candidate == candidates[0] else 2):
            for rung in proof.rungs:
                by_the_machine = proof.known[rung.name, candidate, again].failed_by_the_machine
                time = f", time {again}" if again > 1 else ""
                what = f"{proof.exercise.id}, {candidate}{time}: {rung.name}"
                found += [_Unexpected(f"{what} {told}", by_the_machine) for told in proof.found(rung, candidate, again)]
    if len(candidates) > 1:
        console.print(spread(proof, candidates))
    if repeats > 1:
        console.print(agreement(proof, candidates[0], repeats))
    return found


def _write(file: Path, proofs: Sequence[Proof], candidates: Sequence[str]) -> None:
    pages = [matrix_page.page_of(proof, candidate) for proof in proofs for candidate in candidates]
    try:
        file.write_text(matrix_page.render(pages, clock.now()), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from error

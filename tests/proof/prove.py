"""Grade solution ladders for real and hold every rung to its expectation.

    python -m tests.proof.prove [EXERCISE ...] [--rungs a,b] [--candidates v1,v2,v3] [--repeats 3]

Each candidate name gives a variant of its own; without names all shipped exercises are proved. Every
finished run is appended to a file, so that an interrupted proof goes on where it stopped; a run is
repeated when the rung or the exercise has changed, or with --fresh. Prints the matrix of each variant,
the spread over variants, and with --repeats how well the same run agrees with itself. Exit status 1
when a rung does not do what its `expected.toml` says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from grader.catalog.exercises import find_exercises
from grader.catalog.ladder import Rung
from grader.config import load_settings
from grader.engine.grade import Harness
from grader.errors import GraderError
from grader.wiring import open_harness
from tests.proof.records import Proof
from tests.proof.tables import agreement, matrix, spread

CANDIDATES = "v1,v2,v3"
WIDTH = 140
"""Columns of text where no terminal says how many there are."""

Work = tuple[Proof, Rung, str, int]


def main(arguments: Sequence[str]) -> int:
    """Prove exercises; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.prove", description="Grade solution ladders.")
    parser.add_argument("exercises", nargs="*", metavar="EXERCISE", help="all shipped ones when left out")
    parser.add_argument("--rungs", default="", help="names, separated by commas; all when left out")
    parser.add_argument("--candidates", default=CANDIDATES, help=f"names, separated by commas; default: {CANDIDATES}")
    parser.add_argument("--repeats", type=int, default=1, help="times to grade the first candidate's variant")
    parser.add_argument("--fresh", action="store_true", help="forget earlier runs of these rungs")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        return prove(options, console)
    except GraderError as error:
        console.print(Text(f"{error.message} {error.hint}"), style="red")
        return error.exit_code


def prove(options: argparse.Namespace, console: Console) -> int:
    """Grade what the options name, print the tables, and tell whether all is as expected."""
    settings = load_settings()
    names = options.exercises or list(find_exercises(settings.exercises))
    proofs = [Proof.of(name, settings.exercises, options.rungs) for name in names]
    candidates: list[str] = options.candidates.split(",")
    for proof in proofs:
        if not options.fresh:
            proof.recall()
    with open_harness(settings, console.print) as harness:
        _grade(harness, list(_work(proofs, candidates, options.repeats)), console)
    found: list[str] = []
    for proof in proofs:
        for candidate in candidates:
            console.print(matrix(proof, candidate))
            found += [f"{proof.exercise.id}, {candidate}: {told}" for told in _told(proof, candidate)]
        if len(candidates) > 1:
            console.print(spread(proof, candidates))
        if options.repeats > 1:
            console.print(agreement(proof, candidates[0], options.repeats))
    for line in found:
        console.print(Text(line, "red"))
    return int(bool(found))


def _work(proofs: Sequence[Proof], candidates: Sequence[str], repeats: int) -> list[Work]:
    work: list[Work] = []
    for proof in proofs:
        work += [(proof, rung, candidate, 1) for candidate in candidates for rung in proof.rungs]
        work += [(proof, rung, candidates[0], again) for again in range(2, repeats + 1) for rung in proof.rungs]
    return work


def _grade(harness: Harness, work: Sequence[Work], console: Console) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("grading", total=len(work))
        for proof, rung, candidate, repeat in work:
            proof.prove(harness, rung, candidate, repeat, console)
            progress.advance(bar)


def _told(proof: Proof, candidate: str) -> list[str]:
    return [f"{rung.name} {told}" for rung in proof.rungs for told in proof.found(rung, candidate)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

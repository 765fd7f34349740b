"""Grade the solution ladder of an exercise for real and hold every rung to its expectation.

    python -m tests.proof.prove clean_parquet [--rungs a,b] [--candidates v1,v2,v3]

Each candidate name gives a variant of its own. Every finished run is appended to a file, so that
an interrupted proof goes on where it stopped; a run is repeated when the rung or the exercise has
changed, or with --fresh. Exit status 1 when a rung does not do what its `expected.toml` says.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.catalog.exercises import load_exercise, resolve
from grader.catalog.ladder import Rung, load_ladder, materialise
from grader.config import load_settings
from grader.engine.grade import GradingRun, Harness, Watcher
from grader.errors import GraderError, UsageError
from grader.intake.receive import receive
from grader.model.exercise import Exercise
from grader.wiring import open_harness
from tests.proof.expectations import Earned, earned_by, violations

RECORDS = Path("build/prove")
CANDIDATES = "v1,v2,v3"
WIDTH = 120
"""Columns of text where no terminal says how many there are."""


@dataclass(slots=True, kw_only=True)
class Proof:
    """Grades rungs and remembers what they earned.

    Attributes:
        exercise: The exercise.
        source: Its folder.
        file: Where finished runs are appended.
        console: Where progress is told.
        known: Finished runs, by rung and candidate.
    """

    exercise: Exercise
    source: Path
    file: Path
    console: Console
    known: dict[tuple[str, str], Earned] = field(default_factory=dict)

    def recall(self) -> None:
        """Read the runs that were finished before; a line that was cut short is no run."""
        lines = self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []
        for line in lines:
            try:
                earned = Earned.model_validate_json(line)
            except ValueError:
                continue
            self.known[earned.rung, earned.candidate] = earned

    def prove(self, harness: Harness, rung: Rung, candidate: str) -> None:
        """Grade a rung on a candidate's variant, unless the same was done before."""
        with tempfile.TemporaryDirectory(prefix="grader-prove-") as workshop:
            folder = Path(workshop) / rung.name
            materialise(rung, folder)
            before = self.known.get((rung.name, candidate))
            if before and (before.submission, before.exercise) == (receive(folder).digest, self.exercise.digest):
                return
            self.console.print(f"{candidate}: {rung.name} …", style="dim")
            run = GradingRun(harness, self.exercise, self.source, candidate, Watcher())
            earned = earned_by(run.grade(folder).sheet, rung.name, candidate)
        self.known[rung.name, candidate] = earned
        if earned.status != "faulted":  # a faulted run is repeated next time
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as file:
                file.write(earned.model_dump_json() + "\n")

    def found(self, rung: Rung, candidate: str) -> list[str]:
        """What a rung did otherwise than expected."""
        earned = self.known[rung.name, candidate]
        return list(violations(rung.expected, earned, self.known.get((rung.expected.parent, candidate))))

    def matrix(self, rungs: Iterable[Rung], candidate: str) -> Table:
        """One line per rung: points by check group, total, band and seconds."""
        title = f"{self.exercise.id} {self.exercise.manifest.version}, variant of {candidate}"
        table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)
        table.add_column("rung", no_wrap=True)
        for group in self.exercise.manifest.groups:
            table.add_column(group, justify="right", no_wrap=True)
        for title in ("total", "band", "s"):
            table.add_column(title, justify="right", no_wrap=True)
        for rung in rungs:
            table.add_row(*self._cells(rung, candidate))
        return table

    def _cells(self, rung: Rung, candidate: str) -> Iterator[Text]:
        earned, found = self.known[rung.name, candidate], self.found(rung, candidate)
        yield Text(rung.name, "red" if found else "green")
        for group in self.exercise.manifest.groups:
            yield Text(_points(earned.groups.get(group)))
        yield Text(earned.reason or _points(earned.percent))
        yield Text("rejected" if rung.expected.status == "rejected" else "{:g}-{:g}".format(*rung.expected.band))
        yield Text(f"{earned.seconds:.0f}")


def _points(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def chosen(ladder: Sequence[Rung], names: str) -> list[Rung]:
    """Return the rungs that were asked for, each after its parent.

    Raises:
        UsageError: One of them does not exist.
    """
    by_name = {rung.name: rung for rung in ladder}
    wanted = [name for name in names.split(",") if name] or list(by_name)
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise UsageError(f"There is no rung {unknown[0]!r}.", hint=f"There are: {', '.join(by_name)}.")
    parents = [by_name[name].expected.parent for name in wanted]
    return [by_name[name] for name in dict.fromkeys([*filter(None, parents), *wanted])]


def main(arguments: Sequence[str]) -> int:
    """Prove an exercise; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.proof.prove", description="Grade a solution ladder.")
    parser.add_argument("exercise")
    parser.add_argument("--rungs", default="", help="names, separated by commas; all when left out")
    parser.add_argument("--candidates", default=CANDIDATES, help=f"names, separated by commas; default: {CANDIDATES}")
    parser.add_argument("--fresh", action="store_true", help="forget earlier runs of these rungs")
    options = parser.parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        return prove(options, console)
    except GraderError as error:
        console.print(Text(f"{error.message} {error.hint}"), style="red")
        return error.exit_code


def prove(options: argparse.Namespace, console: Console) -> int:
    """Grade what the options name, print a matrix per candidate, and tell whether all is as expected."""
    settings = load_settings()
    source = resolve(options.exercise, settings.exercises)
    rungs = chosen(load_ladder(source), options.rungs)
    file = RECORDS / f"{options.exercise}.jsonl"
    proof = Proof(exercise=load_exercise(source), source=source, file=file, console=console)
    if not options.fresh:
        proof.recall()
    candidates = options.candidates.split(",")
    with open_harness(settings, console.print) as harness:
        for candidate in candidates:
            for rung in rungs:
                proof.prove(harness, rung, candidate)
    for candidate in candidates:
        console.print(proof.matrix(rungs, candidate))
    found = [
        f"{candidate}: {rung.name} {told}"
        for candidate in candidates
        for rung in rungs
        for told in proof.found(rung, candidate)
    ]
    for line in found:
        console.print(Text(line, "red"))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

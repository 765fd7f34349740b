"""Measures what the harness costs; prints figures, passes no judgement.

`python -m tests.bench [--repeats N] [--exercise ID]`. Seconds depend on the machine: compare
only figures of one run.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from grader import clock
from grader.catalog.exercises import load_exercise
from grader.catalog.ladder import load_ladder, materialise
from grader.catalog.seeds import variant_for
from grader.clock import monotonic
from grader.config import load_settings
from grader.engine.boxes import Boxes
from grader.engine.submission_box import SubmissionBox
from grader.engine.variants import VariantStore
from grader.intake.receive import receive
from grader.model.exercise import Limits
from grader.sandbox.port import Role
from grader.wiring import open_harness

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {"tiny_sum": ROOT / "tests" / "exercises" / "tiny_sum", "clean_parquet": ROOT / "exercises" / "clean_parquet"}


def seconds_of(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = monotonic()
    work()
    return monotonic() - start


def spread(values: Sequence[float], unit: str, scale: float = 1.0) -> str:
    """Median and range."""
    shown = sorted(value * scale for value in values)
    return f"{statistics.median(shown):.3g} {unit} ({shown[0]:.3g} to {shown[-1]:.3g}, n = {len(shown)})"


def overhead(source: Path, repeats: int) -> tuple[list[float], list[float], list[int]]:
    """Grade the reference and run it bare, in turns; return both times and the host's peak bytes."""
    exercise = load_exercise(source)
    settings = load_settings()
    reference = next(rung for rung in load_ladder(source) if rung.name == "reference")
    with tempfile.TemporaryDirectory() as folder, open_harness(settings, lambda _: None) as harness:
        submission = Path(folder) / "reference"
        materialise(reference, submission)
        store = VariantStore(harness.cache / "variants", Boxes(harness.sandbox, harness.images, "0" * 32))
        number = variant_for(exercise, harness.keyring.server_key(), None).number
        data = store.data(exercise, source, number, "hidden")
        argv = exercise.manifest.part.argv
        grade = [sys.executable, "-m", "grader.cli.main", "grade", exercise.id, str(submission)]
        grade += ["--exercises", str(source.parent), "--replace", "--out", str(Path(folder) / "out")]
        bare = [sys.executable, "-m", "tests.bench.bare", str(source / "checks"), str(data), str(submission), *argv]
        graded, plain, memory = [], [], []
        for _ in range(repeats):
            plain.append(seconds_of(lambda: run(bare)))
            start = monotonic()
            memory.append(run(grade))
            graded.append(monotonic() - start)
    return graded, plain, memory


def run(command: Sequence[str]) -> int:
    """Run a command to its end; return its peak memory in bytes."""
    # a bare submission's `python` is this one, which has the packages
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=ROOT, env=environment, **quiet) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_maxrss * 1024


def sessions(repeats: int) -> list[float]:
    """Seconds of a fresh session with an empty program in a box that runs already."""
    with open_harness(load_settings(), lambda _: None) as harness:
        spec = Boxes(harness.sandbox, harness.images, "0" * 32).spec(Role.SUBMISSION, Limits(), 300)
        box = SubmissionBox(harness.sandbox, spec, receive(FOLDERS["tiny_sum"] / "solutions" / "reference"))
        try:
            box.open_session()
            header = {"argv": ["true"], "seconds": 5, "printed": 1000}
            return [
                seconds_of(lambda: (box.open_session(), box.request("command.run", header, b"", 5)))
                for _ in range(repeats)
            ]
        finally:
            box.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--exercise", choices=sorted(FOLDERS), default="tiny_sum")
    arguments = parser.parse_args()
    console = Console(highlight=False)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    console.print(f"{clock.now():%Y-%m-%d}, {os.cpu_count()} cores, {memory:.0f} GiB; exercise {arguments.exercise}")
    table = Table("What", "Measured", box=None, pad_edge=False)
    graded, bare, peaks = overhead(FOLDERS[arguments.exercise], arguments.repeats)
    differences = [with_harness - without for with_harness, without in zip(graded, bare, strict=True)]
    table.add_row("grader grade, wall", spread(graded, "s"))
    table.add_row("the same bare in one process, wall", spread(bare, "s"))
    table.add_row("overhead of the harness, cold", spread(differences, "s"))
    table.add_row("peak memory of the host process", spread(peaks, "MB", 1e-6))
    table.add_row("fresh session in a running box", spread(sessions(50), "ms", 1e3))
    starts = [seconds_of(lambda: run([sys.executable, "-m", "grader.cli.main", "--help"])) for _ in range(10)]
    table.add_row("grader --help", spread(starts, "s"))
    console.print(table)


if __name__ == "__main__":
    main()

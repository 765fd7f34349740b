"""Faults of authors and machines: no total, the right party, and never a point less for the candidate."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from grader.catalog.exercises import load_exercise
from grader.engine.grade import Harness
from grader.errors import EngineUnavailable
from grader.model.run import Party, RunStatus
from grader.model.sheet import ScoreSheet
from grader.sandbox.port import Box, BoxSpec, Role, Sandbox
from tests.conftest import TINY, Bench

Write = Callable[..., Path]
Change = Callable[[Path], None]


def graded(harness: Harness, submission: Path, exercise: Path, change: Change = lambda _: None) -> ScoreSheet:
    """Grade on a changed copy of tiny_sum."""
    shutil.copytree(TINY, exercise)
    change(exercise)
    return Bench(harness, load_exercise(exercise), exercise).grade(submission).sheet


def edit(file: str, old: str, new: str) -> Change:
    def change(exercise: Path) -> None:
        path = exercise / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


CHECKS = "checks/test_sums.py"

AWARD = '    award(1.0 if right else 0.0, "The sum is right."'

# What the author did; what is said, with file and line; the range that is left for the candidate.
DEFECTS = {
    "generator raises": (
        edit("data/generate.py", "    numbers =", "    1 / 0\n    numbers ="),
        "data/generate.py:{1 / 0}: The generator failed for seed",
        (0, 10),
    ),
    "generator ends its process": (
        edit("data/generate.py", "    numbers =", "    raise SystemExit(3)\n    numbers ="),
        "data/generate.py:{raise SystemExit(3)}: The generator failed for seed",
        (0, 10),
    ),
    "generator does not import": (
        edit("data/generate.py", "import random", "import nothing\nimport random"),
        "data/generate.py:{import nothing}: The generator failed for seed",
        (0, 10),
    ),
    "check raises": (
        edit(CHECKS, "    right =", "    {}['x']\n    right ="),
        CHECKS + ":{{}['x']}: check A1: KeyError",
        (4, 10),
    ),
    "checks do not import": (
        edit(CHECKS, "import pytest", "import pytest\nimport nothing"),
        CHECKS + ":{import nothing}: The checks could not be run: ModuleNotFoundError: No module named 'nothing'",
        (0, 10),
    ),
    "conftest does not import": (
        edit("checks/conftest.py", "import pytest", "import pytest\nimport nothing"),
        "checks/conftest.py:{import nothing}: The checks could not be run: ModuleNotFoundError",
        (0, 10),
    ),
    "check hangs": (
        edit(
            CHECKS, "    run = command.run", "    import threading; threading.Event().wait(60)\n    run = command.run"
        ),
        CHECKS + ":{def test_missing_input}: The checks did not end within 12 s. Check B1 was running.",
        (6, 10),
    ),
    "check awards nothing": (
        edit(CHECKS, "award(1.0 if right", "(lambda *a, **k: None)(1.0 if right"),
        CHECKS + ":{def test_sum}: check A1: the check ended without calling award()",
        (4, 10),
    ),
    "check awards too much": (
        edit(CHECKS, "award(1.0 if right", "award(1.5 if right"),
        CHECKS + ":{award(1.5}: check A1: award(1.5): the share must be in [0, 1]",
        (4, 10),
    ),
    "check awards NaN": (
        edit(CHECKS, "award(1.0 if right", 'award(float("nan") if right'),
        CHECKS + ":{award(float}: check A1: award(nan): the share must be in [0, 1]",
        (4, 10),
    ),
    "check awards twice": (
        edit(CHECKS, AWARD, "    award(1.0)\n" + AWARD),
        CHECKS + ":{award(1.0 if right}: check A1: award() was called twice",
        (4, 10),
    ),
}


def with_line(message: str, exercise: Path) -> str:
    """Put in the number of the line that holds the words in braces."""
    place = re.match(r"(\S+?):\{(.+?)\}: ", message)
    if place is None:
        return message
    file, words = place.groups()
    lines = (exercise / file).read_text().splitlines()
    return f"{file}:{next(n for n, text in enumerate(lines, 1) if words in text)}: {message[place.end() :]}"


@pytest.mark.parametrize(("change", "message", "bounds"), DEFECTS.values(), ids=DEFECTS.keys())
def test_a_defect_is_the_authors(
    process_harness: Harness,
    submission: Write,
    tmp_path: Path,
    change: Change,
    message: str,
    bounds: tuple[int, int],
) -> None:
    shorten = edit("exercise.toml", "run_seconds = 120", "run_seconds = 12")
    sheet = graded(
        process_harness, submission(), tmp_path / "tiny_sum", lambda folder: (change(folder), shorten(folder))[0]
    )
    assert sheet.status is RunStatus.FAULTED
    assert {fault.party for fault in sheet.faults} == {Party.AUTHOR}
    assert sheet.faults[0].message.startswith(with_line(message, tmp_path / "tiny_sum"))
    assert (sheet.earned, sheet.lowest, sheet.highest) == (None, *bounds)


@dataclass(frozen=True)
class Failing:
    """A sandbox that fails to open boxes of one role."""

    sandbox: Sandbox
    role: Role

    def open(self, spec: BoxSpec) -> Box:
        if spec.role is self.role:
            raise EngineUnavailable("The engine is gone.", hint="Start it.")
        return self.sandbox.open(spec)


@pytest.mark.parametrize("role", list(Role))
def test_an_engine_that_is_gone_is_nobodys_zero(
    process_harness: Harness, submission: Write, tmp_path: Path, role: Role
) -> None:
    harness = replace(process_harness, sandbox=Failing(process_harness.sandbox, role))
    sheet = graded(harness, submission(), tmp_path / "tiny_sum")
    assert (sheet.status, sheet.earned, sheet.lowest, sheet.highest) == (RunStatus.FAULTED, None, 0, 10)
    assert [(fault.party, fault.hint) for fault in sheet.faults] == [(Party.INFRASTRUCTURE, "Start it.")]


def test_a_cache_that_cannot_be_written_is_infrastructure(
    process_harness: Harness, submission: Write, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    sheet = graded(replace(process_harness, cache=tmp_path / "file"), submission(), tmp_path / "tiny_sum")
    assert [fault.party for fault in sheet.faults] == [Party.INFRASTRUCTURE]
    assert "GRADER_CACHE_DIR" in sheet.faults[0].hint


def test_after_a_fault_the_same_submission_earns_what_it_should(
    process_harness: Harness, submission: Write, tmp_path: Path
) -> None:
    path = submission()
    harness = replace(process_harness, sandbox=Failing(process_harness.sandbox, Role.CHECKER))
    assert graded(harness, path, tmp_path / "a" / "tiny_sum").status is RunStatus.FAULTED
    assert graded(process_harness, path, tmp_path / "b" / "tiny_sum").earned == 10

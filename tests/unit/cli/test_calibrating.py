"""A calibration leaves its runs with the exercise, and goes on from them on another machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.author.calibration import Scope
from grader.author.expectations import Earned
from grader.catalog.calibration import read_calibration
from grader.cli import calibrating
from grader.cli.calibrating import Order, calibrate
from grader.cli.rungs import Work
from grader.config import Settings
from grader.engine.grade import Harness
from grader.model.run import Party
from tests.unit.author.conftest import exercise

__all__ = ["exercise"]

SCOPE = Scope(candidates=("v1",), repeats=2)


@pytest.fixture
def calibrated(
    exercise: Path, process_harness: Harness, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """Calibrate with a folder of its own, as on a machine of its own; return which rungs were graded."""

    @contextmanager
    def opened(*_: object) -> Iterator[Harness]:
        yield process_harness

    monkeypatch.setattr(calibrating, "open_harness", opened)

    def carry_out(machine: Path, *, rungs: str = "reference,empty", fresh: bool = False, status: int = 0) -> list[str]:
        settings = Settings(exercises=(exercise.parent,), cache_dir=machine)
        order = Order(name=str(exercise), scope=SCOPE, mutants=0, rungs=rungs, fresh=fresh)
        assert calibrate(settings, order) == status
        told = capsys.readouterr().err.splitlines()
        return [line.rpartition(" ")[2] for line in told if line.startswith("tiny_sum, v1: ")]

    return carry_out


def test_goes_on_from_the_runs_in_the_exercise(
    exercise: Path, calibrated: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert calibrated(tmp_path / "one") == ["reference", "empty", "reference"]
    kept = [Earned.model_validate_json(line) for line in (exercise / "calibration.jsonl").read_text().splitlines()]
    assert [(run.rung, run.repeat) for run in kept] == [("empty", 1), ("reference", 1), ("reference", 2)]
    page = (exercise / "CALIBRATION.md").read_text()
    assert calibrated(tmp_path / "other", rungs="reference") == []
    assert calibrated(tmp_path / "other") == [], "a calibration of one rung has lost the runs of others"
    assert (exercise / "CALIBRATION.md").read_text() == page
    with (exercise / "exercise.toml").open("a") as manifest:
        manifest.write("# another exercise\n")
    assert calibrated(tmp_path / "other") == ["reference", "empty", "reference"]


def test_a_part_of_the_ladder_leaves_the_figures_of_score_sheets_alone(
    exercise: Path, calibrated: Callable[..., list[str]], tmp_path: Path
) -> None:
    (exercise / "calibration.json").unlink(missing_ok=True)
    calibrated(tmp_path / "one")
    assert not (exercise / "calibration.json").exists()
    calibrated(tmp_path / "one", rungs="")
    assert read_calibration(exercise) is not None
    assert not [path for path in exercise.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(("party", "status"), [(Party.INFRASTRUCTURE, 4), (Party.AUTHOR, 5)])
def test_a_run_without_a_result_is_no_success(
    exercise: Path, calibrated: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    party: Party, status: int,
) -> None:  # fmt: skip
    def grade(harness: Harness, work: list[Work], jobs: int) -> None:
        for proof, rung, candidate, repeat in work:
            lost = {"status": "faulted", "faults": ("lost",), "to_act": (party,), "percent": None}
            named = {"rung": rung.name, "candidate": candidate, "repeat": repeat, "submission": "", "exercise": ""}
            found = Earned.model_validate({**named, "status": "graded", "percent": 100.0})
            proof.keep(found.model_copy(update=lost if rung.name == "empty" else {}))

    monkeypatch.setattr(calibrating, "grade_rungs", grade)
    assert calibrated(tmp_path / "one", status=status) == []
    page = (exercise / "CALIBRATION.md").read_text()
    assert "`empty` on v1: is faulted (lost)" in page


def test_fresh_forgets_them(exercise: Path, calibrated: Callable[..., list[str]], tmp_path: Path) -> None:
    calibrated(tmp_path / "one")
    assert calibrated(tmp_path / "one", fresh=True) == ["reference", "empty", "reference"]

"""The principal rungs of every shipped exercise, graded for real at full size; `make prove` grades all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.author.expectations import Earned, earned_by, violations
from grader.catalog.exercises import load_exercise
from grader.catalog.ladder import Rung, load_ladder, materialise
from grader.engine.grade import Harness
from tests.conftest import Bench

pytestmark = [pytest.mark.docker, pytest.mark.slow]

EXERCISES = Path(__file__).resolve().parents[2] / "exercises"
CANDIDATE = "continuous integration"
TRIES = 3  # what a busy machine did not allow to be measured is measured again, as a batch does it
UNTOUCHED = 8.0  # percent that a kit may earn as it is handed out

# Beside the reference: an alternate, plain, naive, three flaws, and what must never earn anything.
PRINCIPAL = {
    "clean_parquet": (
        "alternate_duckdb", "plain", "naive", "replay", "flaw_cents", "flaw_utc_times", "flaw_silent_drop",
        "hostile_planted", "broken",
    ),
    # A run takes one to two minutes. What single flaws cost is held by unit tests that grade odd detectors.
    "drift_detector": ("alternate_parametric", "naive"),
    # Each takes a minute or more, so these are few: flaws of which the cost does not depend on times.
    "serve_model": ("alternate_batching", "plain", "naive", "flaw_latest_value", "flaw_id_only"),
}  # fmt: skip
# Their notebooks fit a detector in each of seven runs, which takes minutes: `make prove` does that.
WITHOUT_NOTEBOOK = {("drift_detector", "alternate_parametric")}
CASES = [
    pytest.param(exercise, rung, id=f"{exercise}-{rung}") for exercise, rungs in PRINCIPAL.items() for rung in rungs
]

Prove = Callable[[str, str], Earned]


@pytest.fixture(scope="module")
def prove(docker_harness: Harness, tmp_path_factory: pytest.TempPathFactory) -> Prove:
    known: dict[tuple[str, str], Earned] = {}

    def grade(exercise: str, name: str) -> Earned:
        if (exercise, name) not in known:
            source = EXERCISES / exercise
            folder = tmp_path_factory.mktemp("rung") / name
            materialise(rung_of(exercise, name), folder)
            if (exercise, name) in WITHOUT_NOTEBOOK:
                (folder / "decision.ipynb").unlink()
            bench = Bench(docker_harness, load_exercise(source), source)
            for _ in range(TRIES):
                earned = earned_by(bench.grade(folder, CANDIDATE).sheet, name, CANDIDATE)
                if earned.status != "faulted":
                    break
            known[exercise, name] = earned
        return known[exercise, name]

    return grade


def rung_of(exercise: str, name: str) -> Rung:
    return next(rung for rung in load_ladder(EXERCISES / exercise) if rung.name == name)


def test_every_shipped_exercise_is_proved() -> None:
    assert set(PRINCIPAL) == {path.parent.name for path in EXERCISES.glob("*/exercise.toml")}


@pytest.mark.parametrize("exercise", PRINCIPAL)
def test_the_reference_is_in_its_band(prove: Prove, exercise: str) -> None:
    assert list(violations(rung_of(exercise, "reference").expected, prove(exercise, "reference"), None)) == []


@pytest.mark.parametrize(("exercise", "name"), CASES)
def test_a_rung_does_what_its_expectation_says(prove: Prove, exercise: str, name: str) -> None:
    expected = rung_of(exercise, name).expected
    if (exercise, name) in WITHOUT_NOTEBOOK:
        expected = expected.model_copy(update={"notebook": None})
    parent = prove(exercise, expected.parent) if expected.parent else None
    assert list(violations(expected, prove(exercise, name), parent)) == []


@pytest.mark.parametrize("exercise", PRINCIPAL)
def test_the_untouched_kit_can_be_graded_and_earns_next_to_nothing(docker_harness: Harness, exercise: str) -> None:
    source = EXERCISES / exercise
    sheet = Bench(docker_harness, load_exercise(source), source).grade(source / "template", CANDIDATE).sheet
    assert sheet.status == "graded", sheet.faults
    assert sheet.percent is not None
    assert sheet.percent <= UNTOUCHED

"""The principal rungs of every shipped exercise, graded for real at full size; `make prove` grades all of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from grader.author.expectations import Earned, earned_by, violations
from grader.author.proof import in_ladder_worlds
from grader.catalog.exercises import load_exercise
from grader.catalog.ladder import Rung, load_ladder, materialise
from grader.engine.grade import GradingRun, Harness, Watcher
from grader.engine.jobs import Hall, machine_cores

pytestmark = [pytest.mark.docker, pytest.mark.slow]

EXERCISES = Path(__file__).resolve().parents[2] / "exercises"
CANDIDATE = "v1"  # the world that `grader author prove` begins with, the same in every installation
TRIES = 3  # what a busy machine did not allow to be measured is measured again, as a batch does it
KIT, UNTOUCHED = "untouched kit", 8.0  # percent that it may earn as it is handed out

# Beside the reference: an alternate, plain, naive, three flaws, and what must never earn anything.
PRINCIPAL = {
    "clean_parquet": (
        "alternate_duckdb", "plain", "naive", "replay", "flaw_cents", "flaw_utc_times", "flaw_silent_drop",
        "hostile_planted", "broken",
    ),
    # A run takes one to four minutes. What other flaws cost is held by unit tests that grade odd detectors.
    "drift_detector": (
        "alternate_parametric", "plain", "naive", "flaw_base_rate", "flaw_alpha_fixed", "flaw_self_absorbing",
    ),
    # Each takes a minute or more, so these are few: flaws of which the cost does not depend on times.
    "serve_model": ("alternate_batching", "plain", "naive", "flaw_latest_value", "flaw_id_only", "flaw_utc_hour"),
}  # fmt: skip
# A notebook is run seven times, which takes a minute or more. Those of the references and of clean_parquet's rungs are;
# `make prove` runs all.
WITHOUT_NOTEBOOK = {
    ("drift_detector", "alternate_parametric"), ("serve_model", "alternate_batching"), ("serve_model", "plain"),
}  # fmt: skip
CASES = [
    pytest.param(exercise, rung, id=f"{exercise}-{rung}") for exercise, rungs in PRINCIPAL.items() for rung in rungs
]

Prove = Callable[[str, str], Earned]


@pytest.fixture(scope="module")
def prove(docker_harness: Harness, tmp_path_factory: pytest.TempPathFactory) -> Prove:
    """Tells what a rung earned; all that are proved of an exercise are graded when the first one is asked for."""
    known: dict[str, dict[str, Earned]] = {}

    def earned(exercise: str, name: str) -> Earned:
        if exercise not in known:
            known[exercise] = graded(docker_harness, exercise, tmp_path_factory.mktemp(exercise))
        return known[exercise][name]

    return earned


def graded(harness: Harness, exercise_id: str, folder: Path) -> dict[str, Earned]:
    """Grade the principal rungs of an exercise and its kit, side by side where runs may share a machine."""
    source = EXERCISES / exercise_id
    exercise = load_exercise(source)
    harness, hall = in_ladder_worlds(harness), Hall(harness.cache, Event())

    def grade(name: str) -> Earned:
        path = materialised(exercise_id, name, folder / name)
        for _ in range(TRIES):
            with hall.place(alone=exercise.manifest.timing == "exclusive") as place:
                run = GradingRun(harness, exercise, source, CANDIDATE, Watcher())
                earned = earned_by(run.grade(path, place=place).sheet, name, CANDIDATE)
            if earned.status != "faulted":
                break
        return earned

    names = ("reference", *PRINCIPAL[exercise_id], KIT)
    # A batch of strangers' would also ask whether all memory limits fit; these rungs are ours, and need a sixth of it.
    jobs = 1 if exercise.manifest.timing == "exclusive" else machine_cores()
    with ThreadPoolExecutor(jobs) as pool:
        return dict(zip(names, pool.map(grade, names), strict=True))


def materialised(exercise: str, name: str, folder: Path) -> Path:
    """Make the submission of a rung."""
    if name == KIT:
        return EXERCISES / exercise / "template"
    materialise(rung_of(exercise, name), folder)
    if (exercise, name) in WITHOUT_NOTEBOOK:
        (folder / "decision.ipynb").unlink()
    return folder


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
def test_the_untouched_kit_can_be_graded_and_earns_next_to_nothing(prove: Prove, exercise: str) -> None:
    earned = prove(exercise, KIT)
    assert earned.status == "graded"
    assert earned.percent is not None
    assert earned.percent <= UNTOUCHED
    assert earned.notebook == 0, "the kit's notebook decides nothing"

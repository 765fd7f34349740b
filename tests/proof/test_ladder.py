"""The principal rungs of every shipped exercise, graded for real at full size; `make prove` grades all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.catalog.exercises import load_exercise
from grader.catalog.ladder import Rung, load_ladder, materialise
from grader.engine.grade import Harness
from tests.conftest import Bench
from tests.proof.expectations import Earned, earned_by, violations

pytestmark = [pytest.mark.docker, pytest.mark.slow]

SOURCE = Path(__file__).resolve().parents[2] / "exercises" / "clean_parquet"
RUNGS = {rung.name: rung for rung in load_ladder(SOURCE)}
PRINCIPAL = (
    "alternate_duckdb",
    "alternate_polars",
    "plain",
    "naive",
    "replay",
    "flaw_cents",
    "flaw_utc_times",
    "flaw_silent_drop",
    "hostile_planted",
    "broken",
)
CANDIDATE = "continuous integration"

Prove = Callable[[Rung], Earned]


@pytest.fixture(scope="module")
def prove(docker_harness: Harness, tmp_path_factory: pytest.TempPathFactory) -> Prove:
    bench = Bench(docker_harness, load_exercise(SOURCE), SOURCE)

    def grade(rung: Rung) -> Earned:
        folder = tmp_path_factory.mktemp("rung") / rung.name
        materialise(rung, folder)
        return earned_by(bench.grade(folder, CANDIDATE).sheet, rung.name, CANDIDATE)

    return grade


@pytest.fixture(scope="module")
def reference(prove: Prove) -> Earned:
    return prove(RUNGS["reference"])


def test_the_reference_is_in_its_band(reference: Earned) -> None:
    assert list(violations(RUNGS["reference"].expected, reference, None)) == []


@pytest.mark.parametrize("name", PRINCIPAL)
def test_a_rung_does_what_its_expectation_says(prove: Prove, reference: Earned, name: str) -> None:
    assert list(violations(RUNGS[name].expected, prove(RUNGS[name]), reference)) == []


def test_the_untouched_kit_can_be_graded_and_earns_next_to_nothing(docker_harness: Harness) -> None:
    sheet = Bench(docker_harness, load_exercise(SOURCE), SOURCE).grade(SOURCE / "template", CANDIDATE).sheet
    assert sheet.status == "graded", sheet.faults
    assert sheet.percent is not None
    assert sheet.percent <= 8

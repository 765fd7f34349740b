"""Page, picture and figures of a calibration, from runs whose totals are known."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grader.author import calibration
from grader.author.calibration import Scope
from grader.author.expectations import Earned
from grader.author.mutants import mutants_of
from grader.author.proof import Proof
from grader.catalog.calibration import read_calibration
from grader.catalog.files import grading_digest
from grader.catalog.ladder import rung_named
from grader.errors import ExerciseDefect
from tests.unit.author.conftest import TINY

SCOPE = Scope(candidates=("v1", "v2", "v3"), repeats=2)
TOLD = (datetime(2026, 11, 28, tzinfo=UTC),)
DIGEST = grading_digest(TINY)
REFERENCE = {"v1": 100.0, "v2": 100.0, "v3": 94.0}


def earned(rung: str, candidate: str, repeat: int, percent: float, **changes: object) -> Earned:
    share = percent / 100
    usual = {"A1": share, "B1": share, "B2": share}
    values = {"shares": usual, "seconds": 12.0, "peak_memory": 2**28, "check_seconds": {"A1": 3.0, "B1": 1.0}}
    return Earned.model_validate(
        {"rung": rung, "candidate": candidate, "repeat": repeat, "submission": "", "exercise": DIGEST,
         "status": "graded", "percent": percent, "graded": "2026-11-27",
         "machine": "a machine with 2 cores and 24 GiB"} | values | changes
    )  # fmt: skip


@pytest.fixture
def proof(tmp_path: Path) -> Proof:
    proof = Proof.of(TINY, tmp_path)
    totals = {"empty": 0.0, "untouched": 0.0}
    for rung in proof.rungs:
        proof.keep(
            earned(rung.name, "v1", 1, REFERENCE["v1"] if rung.name == "reference" else totals.get(rung.name, 5))
        )
    for candidate, percent in REFERENCE.items():
        proof.keep(earned("reference", candidate, 1, percent))
    moved = {"A1": 1.0, "B1": 0.5, "B2": 1.0}
    proof.keep(earned("reference", "v1", 2, 90.0, shares=moved))
    return proof


def test_what_is_run_first_is_every_rung_once(proof: Proof) -> None:
    work = [(rung.name, candidate, repeat) for rung, candidate, repeat in calibration.work_of(proof, [], SCOPE)]
    assert work[: len(proof.rungs)] == [(rung.name, "v1", 1) for rung in proof.rungs]
    assert work[len(proof.rungs) :] == [("reference", "v1", 2), ("reference", "v2", 1), ("reference", "v3", 1)]


def test_the_whole_ladder_is_run_on_as_many_variants_as_are_asked_for(proof: Proof) -> None:
    def runs(ladders: int) -> list[tuple[str, str]]:
        scope = Scope(candidates=("v1", "v2", "v3"), repeats=1, ladders=ladders)
        return [(rung.name, candidate) for rung, candidate, _ in calibration.work_of(proof, [], scope)]

    everything = {rung.name for rung in proof.rungs}
    assert {name for name, candidate in runs(2) if candidate == "v2"} == everything
    assert {name for name, candidate in runs(2) if candidate == "v3"} == {"reference"}
    assert {name for name, candidate in runs(3) if candidate == "v3"} == everything
    assert len(runs(3)) == len(set(runs(3))) == 3 * len(everything)


def test_the_page_says_what_was_found(proof: Proof) -> None:
    mutants = mutants_of(rung_named(TINY, "reference"), 2)
    for mutant, percent in zip(mutants, (100.0, 40.0), strict=True):
        proof.keep(earned(mutant.rung.name, "v1", 1, percent))
    page = calibration.render(proof, mutants, SCOPE, *TOLD)
    assert "on 2026-11-28 from runs of 2026-11-27, a machine with 2 cores and 24 GiB" in page
    assert "| Solution | A | B | Total | Band | s | Lost (share earned) |" in page
    assert "| untouched | \u2013 | \u2013 | 0.0 | 0-8 | 12 | A1 0.00, B1 0.00, B2 0.00 |" in page
    assert "| reference | 3 | 98.00 | 3.46 | 94.00 | 100.00 |" in page
    assert "| reference | 2 times | 1 of 1 | B1 1.00 |" in page
    assert "1 of 2 were noticed by a check." in page
    assert f"- `mutant_001` survives: add.py line {mutants[0].line}" in page
    assert "mutant_002" not in page
    assert "Headroom: 10.0 times the time" in page
    assert "| A1 | passed by reference only |" in page


def test_the_page_names_every_run_that_did_something_else(proof: Proof) -> None:
    page = calibration.render(proof, [], SCOPE, *TOLD)
    assert f"Of {len(proof.rungs) + 3} runs of these solutions, on all variants, these did not do" in page
    assert "- `reference` on v3: earned 94.0, outside of 100 to 100" in page
    assert "- `untouched`" not in page
    for candidate in ("v1", "v2", "v3"):
        proof.keep(earned("reference", candidate, 1, 100.0))
    proof.keep(earned("reference", "v1", 2, 100.0))
    proof.keep(earned("empty", "v1", 1, 0.0, status="rejected", reason="empty"))
    page = calibration.render(proof, [], SCOPE, *TOLD)
    assert f"All {len(proof.rungs) + 3} runs of these solutions, on all variants, did what is expected" in page


def test_the_figures_are_those_of_the_page_and_can_be_read_again(proof: Proof, tmp_path: Path) -> None:
    figures = calibration.measured(proof, [], SCOPE, *TOLD)
    (spread,) = figures.spreads
    assert (spread.rung, spread.n, spread.mean, spread.low) == ("reference", 3, 98.0, 94.0)
    assert spread.sd == pytest.approx(12**0.5)
    assert (figures.moved, figures.seconds, figures.peak_memory) == ({"B1": 1.0}, 12.0, 2**28)
    assert (figures.flakes, figures.repeated) == (1, 1)
    (tmp_path / "calibration.json").write_text(figures.model_dump_json())
    assert read_calibration(tmp_path) == figures


def test_score_sheets_get_the_spread_of_what_was_graded_on_every_variant_alone(proof: Proof) -> None:
    proof.keep(earned("untouched", "v2", 1, 0.0))
    some = Scope(candidates=("v1", "v2", "v3"), repeats=2, ladders=2)
    page = calibration.render(proof, [], some, *TOLD)
    assert "Variants: 3, the whole ladder on 2 of them; repeats: 2" in page
    assert "| untouched | 2 | 0.00 |" in page
    assert [each.rung for each in calibration.measured(proof, [], some, *TOLD).spreads] == ["reference"]
    proof.keep(earned("untouched", "v3", 1, 0.0))
    all_of_it = Scope(candidates=("v1", "v2", "v3"), repeats=2, ladders=3)
    assert [each.rung for each in calibration.measured(proof, [], all_of_it, *TOLD).spreads] == [
        "reference",
        "untouched",
    ]


def test_a_run_without_a_result_is_neither_a_repeat_nor_a_mutant_that_was_noticed(proof: Proof) -> None:
    mutants = mutants_of(rung_named(TINY, "reference"), 3)
    for mutant, status in zip(mutants, ("graded", "rejected", "faulted"), strict=True):
        proof.keep(earned(mutant.rung.name, "v1", 1, 40.0, status=status))
    proof.keep(earned("reference", "v1", 2, 90.0, status="faulted", shares={}))
    figures = calibration.measured(proof, mutants, SCOPE, *TOLD)
    assert (figures.mutants, figures.survivors, figures.repeated, figures.flakes) == (2, 0, 0, 0)
    page = calibration.render(proof, mutants, SCOPE, *TOLD)
    assert "2 of 2 were noticed by a check. Of 1 more the run has no result." in page
    assert "Not repeated in this calibration." in page


def test_the_picture_has_a_dot_for_every_total(proof: Proof) -> None:
    root = ET.fromstring(calibration.picture(proof, SCOPE))
    groups = [each for each in root.iter() if each.get("id", "").startswith("totals of ")]
    assert {each.get("id") for each in groups} == {f"totals of {rung.name}" for rung in proof.rungs}
    dots = [each for group in groups for each in group.iter() if each.tag.endswith("use")]
    assert len(dots) == len(proof.rungs) + 2


def test_figures_that_cannot_be_read_are_a_defect_and_none_are_none(tmp_path: Path) -> None:
    assert read_calibration(tmp_path) is None
    (tmp_path / "calibration.json").write_text('{"exercise": 3}')
    with pytest.raises(ExerciseDefect, match=r"calibration.json: exercise"):
        read_calibration(tmp_path)


def test_one_variant_tells_nothing_of_the_spread(proof: Proof) -> None:
    for candidate in ("v2", "v3"):
        del proof.known["reference", candidate, 1]
    page = calibration.render(proof, [], Scope(candidates=("v1",), repeats=1), *TOLD)
    assert "Nothing was graded on two variants in this calibration." in page
    assert "| mean |" not in page


def test_a_part_of_the_ladder_does_not_tell_what_checks_tell_apart(proof: Proof) -> None:
    page = calibration.render(proof, [], SCOPE, *TOLD, part=True)
    assert "passed by reference only" not in page
    assert f"Only {len(proof.rungs)} of the ladder's solutions were graded" in page


def test_what_is_kept_with_the_exercise_are_the_runs_that_ended(proof: Proof) -> None:
    before = calibration.lasting(proof)
    proof.keep(earned("reference", "v1", 4, 90.0, status="faulted"))
    assert calibration.lasting(proof) == before
    assert len(before) == len(proof.rungs) + 3


def test_runs_of_several_days_and_machines_are_named_as_such(proof: Proof) -> None:
    proof.keep(earned("reference", "v1", 2, 90.0, machine="a machine with 8 cores and 64 GiB", graded="2026-11-24"))
    page = calibration.render(proof, [], SCOPE, *TOLD)
    machines = "a machine with 2 cores and 24 GiB and a machine with 8 cores and 64 GiB"
    assert f"from runs of 2026-11-24 to 2026-11-27, {machines}." in page

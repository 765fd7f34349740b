"""A proof goes on where it stopped: what was graded and has not changed is not graded again."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from grader.author.proof import Proof
from grader.engine.grade import Harness
from grader.errors import ExerciseDefect, UsageError
from grader.keys import Keyring
from tests.unit.author.conftest import TINY, Spoil

RUNGS = "reference,empty"


def run(proof: Proof, harness: Harness) -> list[str]:
    told: list[str] = []
    proof.recall()
    for rung in proof.rungs:
        proof.prove(harness, rung, "v1", 1, told.append)
    return [text.rpartition(" ")[2] for text in told]


def test_finished_runs_are_kept_even_of_what_cannot_be_read(process_harness: Harness, tmp_path: Path) -> None:
    source = tmp_path / "tiny_sum"
    shutil.copytree(TINY, source)
    assert run(Proof.of(source, tmp_path, RUNGS), process_harness) == ["reference", "empty"]
    assert run(Proof.of(source, tmp_path, RUNGS), process_harness) == []
    (source / "solutions" / "reference" / "more.txt").write_text("changed")
    assert run(Proof.of(source, tmp_path, RUNGS), process_harness) == ["reference"]
    with (source / "brief.md").open("a") as brief:
        brief.write("A better sentence.")
    assert run(Proof.of(source, tmp_path, RUNGS), process_harness) == []
    with (source / "checks" / "test_sums.py").open("a") as checks:
        checks.write("# Another exercise.\n")
    assert run(Proof.of(source, tmp_path, RUNGS), process_harness) == ["reference", "empty"]


def test_a_line_that_was_cut_short_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "tiny_sum.jsonl").write_text('{"rung": "reference", "candi')
    proof = Proof.of(TINY, tmp_path)
    proof.recall()
    assert proof.known == {}


def test_a_rung_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no rung 'refrence'") as caught:
        Proof.of(TINY, tmp_path, "refrence")
    assert "reference" in caught.value.hint


def test_a_rung_may_not_take_the_name_of_one_that_every_ladder_gets(exercise: Path, tmp_path: Path) -> None:
    shutil.copytree(exercise / "solutions" / "reference", exercise / "solutions" / "cheat_skip")
    with pytest.raises(ExerciseDefect, match="cheat_skip is the name of a rung that every ladder gets"):
        Proof.of(exercise, tmp_path)


def test_every_installation_proves_on_the_same_world(process_harness: Harness, tmp_path: Path) -> None:
    for name in ("one", "other"):
        keyring = Keyring(tmp_path / name)
        harness = replace(process_harness, keyring=keyring, cache=tmp_path / "cache")
        proof = Proof.of(TINY, tmp_path / name, "reference")
        proof.verify_generator(harness, ["v1"], lambda _: None)
        assert run(proof, harness) == ["reference"]
    (world,) = [path for path in (tmp_path / "cache" / "variants").iterdir() if path.name.startswith("tiny_sum-hidden")
                and path.is_dir()]  # fmt: skip
    assert world.with_name(f"{world.name}.twice").exists()


def test_worlds_that_are_the_same_for_everybody_are_refused(
    process_harness: Harness, exercise: Path, spoil: Spoil, tmp_path: Path
) -> None:
    harness = replace(process_harness, cache=tmp_path / "cache")
    Proof.of(exercise, tmp_path, "reference").verify_generator(harness, ["v1", "v2"], lambda _: None)
    spoil("data/generate.py", "{seed}/{split}/{row}", "{split}/{row}")
    with pytest.raises(ExerciseDefect, match="the hidden data of two candidates are the same") as caught:
        Proof.of(exercise, tmp_path, "reference").verify_generator(harness, ["v1", "v2"], lambda _: None)
    assert caught.value.file == "data/generate.py"


def test_a_run_says_when_and_where_it_was_made(process_harness: Harness, tmp_path: Path) -> None:
    proof = Proof.of(TINY, tmp_path, "reference")
    run(proof, process_harness)
    earned = Proof.of(TINY, tmp_path, "reference")
    earned.recall(proof.file)
    (kept,) = earned.known.values()
    assert kept.graded is not None
    assert kept.machine.startswith("a machine with ")

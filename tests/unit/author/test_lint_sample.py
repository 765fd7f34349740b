"""What lint says of kits, of labels that metadata tell of, and of limits; the sample is made by hand, without boxes."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from grader.author.expectations import Earned
from grader.author.lint.findings import Finding
from grader.author.lint.lint import lint
from grader.author.lint.sample import Sample
from grader.author.scaffolding import KINDS, write_exercise
from grader.catalog.exercises import load_exercise
from grader.catalog.files import grading_digest
from tests.unit.author.conftest import Spoil
from tests.unit.catalog.conftest import IMAGE

GENERATE = "import pathlib, sys, generate; generate.generate(int(sys.argv[1]), 'public', pathlib.Path(sys.argv[2]))"
PACKAGES = {"pandas": "3.1.1", "fastapi": "0.140.0", "pydantic": "2.13.0"}
GUESS = {"found": 0.91, "chance": 0.5, "telling": "place modulo 2"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A sample of tiny_sum."""
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "numbers.txt").write_text("1\n")
    return tmp_path / "public"


def about(found: list[Finding], rule: str) -> list[tuple[str, str]]:
    return [(each.file, each.message) for each in found if each.rule == rule]


def look(exercise: Path, data: Path, guess: dict[str, object] | None = None) -> list[Finding]:
    return lint(exercise, sample=Sample(data=data, image=replace(IMAGE, named=PACKAGES, pinned=PACKAGES), guess=guess))


@pytest.mark.parametrize("kind", KINDS)
def test_the_kit_of_a_new_exercise_gives_nothing_away(tmp_path: Path, kind: str) -> None:
    source = write_exercise("order_values", kind, tmp_path).folder
    data = tmp_path / "data"
    data.mkdir()
    seed = str(load_exercise(source).manifest.public_seed)
    subprocess.run([sys.executable, "-B", "-c", GENERATE, seed, data], cwd=source / "data", check=True)
    assert {each.rule for each in look(source, data)} == {"versions"}


def test_a_generator_without_a_sample_is_found(exercise: Path, data: Path) -> None:
    assert about(look(exercise, data), "generator") == []
    (data / "numbers.txt").unlink()
    ((file, message),) = about(look(exercise, data), "generator")
    assert (file, "writes nothing for the split" in message) == ("data/generate.py", True)


def test_a_kit_that_gives_nothing_away_has_no_finding(exercise: Path, data: Path) -> None:
    assert about(look(exercise, data), "leaks") == []


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("template/canary.txt", "canary-0123456789abcdef",
         ("template/canary.txt", "in the kit, canary.txt holds a canary")),
        ("brief.md", "\nIt says: Look at the last line of the file.\n",
         ("brief.md", "in the kit, brief.md holds the feedback of the hidden check A1")),
    ],
)  # fmt: skip
def test_a_leak_names_the_file_that_candidates_get_it_from(
    exercise: Path, spoil: Spoil, data: Path, file: str, text: str, expected: tuple[str, str]
) -> None:
    (exercise / "NOTES.md").write_text("canary-0123456789abcdef\n")
    assert expected in about(look(spoil(file, "", text), data), "leaks")


@pytest.mark.parametrize("text", [None, "Sehr sch\u00f6n.\n".encode("latin-1")])
def test_a_kit_that_cannot_be_made_does_not_hide_what_else_is_wrong(
    exercise: Path, data: Path, text: bytes | None
) -> None:
    (exercise / "brief.md").unlink()
    if text is not None:
        (exercise / "brief.md").write_bytes(text)
    found = look(exercise, data)
    assert "brief.md" in [each.file for each in found]
    assert "the code checks give 10 points together, not 100" in [each.message for each in found]


def test_the_kits_python_is_named_with_its_folder_and_line(exercise: Path, spoil: Spoil, data: Path) -> None:
    found = look(spoil("template/checks/test_public.py", "", "x = 1\ny = (\n"), data)
    (finding,) = [each for each in found if each.file.startswith("template/")]
    assert (finding.file, finding.line) == ("template/checks/test_public.py", 2)


def test_what_the_generator_gives_away_is_the_generators(exercise: Path, data: Path) -> None:
    canary = "canary-0123456789abcdef"
    (exercise / "NOTES.md").write_text(f"{canary}\n")
    (data / "numbers.txt").write_text(f"1 {canary}\n")
    assert about(look(exercise, data), "leaks") == [("data/generate.py", "in the kit, numbers.txt holds a canary")]


def test_labels_that_metadata_tell_of_are_a_finding_at_their_line(spoil: Spoil, data: Path) -> None:
    source = spoil("exercise.toml", "[groups]", '[labels]\nfiles = "*.csv"\ncolumn = "y"\n\n[groups]')
    (finding,) = [each for each in look(source, data, {**GUESS, "leaks": True}) if each.rule == "metadata"]
    assert "y in *.csv can be guessed without looking at the data: 91% where chance is 50%" in finding.message
    assert (source / "exercise.toml").read_text().splitlines()[finding.line - 1] == 'column = "y"'
    assert about(look(source, data, {**GUESS, "leaks": False}), "metadata") == []


def run(source: Path, **changes: object) -> str:
    usual = {"rung": "reference", "candidate": "v1", "submission": "", "exercise": grading_digest(source),
             "status": "graded", "percent": 100.0, "seconds": 39.0, "peak_memory": 2**20}  # fmt: skip
    return Earned.model_validate(usual | changes).model_dump_json() + "\n"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"seconds": 41.0}, ["run_seconds is 120 s, and the reference used 41 s"]),
        ({"peak_memory": 2**40}, ["memory is 256 MiB, and the reference used 1048576 MiB"]),
        ({"nearest": {"command_seconds": {"seconds": 1.6, "given": 5}}}, []),
        (
            {"nearest": {"command_seconds": {"seconds": 1.8, "given": 5}}},
            ["command_seconds is 5 s, and the reference used 1.8 s"],
        ),
        (
            {"nearest": {"start_seconds": {"seconds": 1.8, "given": 2}}},
            ["what a check gives of start_seconds is 2 s, and the reference used 1.8 s"],
        ),
        ({"seconds": 41.0, "exercise": "another"}, []),
        ({"seconds": 41.0, "rung": "plain"}, []),
        ({"seconds": 41.0, "status": "faulted"}, []),
    ],
)
def test_limits_leave_three_times_what_the_reference_needs(
    exercise: Path, tmp_path: Path, changes: dict[str, object], expected: list[str]
) -> None:
    (tmp_path / "tiny_sum.jsonl").write_text(run(exercise, **changes))
    found = [each for each in lint(exercise, records=tmp_path) if each.rule == "headroom"]
    assert [each.message for each in found] == expected
    lines = (exercise / "exercise.toml").read_text().splitlines()
    assert all(lines[each.line - 1].split(" ")[0] in each.message for each in found)


def test_a_calibration_of_this_version_tells_too(exercise: Path) -> None:
    figures = (
        '{"exercise": "tiny_sum", "version": "%s", "digest": "", "made": "2026-11-28", "machine": "", "worlds": 2,'
    )
    figures += ' "repeats": 1, "seconds": 99, "peak_memory": 1}'
    (exercise / "calibration.json").write_text(figures % "1.0.0")
    assert about(lint(exercise), "headroom") == [("exercise.toml", "run_seconds is 120 s, and the reference used 99 s")]
    (exercise / "calibration.json").write_text(figures % "0.9.0")
    assert about(lint(exercise), "headroom") == []

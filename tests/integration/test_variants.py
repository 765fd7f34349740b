"""Data are kept only when two runs of the generator agree."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.catalog.exercises import load_exercise
from grader.engine.boxes import Boxes
from grader.engine.grade import Harness
from grader.engine.variants import VariantStore
from grader.errors import ExerciseDefect
from tests.conftest import TINY

UNSEEDED = 'random.Random(f"{seed}/{split}/{row}")'


@pytest.fixture
def store(process_harness: Harness, tmp_path: Path) -> VariantStore:
    return VariantStore(tmp_path / "cache", Boxes(process_harness.sandbox, process_harness.images, "0" * 32))


def test_a_generator_that_is_not_deterministic_is_refused(store: VariantStore, tmp_path: Path) -> None:
    source = tmp_path / "tiny_sum"
    shutil.copytree(TINY, source)
    generator = source / "data" / "generate.py"
    generator.write_text(generator.read_text().replace(UNSEEDED, "random.Random()"))
    with pytest.raises(ExerciseDefect, match=r"differ \(hidden data\): raw/numbers.txt: line 1 differs") as caught:
        store.verify(load_exercise(source), source, 7, "hidden")
    line = generator.read_text().splitlines()[caught.value.line - 1]
    assert (caught.value.file, line.partition("(")[0]) == ("data/generate.py", "def generate")
    assert [path.name for path in (tmp_path / "cache").glob("[!.]*")] == []  # such data are not kept


def test_one_that_is_runs_twice_only_once(store: VariantStore) -> None:
    reports: list[str] = []
    exercise = load_exercise(TINY)
    for _ in range(2):
        folder = store.verify(exercise, TINY, 7, "hidden", reports.append)
        assert (folder / "truth.txt").is_file()
    assert [text.rpartition(" ")[2] for text in reports] == ["tiny_sum", "again"]


LABELLED = """
import random


def generate(seed, split, destination):
    chance = random.Random(seed)
    labels = sorted(chance.random() < 0.5 for _ in range(300))
    rows = "".join(f"{chance.random():.3f},{label}\\n" for label in labels)
    (destination / "train.csv").write_text("x,churned\\n" + rows)
"""


def test_labels_are_guessed_once_and_must_be_where_the_manifest_says(store: VariantStore, tmp_path: Path) -> None:
    source = tmp_path / "tiny_sum"
    shutil.copytree(TINY, source)
    (source / "data" / "generate.py").write_text(LABELLED)
    manifest = (source / "exercise.toml").read_text()
    labels = '[labels]\nfiles = "*.csv"\ncolumn = "churned"\n\n[groups]'
    (source / "exercise.toml").write_text(manifest.replace("[groups]", labels))
    exercise = load_exercise(source)
    data = store.data(exercise, source, 1, "public")
    guess = store.guessed_labels(exercise, data)
    assert (guess["leaks"], guess["chance"], guess["rows"]) == (True, 0.5, 300)
    (known,) = (tmp_path / "cache").glob("*.labels-*")
    known.write_text('{"leaks": false}')
    assert store.guessed_labels(exercise, data) == {"leaks": False}
    (source / "exercise.toml").write_text(manifest.replace("[groups]", labels.replace("churned", "y")))
    with pytest.raises(ExerciseDefect, match=r"exercise.toml: labels: no file '\*.csv' has a column 'y'"):
        store.guessed_labels(load_exercise(source), data)

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
    assert [path.name for path in (tmp_path / "cache").iterdir()] == []


def test_one_that_is_runs_twice_only_once(store: VariantStore) -> None:
    reports: list[str] = []
    exercise = load_exercise(TINY)
    for _ in range(2):
        folder = store.verify(exercise, TINY, 7, "hidden", reports.append)
        assert (folder / "truth.txt").is_file()
    assert [text.rpartition(" ")[2] for text in reports] == ["tiny_sum", "again"]

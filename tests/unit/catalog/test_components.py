"""What differs between two versions of an exercise, and whether results must be measured anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from grader.catalog.components import components, differing, meaning_of, only_texts_differ
from grader.catalog.exercises import load_exercise
from tests.conftest import TINY


def parts(folder: Path) -> dict[str, str]:
    return components(folder, load_exercise(folder))


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("checks/test_sums.py", 'title="', 'title="Once more: ', []),
        ("checks/test_sums.py", "points=6", "points=7", []),
        ("checks/test_sums.py", "\ndef ", "\n# a remark\ndef ", []),
        ("checks/test_sums.py", "import ", "import os; import ", ["checks"]),
        ("data/generate.py", "import ", "import os; import ", ["data"]),
        ("exercise.toml", 'title = "', 'title = "New: ', []),
        ("exercise.toml", "run_seconds = ", "run_seconds = 1", ["setup"]),
        ("brief.md", "", "Read this first.\n", ["texts"]),
    ],
)
def test_each_part_by_itself(tmp_path: Path, file: str, old: str, new: str, found: list[str]) -> None:
    folder = tmp_path / "tiny_sum"
    shutil.copytree(TINY, folder)
    before, text = parts(folder), (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    after = parts(folder)
    assert differing(before, after) == found
    assert only_texts_differ(before, after) == (found in ([], ["texts"]))


MARKED = b"""
@pytest.mark.check(id="A1", points=1, title="One")
def test_one(detector):
    assert detector.check(window, alpha=0.05)
"""


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (b"points=1", b"points=2", True),
        (b'"One"', b'"Another"', True),
        (b"\n    assert", b'\n    """Say it."""\n    assert', True),
        (b'id="A1"', b'id="A2"', False),
        (b'id="A1"', b'id="A1", timed=True', False),
        # what a submission is asked is no declaration, though it is called check as well
        (b"alpha=0.05", b"alpha=0.5", False),
        (b"mark.check", b"mark.requires", False),
    ],
)
def test_what_a_check_declares_is_not_what_it_does(old: bytes, new: bytes, same: bool) -> None:
    assert (meaning_of(MARKED) == meaning_of(MARKED.replace(old, new, 1))) is same


def test_a_mark_that_was_imported_declares_as_well() -> None:
    marked = MARKED.replace(b"pytest.mark", b"mark")
    assert meaning_of(marked) == meaning_of(marked.replace(b"points=1", b"points=2"))


def test_what_is_no_python_is_compared_as_it_is() -> None:
    assert meaning_of(b"def (") == b"def ("

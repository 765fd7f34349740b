"""A small exercise on disk that tests can spoil."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

TINY = Path(__file__).parents[2] / "exercises" / "tiny_sum"

Spoil = Callable[[str, str, str], Path]


@pytest.fixture
def exercise(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny_sum"
    shutil.copytree(TINY, folder)
    return folder


@pytest.fixture
def spoil(exercise: Path) -> Spoil:
    """Replace a text in a file; "" as the old text appends."""

    def change(file: str, old: str, new: str) -> Path:
        path = exercise / file
        text = path.read_text() if path.exists() else ""
        assert not old or old in text
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(old, new) if old else text + new)
        return exercise

    return change

"""A kit of the smallest exercise, with what its program would run in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.catalog.exercises import load_exercise
from grader.catalog.kit import build_kit
from grader.catalog.kit_files import GradingImage, Person
from tests.conftest import TINY

IMAGE = GradingImage(
    name="grader-runtime:0123456789ab",
    digest="sha256:" + "7" * 64,
    named={"pandas": "3.1.1", "xgboost-cpu": "3.4.1"},
    pinned={"pandas": "3.1.1", "xgboost-cpu": "3.4.1", "python-dateutil": "4.0.0"},
    for_checks={"pandas": "3.1.1", "pytest": "9.2.0", "pluggy": "1.6.0", "httpx": "0.28.1"},
)
ADA = Person(name="Ada L.")
BuildKit = Callable[..., Path]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Public data as a generator leaves them."""
    (tmp_path / "public" / "raw").mkdir(parents=True)
    (tmp_path / "public" / "raw" / "numbers.txt").write_text("1\n")
    return tmp_path / "public"


@pytest.fixture
def make_kit(data: Path, tmp_path: Path) -> BuildKit:
    """Build a kit of tiny_sum, or of a changed copy of it."""

    def build(source: Path = TINY, *, name: str = "kit", person: Person = ADA) -> Path:
        target = tmp_path / name
        build_kit(load_exercise(source), source, data, target, image=IMAGE, person=person)
        return target

    return build

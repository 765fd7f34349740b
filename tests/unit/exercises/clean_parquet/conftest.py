"""Variants of clean_parquet for its tests, small ones where size does not matter."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

EXERCISE = Path(__file__).resolve().parents[4] / "exercises" / "clean_parquet"
# Generators and checks import their neighbours by bare name, as they do where they run.
sys.path[:0] = [str(EXERCISE / "data"), str(EXERCISE / "checks"), str(Path(__file__).parent)]


@pytest.fixture(scope="session")
def exercise() -> Path:
    """The folder of the exercise."""
    return EXERCISE


@pytest.fixture(scope="session")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public split of the exercise's own public seed."""
    from generate import generate

    folder = tmp_path_factory.mktemp("public")
    generate(20261123, "public", folder)
    return folder


@pytest.fixture(scope="session")
def small_hidden(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Makes the hidden split of a seed, with fewer rows, once."""
    import generate

    made: dict[int, Path] = {}

    def make(seed: int) -> Path:
        if seed not in made:
            made[seed] = tmp_path_factory.mktemp(f"hidden{seed}")
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(generate, "MAIN_ORDERS", 3_000)
                patch.setattr(generate, "HISTORY_ROWS", 30_000)
                generate.generate(seed, "hidden", made[seed])
        return made[seed]

    return make

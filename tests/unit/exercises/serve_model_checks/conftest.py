"""Modules of the checks, imported apart from those of other exercises, whose names they may share."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

HERE = Path(__file__).resolve().parent
EXERCISE = HERE.parents[3] / "exercises" / "serve_model"
FOLDERS = (EXERCISE / "checks", EXERCISE / "data")
WANTED = (
    "bench", "busy", "calls", "claims", "counting", "ending", "fuzzing", "gates", "grammar", "logbook", "openapi",
    "parity", "pictures", "prometheus", "refusals", "starting", "switching", "test_1_validation", "test_2_parity",
    "timing",
)  # fmt: skip
sys.path.insert(0, str(HERE))


@pytest.fixture(scope="session")
def exercise() -> Path:
    """The folder of the exercise."""
    return EXERCISE


@pytest.fixture(scope="session")
def checks() -> Iterator[SimpleNamespace]:
    """The helper modules of the checks, by name."""
    names = [path.stem for folder in FOLDERS for path in folder.glob("*.py") if not path.name.startswith("test_")]
    others = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path[:0] = [str(folder) for folder in FOLDERS]
    modules = {name: importlib.import_module(name) for name in WANTED}
    for name in names:
        sys.modules.pop(name, None)
    sys.modules.update(others)
    for folder in FOLDERS:
        sys.path.remove(str(folder))
    return SimpleNamespace(**modules)

"""Modules of the generator, imported apart from those of other exercises, whose names they share."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

EXERCISE = Path(__file__).resolve().parents[4] / "exercises" / "drift_detector"
DATA = EXERCISE / "data"
PUBLIC_SEED = 20261207


@pytest.fixture(scope="session")
def exercise() -> Path:
    """The folder of the exercise."""
    return EXERCISE


@pytest.fixture(scope="session")
def data() -> Iterator[SimpleNamespace]:
    """The generator's modules, by name."""
    names = [path.stem for path in DATA.glob("*.py")]
    others = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(DATA))
    modules = {name: importlib.import_module(name) for name in names}
    for name in names:
        sys.modules.pop(name, None)
    sys.modules.update(others)
    sys.path.remove(str(DATA))
    return SimpleNamespace(**modules)


@pytest.fixture(scope="session")
def worlds(data):
    """Three worlds."""
    return [data.world.World(seed) for seed in (3, 4, 5)]


@pytest.fixture(scope="session")
def public(data, tmp_path_factory) -> Path:
    """The public split of the exercise's own public seed."""
    folder = tmp_path_factory.mktemp("public")
    data.generate.generate(PUBLIC_SEED, "public", folder)
    return folder


@pytest.fixture(scope="session")
def draw():
    """Draws a window; equal numbers give windows that differ in nothing but the drift. Each is drawn once."""

    @functools.cache
    def make(world, mode, n, kind=None, size=None, number=1):
        return getattr(world, mode)(n, np.random.default_rng(number), kind, size)

    return make

"""The data of serve_model, imported apart from that of other exercises, whose modules have the same names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

EXERCISE = Path(__file__).resolve().parents[4] / "exercises" / "serve_model"
DATA = EXERCISE / "data"


@pytest.fixture(scope="session")
def exercise() -> Path:
    """The folder of the exercise."""
    return EXERCISE


@pytest.fixture(scope="session")
def data() -> Iterator[SimpleNamespace]:
    """The modules of data/, by name."""
    names = [path.stem for path in DATA.glob("*.py")]
    others = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(DATA))
    modules = SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    sys.path.remove(str(DATA))
    for name in names:
        sys.modules.pop(name, None)
    sys.modules.update(others)
    return modules


@pytest.fixture(scope="session")
def world(data: SimpleNamespace) -> object:
    """A world."""
    return data.world.World(5)


@pytest.fixture(scope="session")
def public(data: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public split of a seed."""
    folder = tmp_path_factory.mktemp("public")
    data.generate.generate(5, "public", folder)
    return folder


@pytest.fixture(scope="session")
def hidden(data: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hidden split of the same seed, with a smaller slow model and no worlds for the notebook."""
    folder = tmp_path_factory.mktemp("hidden")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data.generate, "SLOW_TREES", 300)
        patch.setattr(data.generate, "write_decisions", lambda seed, destination: None)
        data.generate.generate(5, "hidden", folder)
    return folder

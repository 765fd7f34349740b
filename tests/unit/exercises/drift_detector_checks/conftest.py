"""Modules of the checks, imported apart from those of other exercises, whose names they may share."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

HERE = Path(__file__).resolve().parent
EXERCISE = HERE.parents[3] / "exercises" / "drift_detector"
sys.path.insert(0, str(HERE))
from odd_detectors import DETECTORS  # noqa: E402

FOLDERS = (EXERCISE / "checks", EXERCISE / "data")


@pytest.fixture(scope="session")
def checks() -> Iterator[SimpleNamespace]:
    """The helper modules of the checks, by name."""
    names = [path.stem for folder in FOLDERS for path in folder.glob("*.py") if not path.name.startswith("test_")]
    others = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path[:0] = [str(folder) for folder in FOLDERS]
    wanted = ("anchors", "answers", "asking", "care", "figures", "measures", "sittings", "timing", "watch")
    modules: dict[str, ModuleType] = {name: importlib.import_module(name) for name in wanted}
    for name in names:
        sys.modules.pop(name, None)
    sys.modules.update(others)
    for folder in FOLDERS:
        sys.path.remove(str(folder))
    return SimpleNamespace(**modules)


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict]]:
    """All checks with few windows on every one of `odd_detectors`: its name to check to result."""
    names = [name for name, _ in DETECTORS]
    halves = [names[0::2], names[1::2]]  # there are two cores
    running = [_started(half, tmp_path_factory.mktemp("variant")) for half in halves]
    found: dict[str, dict[str, dict]] = {}
    for half, process in zip(halves, running, strict=True):
        said, _ = process.communicate()
        assert process.returncode == 0
        lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        assert [line["defects"] for line in lines] == [{}] * len(half), "a check failed to do its own work"
        found |= {name: line["results"] for name, line in zip(half, lines, strict=True)}
    return found


def _started(names: list[str], folder: Path) -> subprocess.Popen[str]:
    entry = f"{HERE}:odd_detectors:"
    command = [sys.executable, "-Wignore", str(HERE / "standin.py"), entry + ",".join(names), entry + "Simple"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen([*command, str(folder), "5", "--few"], stdout=subprocess.PIPE, text=True, env=environment)

"""The real command line in a temporary folder, with keys and a cache of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.wiring import store_at
from tests.conftest import TINY


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


Grader = Callable[..., Done]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables for a command: this machine's, with folders of the test's own."""
    folder = tmp_path_factory.mktemp("grader")
    with store_at(folder / "data"):
        pass
    return {
        **os.environ,
        "GRADER_CONFIG_DIR": str(folder / "config"),
        "GRADER_CACHE_DIR": str(folder / "cache"),
        "GRADER_DATA_DIR": str(folder / "data"),
        "GRADER_EXERCISES": os.pathsep.join([str(TINY.parent), str(TINY.parents[2] / "exercises")]),
        "COLUMNS": "160",
    }


@pytest.fixture
def grader(environment: dict[str, str], tmp_path: Path) -> Grader:
    """Run a command on an empty store; whatever happens, nobody sees a traceback."""
    shutil.copytree(environment["GRADER_DATA_DIR"], tmp_path / "data")
    own = environment | {"GRADER_DATA_DIR": str(tmp_path / "data")}

    def run(*arguments: object, **variables: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "grader.cli.main", *map(str, arguments)],
            cwd=tmp_path,
            env=own | variables,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    return run

"""The command line's own work on scripted runs: everything but a real box."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grader.cli import grading, regrading
from grader.config import Settings
from grader.engine.grade import Harness
from grader.wiring import store_at
from tests.scripted_runs import ScriptedRuns, Stage


@dataclass
class Desk:
    """An installation in one folder."""

    stage: Stage
    settings: Settings
    engine: bool = True

    @property
    def runs(self) -> ScriptedRuns:
        return self.stage.runs

    def grade(self, *paths: Path, **changes: Any) -> list[grading.Row]:
        order = {"exercise_id": "tiny_sum", "out": self.settings.out, "paths": [str(path) for path in paths]}
        return grading.grade_all(self.settings, grading.Order(**(order | changes)))

    def regrade(self, **changes: Any) -> regrading.Report:
        return regrading.regrade(self.settings, regrading.Order(exercise_id="tiny_sum", **changes))

    def change(self, file: str, old: str, new: str) -> None:
        """Change the exercise."""
        path = self.stage.source / file
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))

    @contextmanager
    def open_harness(self, _: Settings, __: Callable[..., None]) -> Iterator[Harness]:
        assert self.engine, "an engine was asked for"
        yield self.stage.harness


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stage whose store has its tables."""
    folder = tmp_path_factory.mktemp("installation")
    Stage(folder)
    with store_at(folder / "data"):
        return folder


@pytest.fixture
def desk(installation: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An installation that has graded nothing yet."""
    shutil.copytree(installation, tmp_path, dirs_exist_ok=True)
    settings = Settings(
        exercises=(tmp_path / "exercises",),
        out=tmp_path / "spring",
        config_dir=tmp_path / "config",
        cache_dir=tmp_path / "cache",
        data_dir=tmp_path / "data",
    )
    desk = Desk(Stage(tmp_path), settings)
    for module in (grading, regrading):
        monkeypatch.setattr(module, "open_harness", desk.open_harness)
    return desk

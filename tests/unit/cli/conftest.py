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
    return desk_in(tmp_path, installation, monkeypatch)


def desk_in(folder: Path, copied: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A copy of an installation that grades with scripted runs."""
    shutil.copytree(copied, folder, dirs_exist_ok=True)
    settings = Settings(
        exercises=(folder / "exercises",),
        out=folder / "spring",
        config_dir=folder / "config",
        cache_dir=folder / "cache",
        data_dir=folder / "data",
    )
    desk = Desk(Stage(folder), settings)
    for module in (grading, regrading):
        monkeypatch.setattr(module, "open_harness", desk.open_harness)
    return desk

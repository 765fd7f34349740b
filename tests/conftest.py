"""What tests of every kind share: a harness on a real engine, small exercises, submissions made of texts."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from grader.catalog.exercises import load_exercise
from grader.config import load_settings
from grader.engine.grade import Graded, GradingRun, Harness, Watcher
from grader.keys import SERVER, Keyring
from grader.model.exercise import Exercise
from grader.sandbox.docker_box import DockerSandbox
from grader.sandbox.docker_engine import Engine, connect
from grader.sandbox.images import ensure_images
from grader.sandbox.port import Role
from grader.sandbox.process_box import ProcessSandbox

# How long an example takes is no pass or fail. `make test` tries the same examples each time, so that what it says
# depends on the code alone; `make fuzz` draws others, with --hypothesis-profile.
settings.register_profile("explore", deadline=None)
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile("same")

collect_ignore = ["exercises"]  # their checks run in checker boxes

TINY = Path(__file__).parent / "exercises" / "tiny_sum"
REFERENCE = (TINY / "solutions" / "reference" / "add.py").read_text()
MANIFEST = (TINY / "template" / "submission.toml").read_text()


@dataclass(frozen=True)
class Bench:
    """An exercise and a harness to grade it with."""

    harness: Harness
    exercise: Exercise
    source: Path

    def grade(self, path: Path, candidate: str | None = None, watcher: Watcher | None = None) -> Graded:
        """Grade what lies at a path."""
        return GradingRun(self.harness, self.exercise, self.source, candidate, watcher or Watcher()).grade(path)


@pytest.fixture(scope="session")
def tiny() -> Exercise:
    """The smallest exercise."""
    return load_exercise(TINY)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine of this machine; where none answers the tests fail, on purpose."""
    with connect(load_settings()) as engine:
        yield engine


@pytest.fixture(scope="session")
def docker_harness(engine: Engine) -> Iterator[Harness]:
    """A harness on real boxes."""
    with docker_harness_on(engine) as harness:
        yield harness


@contextmanager
def docker_harness_on(engine: Engine) -> Iterator[Harness]:
    """Make a harness with keys and a cache of its own; its hidden worlds are the same every time."""
    images = ensure_images(engine, load_settings(), lambda _: None)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config"
        config.mkdir(mode=0o700)
        (config / SERVER).touch(mode=0o600)
        (config / SERVER).write_text("07" * 32 + "\n")
        yield Harness(
            sandbox=DockerSandbox(engine, load_settings().runtime),
            images={Role.SUBMISSION: images.runtime, Role.CHECKER: images.checker},
            packages=("numpy", "pandas"),
            keyring=Keyring(Path(folder) / "config"),
            cache=Path(folder) / "cache",
            version="test",
            digest="0" * 64,
        )


@pytest.fixture(scope="session")
def process_harness() -> Iterator[Harness]:
    """A harness whose boxes are child processes."""
    with tempfile.TemporaryDirectory() as folder:
        yield Harness(
            sandbox=ProcessSandbox(),
            images={Role.SUBMISSION: "process", Role.CHECKER: "process"},
            packages=("numpy", "pandas"),
            keyring=Keyring(Path(folder) / "config"),
            cache=Path(folder) / "cache",
            version="test",
            digest="0" * 64,
        )


@pytest.fixture
def submission(tmp_path: Path) -> Callable[..., Path]:
    """Write a submission of tiny_sum: texts by file name; what is left out is the reference's."""

    def write(name: str = "ada", files: Mapping[str, str] | None = None) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        for path, text in {"add.py": REFERENCE, "submission.toml": MANIFEST, **(files or {})}.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
        return folder

    return write

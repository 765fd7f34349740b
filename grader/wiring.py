"""The only module that knows every adapter: builds what the command line asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from grader import __version__
from grader.config import Settings
from grader.engine.grade import Harness
from grader.keys import Keyring
from grader.sandbox.docker_box import DockerSandbox
from grader.sandbox.docker_engine import connect
from grader.sandbox.images import find_images, named_packages
from grader.sandbox.port import Box, BoxSpec, Role, Sandbox
from grader.sandbox.reaper import Process, is_alive, reap, this_process
from grader.store.artefacts import Artefacts

if TYPE_CHECKING:
    from grader.store.database import Database
    from grader.store.runs import RunStore

PACKAGE = Path(__file__).resolve().parent


@contextmanager
def open_harness(settings: Settings, report: Callable[[str], None]) -> Iterator[Harness]:
    """Connect with the engine, clear away what dead processes left, and offer what runs need.

    Raises:
        EngineUnavailable: No engine answers.
        ImageMissing: The images have not been built.
    """
    with connect(settings) as engine:
        images = find_images(engine)
        for reaped in reap(engine):
            report(f"removed the left-over box {reaped.container}: {reaped.why}")
        yield Harness(
            sandbox=DockerSandbox(engine, runtime=settings.runtime),
            images={Role.SUBMISSION: images.runtime, Role.CHECKER: images.checker},
            packages=tuple(named_packages(Role.SUBMISSION)),
            keyring=Keyring(settings.config_dir),
            cache=settings.cache_dir,
            version=__version__,
            digest=harness_digest(),
        )


@dataclass(frozen=True, slots=True)
class CheckerApart:
    """Opens checker boxes as child processes, and all others as usual."""

    boxes: Sandbox
    processes: Sandbox

    def open(self, spec: BoxSpec) -> Box:
        """Start a box; see `grader.sandbox.port.Sandbox`."""
        return (self.processes if spec.role is Role.CHECKER else self.boxes).open(spec)


def with_checker_process(harness: Harness, terminal: tuple[int, int, int]) -> Harness:
    """Return a harness whose checks run as a child process with this terminal: for authors with a debugger."""
    from grader.sandbox.process_box import ProcessSandbox

    return replace(
        harness,
        sandbox=CheckerApart(harness.sandbox, ProcessSandbox(terminal=terminal)),
        images={**harness.images, Role.CHECKER: "a child process"},  # what it generates is kept apart
    )


def harness_digest() -> str:
    """Digest of grader's own sources: SHA-256 over names and contents."""
    total = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        total.update(f"{path.relative_to(PACKAGE).as_posix()} {len(content)}\n".encode() + content)
    return total.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What an installation remembers: the database of runs, and the files that belong to them."""

    database: Database
    runs: RunStore
    artefacts: Artefacts


@contextmanager
def open_store(settings: Settings) -> Iterator[Store]:
    """Open the store, which is made when it is not there.

    Raises:
        UsageError: The settings or the version of the database are wrong.
        StoreFailed: It cannot be opened or written.
    """
    with store_at(settings.data_dir, settings.database, settings.artefacts) as store:
        yield store


@contextmanager
def store_at(folder: Path, url: str | None = None, artefacts: str | None = None) -> Iterator[Store]:
    """Open the store in a folder; see `open_store`."""
    from grader.store.opening import kept_at, tables_at
    from grader.store.runs import RunStore

    kept = kept_at(folder, artefacts)
    with tables_at(folder, url) as database:
        runs = RunStore(database, str(this_process()), _lives)
        yield Store(database=database, runs=runs, artefacts=kept)


def _lives(owner: str) -> bool | None:
    """Whether the process of this name lives; None when it is another machine's."""
    process = Process.parse(owner)
    if process is None or not process.machine or process.machine != this_process().machine:
        return None
    return is_alive(process)

"""The only module that knows every adapter: builds what the command line asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from grader import __version__
from grader.config import Settings
from grader.engine.grade import Harness
from grader.keys import Keyring
from grader.sandbox.docker_box import DockerSandbox
from grader.sandbox.docker_engine import connect
from grader.sandbox.images import find_images, named_packages
from grader.sandbox.port import Role
from grader.sandbox.reaper import reap

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


def harness_digest() -> str:
    """Digest of grader's own sources: SHA-256 over names and contents."""
    total = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        content = path.read_bytes()
        total.update(f"{path.relative_to(PACKAGE).as_posix()} {len(content)}\n".encode() + content)
    return total.hexdigest()

"""Starting an engine where nothing does: a second one here, with folders and a socket of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.config import Settings
from grader.sandbox.engine_setup import ensure_engine, look_at_machine, start_daemon, wait_for

pytestmark = pytest.mark.docker


@pytest.fixture
def folder() -> Iterator[Path]:
    # Short, as the path of a socket may have 107 bytes only.
    with tempfile.TemporaryDirectory(prefix="gr-", dir="/tmp") as name:
        yield Path(name)


def test_an_engine_that_answers_is_used_as_it_is() -> None:
    with ensure_engine(Settings(), pytest.fail) as engine:
        assert engine.version.engine


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start an engine")
def test_a_daemon_that_was_started_answers_and_outlives_its_starter(folder: Path) -> None:
    socket = f"unix://{folder}/docker.sock"
    places = [f"--{name}={folder / name}" for name in ("data-root", "exec-root", "pidfile")]
    quiet = ["--bridge=none", "--iptables=false", "--ip6tables=false", "--storage-driver=vfs"]
    command = [look_at_machine().dockerd or "dockerd", f"--host={socket}", *places, *quiet]
    daemon = start_daemon(command, folder / "log")
    try:
        with wait_for(Settings(docker_host=socket), daemon) as engine:
            assert engine.info()["DockerRootDir"] == str(folder / "data-root")
        assert os.getsid(daemon.process.pid) == daemon.process.pid  # no terminal can take it along
    finally:
        daemon.process.terminate()
        daemon.process.wait(timeout=30)

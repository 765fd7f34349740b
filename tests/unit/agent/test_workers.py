"""Processes in which calls are made."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from grader.agent.workers import Worker


def test_a_worker_that_cannot_be_started_leaves_no_pipe_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", full)
    before = sorted(Path("/proc/self/fd").iterdir())
    with pytest.raises(BlockingIOError):
        Worker("a:A", tmp_path, {}, 100, 5.0)
    assert sorted(Path("/proc/self/fd").iterdir()) == before

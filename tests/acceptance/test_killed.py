"""A grader that is killed in the middle of a batch: what was finished stays, and the next one clears up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox.docker_engine import Engine
from tests.acceptance.conftest import Grader
from tests.conftest import REFERENCE

pytestmark = pytest.mark.docker

SLEEPS = REFERENCE.replace("    total =", "    import time; time.sleep(60)\n    total =")


def test_a_batch_that_was_killed_can_be_gone_on_with(
    grader: Grader, environment: dict[str, str], submission: Callable[..., Path], tmp_path: Path, engine: Engine
) -> None:
    first, second, out = submission("ada"), submission("bob", {"add.py": SLEEPS}), tmp_path / "out"
    grade = ["grade", "tiny_sum", str(first), str(second), "--jobs", "1", "--out", str(out)]
    command = [sys.executable, "-m", "grader.cli.main", *grade]
    running = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    while "bob: running the checks" not in (line := running.stderr.readline()):
        assert line, "it ended before the second submission"
    os.kill(running.pid, signal.SIGKILL)
    running.communicate(timeout=60)
    before = (out / "ada" / "sheet.json").read_bytes()
    assert grader("sheet", "verify", out / "ada" / "sheet.json").status == 0
    (second / "add.py").write_text(REFERENCE)
    done = grader("grade", "tiny_sum", second, "--out", out, "--json")
    assert (done.status, done.data[0]["earned"]) == (0, 10.0)
    owners = [
        container["Labels"]["grader.owner"]
        for container in engine.api.containers(all=True, filters={"label": "grader.owner"})
    ]
    assert not [owner for owner in owners if f"/{running.pid}/" in owner]
    assert (out / "ada" / "sheet.json").read_bytes() == before
    assert {path.name for path in out.iterdir()} == {"ada", "bob", "summary.csv"}
    assert json.loads(before)["earned"] == 10.0

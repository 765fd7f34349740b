"""Runs your program on the sample."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

KIT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """What your program says of the sample."""
    manifest = tomllib.loads((KIT / "submission.toml").read_text(encoding="utf-8"))
    argv = [sys.executable if word == "python" else word for word in manifest["command"]["argv"]]
    out = tmp_path_factory.mktemp("run") / "out"
    done = subprocess.run([*argv, "--data", "sample", "--out", str(out)], cwd=KIT, timeout=120, check=False)
    assert done.returncode == 0, "the program must end with exit status 0"
    return json.loads((out / "summary.json").read_text(encoding="utf-8"))

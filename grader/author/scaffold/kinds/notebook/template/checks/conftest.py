"""Runs your notebook on the sample, as plain Python; while grading it has a kernel of Jupyter."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

KIT = Path(__file__).resolve().parents[1]
RUN = """
import json, sys
names = {"__name__": "__main__"}
with open(sys.argv[1], encoding="utf-8") as file:
    cells = json.load(file)["cells"]
for cell in cells:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), names)
"""


@pytest.fixture(scope="session")
def summary(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, float]]:
    """What your notebook says of the sample; it is run in a copy of this folder."""
    path = tomllib.loads((KIT / "submission.toml").read_text(encoding="utf-8"))["notebook"]["path"]
    work = tmp_path_factory.mktemp("run") / "work"
    shutil.copytree(KIT, work, ignore=shutil.ignore_patterns(".git", ".venv", "sample", "checks", "decision.json"))
    variables = os.environ | {"DATA_DIR": str(KIT / "sample")}
    done = subprocess.run([sys.executable, "-c", RUN, path], cwd=work, env=variables, timeout=120, check=False)
    assert done.returncode == 0, "every code cell must run"
    return json.loads((work / "decision.json").read_text(encoding="utf-8"))

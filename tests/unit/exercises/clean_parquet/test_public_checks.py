"""The public checks of the kit: ten, quick, failed by the stub and passed by the reference."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest


@pytest.fixture
def kit(exercise, public, tmp_path):
    """The template with the public data, as a candidate has them."""
    folder = tmp_path / "kit"
    shutil.copytree(exercise / "template", folder)
    shutil.copytree(public, folder, dirs_exist_ok=True)
    return folder


def outcome(kit):
    """Run the public checks as the brief says; returns outcome to count."""
    command = [sys.executable, "-m", "pytest", "checks", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=kit, capture_output=True, text=True, timeout=120, check=False)
    return {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|error)", done.stdout)}


@pytest.mark.slow
def test_the_stub_runs_and_passes_little(kit):
    assert outcome(kit) == {"failed": 8, "passed": 2}


@pytest.mark.slow
def test_the_reference_passes_all(kit, exercise):
    shutil.copytree(exercise / "solutions" / "reference", kit, dirs_exist_ok=True)
    assert outcome(kit) == {"passed": 10}


def test_the_template_needs_nothing_but_what_the_brief_names(exercise):
    text = "".join(path.read_text(encoding="utf-8") for path in (exercise / "template").rglob("*.py"))
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"pandas", "pyarrow", "pytest", "conftest"}

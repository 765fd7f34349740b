"""A kit as candidates have it, and what its public checks say."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def make_kit(exercise: Path, public: Path, folder: Path) -> Path:
    """Lay the template and the public data into a new folder."""
    shutil.copytree(exercise / "template", folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(public, folder, dirs_exist_ok=True)
    return folder


def report(kit: Path) -> str:
    """Run the public checks as the brief says; returns what pytest prints."""
    command = [sys.executable, "-m", "pytest", "checks", "-q", "-p", "no:cacheprovider"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=kit, capture_output=True, text=True, timeout=240, check=False, env=environment)
    return done.stdout


def outcome(kit: Path) -> dict[str, int]:
    """Run the public checks; returns how many passed, failed, and could not be run."""
    return {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|error)", report(kit))}

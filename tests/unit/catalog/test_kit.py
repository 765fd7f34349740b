"""Kits: complete, whole or not at all, and nothing in them that is hidden."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from grader.catalog.exercises import load_exercise
from grader.catalog.kit import build_kit
from grader.errors import ExerciseDefect, UsageError
from tests.conftest import TINY

PACKAGES = {"pandas": "3.1.1", "xgboost-cpu": "3.0"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "public" / "raw").mkdir(parents=True)
    (tmp_path / "public" / "raw" / "numbers.txt").write_text("1\n")
    return tmp_path / "public"


def built(data: Path, target: Path, source: Path = TINY) -> Path:
    build_kit(load_exercise(TINY), source, data, target, packages=PACKAGES, candidate="Ada L.")
    return target


def test_holds_what_a_candidate_needs(data: Path, tmp_path: Path) -> None:
    kit = built(data, tmp_path / "kit")
    names = {path.relative_to(kit).as_posix() for path in kit.rglob("*") if path.is_file() and ".git/" not in str(path)}
    own = {"README.md", "Makefile", "pack.py", ".gitignore", "requirements.txt"}
    assert names == own | {"brief.md", "add.py", "submission.toml", "raw/numbers.txt"}
    assert "Ada L." in (kit / "README.md").read_text()
    assert "| Engineering care | 8 |" in (kit / "README.md").read_text()
    assert "pandas==3.1.1\n" in (kit / "requirements.txt").read_text()


def test_is_a_repository_with_one_commit(data: Path, tmp_path: Path) -> None:
    kit = built(data, tmp_path / "kit")
    log = subprocess.run(["git", "log", "--format=%an %s"], cwd=kit, capture_output=True, text=True, check=True)
    assert log.stdout == "grader The kit as it was handed out\n"
    status = subprocess.run(["git", "status", "--short"], cwd=kit, capture_output=True, text=True, check=True)
    assert status.stdout == ""


def test_nothing_hidden_is_in_it(data: Path, tmp_path: Path) -> None:
    kit = built(data, tmp_path / "kit")
    hidden = [path.read_bytes() for part in ("checks", "solutions", "data") for path in (TINY / part).rglob("*.*")]
    found = [path for path in kit.rglob("*") if path.is_file() and path.read_bytes() in hidden]
    # the manifest of the reference is the template's own
    assert [path.name for path in found] == ["submission.toml"]


def test_never_overwrites(data: Path, tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    built(data, tmp_path / "kit")
    with pytest.raises(UsageError, match="already holds something"):
        built(data, tmp_path / "kit")


def test_an_overlap_is_a_defect_and_leaves_nothing(data: Path, tmp_path: Path) -> None:
    source = tmp_path / "tiny_sum"
    shutil.copytree(TINY, source)
    (source / "template" / "Makefile").write_text("")
    with pytest.raises(ExerciseDefect, match="Makefile"):
        built(data, tmp_path / "kit", source)
    assert not (tmp_path / "kit").exists()

"""Pinned requirements: complete, hashed, and without any address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def entries(lock: Path) -> list[str]:
    return [line for line in lock.read_text().replace("\\\n", " ").splitlines() if line.strip()]


def wanted(file: Path) -> set[str]:
    """Names in an .in file and in those that it includes."""
    names: set[str] = set()
    for line in file.read_text().splitlines():
        if line.startswith("-r "):
            names |= wanted(file.parent / line[3:])
        elif line and not line.startswith("#"):
            names.add(line.partition("[")[0])
    return names


def pinned(lock: Path) -> set[str]:
    return {line.split("==")[0].partition("[")[0] for line in entries(lock)}


def test_there_is_one_for_each_place() -> None:
    assert [lock.stem for lock in LOCKS] == ["base", "checker-image", "dev", "runtime-image"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_carries_no_address(lock: Path) -> None:
    assert not re.search(r"://|--(extra-)?index-url|--find-links|\bfile:", lock.read_text())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_line_is_pinned_and_hashed(lock: Path) -> None:
    line = r"^[\w.-]+(\[[\w,-]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}"
    loose = [each for each in entries(lock) if not re.match(line, each)]
    assert loose == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_holds_all_that_was_asked_for(lock: Path) -> None:
    assert wanted(lock.with_suffix(".in")) <= pinned(lock)


@pytest.mark.parametrize("name", ["runtime-image", "checker-image"])
def test_images_have_no_markers_for_pip_to_judge_by_the_hosts_python(name: str) -> None:
    assert ";" not in (ROOT / "requirements" / f"{name}.txt").read_text()


def test_the_host_stays_light() -> None:
    assert not pinned(ROOT / "requirements" / "base.txt") & {"pandas", "numpy", "pyarrow", "matplotlib", "polars"}


def test_both_images_agree_on_every_shared_package() -> None:
    first, second = (
        dict(line.split(" ")[0].split("==") for line in entries(ROOT / "requirements" / f"{name}-image.txt"))
        for name in ("runtime", "checker")
    )
    assert {name for name in first.keys() & second.keys() if first[name] != second[name]} == set()

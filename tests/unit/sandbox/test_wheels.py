"""Wheels: which ones suit the engine, and that the cache is trusted only when it is complete."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from grader.errors import ImageMissing
from grader.sandbox.wheels import fetch_wheels, only_new, pins, platforms

LOCK = b"six==1.17.0 \\\n    --hash=sha256:" + b"0" * 64 + b"\n"


def test_pins_are_read_past_hashes_and_markers() -> None:
    text = f"{LOCK.decode()}# why\nnumpy==2.4.6 ; python_version < '3.12' \\\n    --hash=sha256:{'1' * 64}\n"
    assert pins(text) == {"six": "1.17.0", "numpy": "2.4.6"}


def test_only_new_packages_go_on_top_with_all_their_hashes() -> None:
    numpy = f"numpy==2.4.6 \\\n    --hash=sha256:{'1' * 64} \\\n    --hash=sha256:{'2' * 64}\n"
    assert only_new(LOCK.decode() + numpy, LOCK.decode()) == numpy


def test_wheels_are_chosen_by_the_engines_machine() -> None:
    assert platforms("arm64")[0] == "manylinux_2_28_aarch64"
    assert {"manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux1_x86_64"} <= set(platforms("amd64"))


@pytest.mark.parametrize("architecture", ["riscv64", ""])
def test_a_machine_without_wheels_is_refused(architecture: str) -> None:
    with pytest.raises(ImageMissing, match="no wheels"):
        platforms(architecture)


def test_a_complete_cache_asks_nobody(tmp_path: Path) -> None:
    (tmp_path / "six-1.17.0-py3-none-any.whl").touch()
    (tmp_path / ".complete").touch()
    said: list[str] = []
    assert [wheel.name for wheel in fetch_wheels(LOCK, tmp_path, "amd64", said.append)] == [
        "six-1.17.0-py3-none-any.whl"
    ]
    assert said == []


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place that pip knows: a folder with one wheel, made here."""
    wheel = tmp_path / "index" / "tiny-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        archive.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    for name, value in {
        "INDEX_URL": "",
        "EXTRA_INDEX_URL": "",
        "FIND_LINKS": str(wheel.parent),
        "NO_INDEX": "1",
    }.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return wheel


def tiny(digest: str) -> bytes:
    return f"tiny==1.0 --hash=sha256:{digest}\n".encode()


def test_wheels_are_fetched_once_from_where_pip_is_set_to_look(index: Path, tmp_path: Path) -> None:
    lock, said = tiny(hashlib.sha256(index.read_bytes()).hexdigest()), list[str]()
    first = fetch_wheels(lock, tmp_path / "wheels", "arm64", said.append)
    index.unlink()
    assert [wheel.name for wheel in first] == ["tiny-1.0-py3-none-any.whl"]
    assert fetch_wheels(lock, tmp_path / "wheels", "arm64", said.append) == first
    assert said == ["fetching 1 packages"]


def test_a_wheel_with_another_hash_is_refused_and_not_taken_for_complete(index: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageMissing, match="HASHES") as caught:
        fetch_wheels(tiny("0" * 64), tmp_path / "wheels", "amd64", lambda _: None)
    assert "pip config list" in caught.value.hint
    assert not (tmp_path / "wheels" / ".complete").exists()

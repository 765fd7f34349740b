"""Wheels: which ones suit the engine, and that the cache is trusted only when it is complete."""

from __future__ import annotations

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


def test_a_download_that_failed_is_not_taken_for_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An index that does not exist, so that nothing outside this machine is asked.
    for name, value in {
        "INDEX_URL": "file:///nowhere",
        "EXTRA_INDEX_URL": "",
        "FIND_LINKS": "",
        "NO_INDEX": "1",
    }.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    with pytest.raises(ImageMissing, match="six") as caught:
        fetch_wheels(LOCK, tmp_path / "wheels", "amd64", lambda _: None)
    assert "pip config list" in caught.value.hint
    assert not (tmp_path / "wheels" / ".complete").exists()

"""Files by the digest of their content."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from grader.errors import StoreFailed
from grader.model.submission import Submission, SubmissionFile, digest_files
from grader.store.artefacts import Artefacts, pack, unpack


def test_what_was_put_comes_back_and_equal_things_are_one(tmp_path: Path) -> None:
    artefacts = Artefacts(tmp_path)
    assert artefacts.put(b"log") == artefacts.put(b"log")
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [b"log"]


def test_damage_is_noticed(tmp_path: Path) -> None:
    artefacts = Artefacts(tmp_path)
    digest = artefacts.put(b"log")
    (tmp_path / digest[:2] / digest).write_bytes(b"lie")
    with pytest.raises(StoreFailed, match="changed or damaged"):
        artefacts.get(digest)
    (tmp_path / digest[:2] / digest).unlink()
    with pytest.raises(StoreFailed, match="cannot be read"):
        artefacts.get(digest)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreFailed, match="No space left"):
        Artefacts(tmp_path).put(b"log")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_submission_survives_packing(tmp_path: Path) -> None:
    long = "d" * 120 + "/" + "ü" * 60 + "/clean.py"
    files = (SubmissionFile(path="a.py", content=b"1"), SubmissionFile(path=long, content=b"\0" * 3000))
    before = Submission(label="ada.zip", files=files, digest=digest_files(files))
    assert unpack(pack(before), "ada.zip") == before
    assert pack(before) == pack(before)

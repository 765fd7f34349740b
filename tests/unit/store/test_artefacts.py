"""Files by the digest of their content."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from grader.errors import StoreFailed
from grader.model.submission import Submission, SubmissionFile, digest_files
from grader.store.artefacts import ArtefactFolder, Artefacts, pack, unpack
from grader.store.opening import kept_at


@pytest.fixture(params=["folder", "file", "local", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Everywhere that files can be kept; `local` is a folder by way of fsspec."""
    yield {"folder": "", "file": "file://", "local": "local://", "memory": "memory://"}[request.param] + str(tmp_path)
    MemoryFileSystem.store.clear()


@pytest.fixture
def artefacts(place: str, tmp_path: Path) -> Artefacts:
    return kept_at(tmp_path, place)


def spoil(place: str, digest: str, content: bytes) -> None:
    """Write something else where a file is kept."""
    url = place if "://" in place else f"file://{place}"
    with fsspec.open(f"{url}/{digest[:2]}/{digest}", "wb") as file:
        file.write(content)


def test_what_was_put_comes_back(artefacts: Artefacts) -> None:
    digest = artefacts.put(b"log")
    assert (digest, artefacts.get(digest)) == (hashlib.sha256(b"log").hexdigest(), b"log")
    assert artefacts.get(artefacts.put(b"")) == b""


def test_equal_things_are_one(place: str, artefacts: Artefacts) -> None:
    assert artefacts.put(b"log") == artefacts.put(b"log")
    system, root = fsspec.url_to_fs(place)
    assert [system.cat_file(path) for path in system.find(root)] == [b"log"]


def test_damage_is_noticed(place: str, artefacts: Artefacts) -> None:
    digest = artefacts.put(b"log")
    spoil(place, digest, b"lie")
    with pytest.raises(StoreFailed, match="changed or damaged"):
        artefacts.get(digest)
    artefacts.remove(digest)
    with pytest.raises(StoreFailed, match=r"cannot be read|is not in"):
        artefacts.get(digest)


def test_what_is_gone_can_be_removed_again(artefacts: Artefacts) -> None:
    digest = artefacts.put(b"log")
    artefacts.remove(digest)
    artefacts.remove(digest)
    with pytest.raises(StoreFailed):
        artefacts.get(digest)


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreFailed, match="No space left"):
        ArtefactFolder(tmp_path).put(b"log")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_submission_survives_packing(tmp_path: Path) -> None:
    long = "d" * 120 + "/" + "ü" * 60 + "/clean.py"
    files = tuple(SubmissionFile(path=path, content=b"\0" * 3000) for path in ("a.py", "conftest.py", long))
    before = Submission(label="ada.zip", files=files, digest=digest_files(files), steering=("conftest.py",))
    assert unpack(pack(before), "ada.zip") == before
    assert pack(before) == pack(before)

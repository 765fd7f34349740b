"""Files in an object store: nothing half, and nothing of a driver's words."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from grader.errors import StoreFailed, UsageError
from grader.store.artefacts import Artefacts
from grader.store.objects import shown
from grader.store.opening import kept_at

SECRET = "hunter2"
URL = f"memory://ada:{SECRET}@kept/files?signature={SECRET}"


class NoCredentialsError(Exception):
    """What a driver for S3 raises."""


@pytest.fixture
def artefacts() -> Iterator[Artefacts]:
    yield kept_at(Path("unused"), URL)
    MemoryFileSystem.store.clear()


def half(system: MemoryFileSystem, path: str, value: bytes, **_: object) -> None:
    """Break off in the middle, in a place that shows what came."""
    with system.open(path, "wb") as file:
        file.write(value[:3])


def test_an_upload_that_breaks_off_never_passes_as_whole(artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = artefacts.put(b"submission")
    artefacts.remove(digest)
    with monkeypatch.context() as broken:
        broken.setattr(MemoryFileSystem, "pipe_file", half)
        with pytest.raises(StoreFailed, match="arrived there in part"):
            artefacts.put(b"submission")
    with pytest.raises(StoreFailed, match="changed or damaged"):
        artefacts.get(digest)
    assert artefacts.get(artefacts.put(b"submission")) == b"submission"  # and heals


ERRORS = [
    (PermissionError(SECRET), "there is no right", "Give these keys the right"),
    (NoCredentialsError(SECRET), "needs keys", "AWS_ACCESS_KEY_ID"),
    (ConnectionError(SECRET), "does not answer", "same command again"),
    (RuntimeError(SECRET), r"failed \(RuntimeError\)", "same command again"),
]


def fails_with(error: Exception) -> Callable[..., None]:
    def fails(*_: object, **__: object) -> None:
        raise error

    return fails


@pytest.mark.parametrize(("error", "said", "hint"), ERRORS)
@pytest.mark.parametrize("call", ["pipe_file", "rm_file", "cat_file"])
def test_errors_are_words_of_ours(
    artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch, call: str, error: Exception, said: str, hint: str
) -> None:
    digest = artefacts.put(b"log")
    acts: dict[str, Callable[[], object]] = {
        "pipe_file": lambda: artefacts.put(b"other"),
        "rm_file": lambda: artefacts.remove(digest),
        "cat_file": lambda: artefacts.get(digest),
    }
    monkeypatch.setattr(MemoryFileSystem, call, fails_with(error))
    with pytest.raises(StoreFailed, match=said) as failed:
        acts[call]()
    assert hint in failed.value.hint
    assert SECRET not in f"{failed.value.message} {failed.value.hint}"


def test_a_missing_bucket_is_named(artefacts: Artefacts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryFileSystem, "pipe_file", fails_with(FileNotFoundError(SECRET)))
    with pytest.raises(StoreFailed, match="memory://kept/files was not found") as failed:
        artefacts.put(b"log")
    assert "Make the bucket" in failed.value.hint


def test_nothing_is_called_removed_where_there_is_no_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_buckets(_: type, path: str) -> str:
        return path.removeprefix("memory://").rstrip("/")

    monkeypatch.setattr(MemoryFileSystem, "_strip_protocol", classmethod(with_buckets))
    with pytest.raises(StoreFailed, match="memory://kept/files was not found"):
        kept_at(Path("unused"), "memory://kept/files").remove("0" * 64)


def test_a_url_is_shown_without_what_is_secret() -> None:
    assert shown(URL) == "memory://kept/files"


@pytest.mark.parametrize(
    ("place", "said", "hint"),
    [
        (f"nowhere://ada:{SECRET}@x", "no way to nowhere://x", "s3://bucket/folder"),
        ("simplecache::s3://x", "cannot be used", "s3://bucket/folder"),
    ],
)
def test_a_place_that_nobody_knows_is_a_mistake_in_the_settings(place: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        kept_at(Path("unused"), place)
    assert hint in refused.value.hint
    assert SECRET not in refused.value.message


@pytest.mark.parametrize(("missing", "hint"), [("fsspec", "'grader[objects]'"), ("s3fs", "Install s3fs")])
def test_a_missing_package_is_named(missing: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError, match="not installed, which s3://kept needs") as refused:
        kept_at(Path("unused"), "s3://kept")
    assert hint in refused.value.hint


def test_without_a_url_files_lie_beside_the_database(tmp_path: Path) -> None:
    kept_at(tmp_path).put(b"log")
    assert [path.read_bytes() for path in (tmp_path / "artefacts").rglob("*") if path.is_file()] == [b"log"]

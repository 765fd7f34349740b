"""Repositories in a list of candidates: one commit comes as an archive, and nothing of it runs here."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.cli import fetching
from grader.cli.entries import from_manifest
from grader.errors import SubmissionRejected, UsageError
from grader.intake.receive import receive

IDENTITY = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "work.git"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, {"clean.py": "print(1)\n", "submission.toml": "[command]\n"})
    return folder


def commit(folder: Path, files: Mapping[str, str]) -> str:
    for name, text in files.items():
        (folder / name).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "work")
    return git(folder, "rev-parse", "HEAD")


def fetched(tmp_path: Path, address: str) -> Path:
    listed = tmp_path / "list.csv"
    listed.write_text(f"candidate,path\nAda,{address}\n")
    (named,) = from_manifest(listed, tmp_path, lambda _: None)
    if named.missing is not None:
        raise named.missing
    return named.path


def content(archive: Path) -> dict[str, bytes]:
    return {file.path: file.content for file in receive(archive).files}


def test_a_commit_comes_as_an_archive_that_is_named_after_it(tmp_path: Path, repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    archive = fetched(tmp_path, f"file://{repository}")
    assert archive.name == f"work-{first[:12]}.tar.gz"
    assert content(archive) == {"clean.py": b"print(1)\n", "submission.toml": b"[command]\n"}


def test_a_branch_a_tag_or_a_commit_may_be_named(tmp_path: Path, repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD")
    git(repository, "tag", "handed-in")
    commit(repository, {"clean.py": "print(2)\n"})
    git(repository, "branch", "other")
    for name, text in {"HEAD": 2, "main": 2, "other": 2, "handed-in": 1, first: 1}.items():
        assert content(fetched(tmp_path, f"file://{repository}#{name}"))["clean.py"] == f"print({text})\n".encode()


def test_files_are_those_of_the_commit_and_no_filter_works_on_them(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit(repository, {".gitattributes": "clean.py filter=trap export-subst ident\nsubmission.toml export-ignore\n",
                        "clean.py": "# $Format:%an$ $Id$\r\n"})  # fmt: skip
    home = tmp_path / "home"
    home.mkdir()
    trap = f"touch {tmp_path}/trapped; cat"  # as the caller may have git-lfs
    (home / ".gitconfig").write_text(f'[filter "trap"]\nsmudge = "{trap}"\n')
    monkeypatch.setenv("HOME", str(home))
    archive = fetched(tmp_path, f"file://{repository}")
    assert content(archive)["clean.py"] == b"# $Format:%an$ $Id$\r\n"
    assert "submission.toml" in content(archive)
    assert not (tmp_path / "trapped").exists()


def test_a_link_is_refused_as_in_any_archive(tmp_path: Path, repository: Path) -> None:
    (repository / "link").symlink_to("/etc/passwd")
    commit(repository, {})
    with pytest.raises(SubmissionRejected, match="link"):
        receive(fetched(tmp_path, f"file://{repository}"))


def test_what_is_not_there_is_named_without_secrets(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(UsageError, match=r"work\.git#nobody cannot be fetched") as caught:
        fetched(tmp_path, f"file://{repository}#nobody")
    assert "git ls-remote" in caught.value.hint
    with pytest.raises(UsageError, match="does not appear to be a git repository"):
        fetched(tmp_path, f"file://{tmp_path}/none.git")
    with pytest.raises(UsageError) as caught:
        fetched(tmp_path, f"file://ada:t0ken@{tmp_path}/none.git")
    assert "t0ken" not in caught.value.message


def test_a_repository_that_is_too_large(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FILE_CAP", 64 * 1024)
    (repository / "model.bin").write_bytes(bytes(range(256)) * 4096)
    commit(repository, {"noise.bin": "".join(str(number**3) for number in range(40_000))})
    with pytest.raises(UsageError, match=r"holds more than 64\.0 KiB in one commit"):
        fetched(tmp_path, f"file://{repository}")


def test_a_small_pack_of_a_huge_file(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PIECE_CAP", 4 * 1024**2)
    commit(repository, {"zeros.bin": "0" * 8 * 1024**2})  # kilobytes on its way, and megabytes while it is looked at
    with pytest.raises(UsageError, match="in one commit"):
        fetched(tmp_path, f"file://{repository}")


def test_one_that_does_not_answer(tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "FETCH_SECONDS", 0.0)
    with pytest.raises(UsageError, match="did not answer"):
        fetched(tmp_path, f"file://{repository}")

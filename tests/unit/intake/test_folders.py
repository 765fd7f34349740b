"""A folder that is changed by somebody while it is read (SECURITY row 93, and time of check to time of use)."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import SubmissionRejected
from grader.intake.folders import gather_folder
from grader.intake.gathering import Gathering
from grader.intake.limits import IntakeLimits
from grader.intake.paths import Parts
from grader.model.reasons import Rejection
from tests.archives import HONEST, write_folder

SECRET = b"what the host knows"


class Meddling(Gathering):
    """Changes the folder between the look at an entry and its opening: the worst moment, every time."""

    def __init__(self, meddle: Callable[[], None]) -> None:
        super().__init__(IntakeLimits())
        self._meddle = meddle

    def expect(self, parts: Parts) -> None:
        super().expect(parts)
        if parts == ("clean.py",):
            self._meddle()

    def folder(self, parts: Parts) -> None:
        super().folder(parts)
        if parts == ("lib",):
            self._meddle()


def gather(folder: Path, meddle: Callable[[], None]) -> SubmissionRejected:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with pytest.raises(SubmissionRejected) as caught:
            gather_folder(descriptor, Meddling(meddle))
    finally:
        os.close(descriptor)
    return caught.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/rules.py").write_bytes(SECRET)
    return write_folder(tmp_path / "work", HONEST)


def test_a_file_that_becomes_a_link_is_not_followed(folder: Path) -> None:
    def swap() -> None:
        (folder / "clean.py").unlink()
        (folder / "clean.py").symlink_to(folder.parent / "secret/rules.py")

    assert gather(folder, swap).reason is Rejection.LINK


def test_a_folder_that_becomes_a_link_is_not_followed(folder: Path) -> None:
    def swap() -> None:
        if (folder / "lib").is_symlink():
            return
        shutil.rmtree(folder / "lib")
        (folder / "lib").symlink_to(folder.parent / "secret")

    (folder / "clean.py").unlink()
    assert gather(folder, swap).reason is Rejection.LINK


def test_a_file_that_becomes_a_pipe_does_not_make_us_wait(folder: Path) -> None:
    def swap() -> None:
        (folder / "clean.py").unlink()
        os.mkfifo(folder / "clean.py")

    assert gather(folder, swap).reason is Rejection.SPECIAL


def test_a_file_that_becomes_a_socket_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as server:

        def swap() -> None:
            (folder / "clean.py").unlink()
            server.bind("clean.py")

        assert gather(folder, swap).reason is Rejection.SPECIAL


def test_a_file_that_vanishes_is_named(folder: Path) -> None:
    rejection = gather(folder, (folder / "clean.py").unlink)
    assert rejection.reason is Rejection.UNREADABLE
    assert "'clean.py'" in rejection.message


def test_no_descriptor_stays_open(folder: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    gather(folder, (folder / "clean.py").unlink)
    assert len(list(Path("/proc/self/fd").iterdir())) == before

"""What people hand in, and what becomes of it."""

from __future__ import annotations

import os
import socket
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grader.errors import SubmissionRejected, UsageError
from grader.intake.limits import MIB
from grader.intake.receive import receive, refuse_address
from grader.model.reasons import Rejection
from grader.model.submission import Submission
from tests.archives import HONEST, tarred, write_folder, zipped

Take = Callable[..., Submission]
Refused = Callable[..., SubmissionRejected]


@pytest.mark.parametrize(
    "source",
    [
        HONEST, zipped(HONEST), tarred(HONEST), tarred(HONEST, compression="gz"), tarred(HONEST, compression="bz2"),
        tarred(HONEST, compression="xz"), tarred(HONEST, form=tarfile.GNU_FORMAT),
        tarred(HONEST, form=tarfile.USTAR_FORMAT),
    ],
    ids=["folder", "zip", "tar", "gz", "bz2", "xz", "gnu", "ustar"],
)  # fmt: skip
def test_every_way_to_hand_in_gives_the_same_files_and_digest(take: Take, source: object, tmp_path: Path) -> None:
    submission = take(source)
    assert {file.path: file.content for file in submission.files} == HONEST
    assert submission.paths == ("clean.py", "lib/rules.py", "submission.toml")
    assert submission.digest == receive(write_folder(tmp_path / "other", HONEST)).digest
    assert submission.label == "handed-in"
    assert submission.observations == ()


def test_the_digest_depends_on_names_and_contents_only(tmp_path: Path) -> None:
    first = write_folder(tmp_path / "first", HONEST)
    second = write_folder(tmp_path / "second", dict(reversed(HONEST.items())))
    os.utime(second / "clean.py", (0, 0))
    (second / "clean.py").chmod(0o4777)
    assert receive(first).digest == receive(second).digest
    (second / "clean.py").write_bytes(b"other")
    assert receive(first).digest != receive(second).digest


@pytest.mark.parametrize("pack", [zipped, tarred, dict])
@pytest.mark.parametrize("around", ["submission", "My Work (1)/Müller"])
def test_a_folder_around_everything_is_taken_off(take: Take, pack: Callable[..., object], around: str) -> None:
    submission = take(pack({f"{around}/{path}": content for path, content in HONEST.items()}))
    assert submission.paths == ("clean.py", "lib/rules.py", "submission.toml")
    assert around in submission.observations[0]


@pytest.mark.parametrize("pack", [zipped, tarred, dict])
def test_what_tools_make_is_left_out_and_said(take: Take, pack: Callable[..., object]) -> None:
    junk = {".git/HEAD": b"x", "lib/__pycache__/a.pyc": b"x", "venv/b c/d": b"x", "__MACOSX/._clean.py": b"x"}
    submission = take(pack(HONEST | junk))
    assert submission.paths == ("clean.py", "lib/rules.py", "submission.toml")
    assert submission.observations == ("Left out, as tools make it: .git, __MACOSX, __pycache__, venv.",)


def test_links_and_crowds_in_what_is_left_out_do_no_harm(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "work", HONEST | {f".venv/lib/{number}": b"" for number in range(600)})
    (folder / ".venv/python").symlink_to("/usr/bin/python3")
    assert len(receive(folder).files) == len(HONEST)


def test_files_that_steer_a_test_runner_are_kept_and_named(take: Take) -> None:
    submission = take(HONEST | {"conftest.py": b"", "lib/x.pth": b"", "results.json": b""})
    assert submission.steering == ("conftest.py", "lib/x.pth", "results.json")
    assert submission.observations == ()
    assert submission.read("conftest.py") == b""


@pytest.mark.parametrize(
    "source",
    [{}, {".git/HEAD": b"x"}, b"", zipped({}), tarred({}), tarred({}, compression="gz"), zipped({"a/": b""})],
    ids=["folder", "git alone", "file", "zip", "tar", "tar.gz", "zip of a folder"],
)
def test_nothing_at_all_is_empty(refused: Refused, source: object) -> None:
    refused(Rejection.EMPTY, source)


@pytest.mark.parametrize("pack", [zipped, tarred, dict])
class TestLimits:
    """The same limits hold however a submission travels."""

    def test_count_is_refused_beyond_its_limit_only(self, take: Take, refused: Refused, pack: Take) -> None:
        take(pack({f"many/{n}": b"" for n in range(4)}), files=4)
        said = refused(Rejection.COUNT, pack({f"many/{n}": b"" for n in range(5)} | {"x": b""}), files=4)
        assert "'many/'" in said.message

    def test_size_is_refused_beyond_its_limit_only(self, take: Take, refused: Refused, pack: Take) -> None:
        take(pack({"x": b"1" * 600, "raw/a": b"2" * 400}), unpacked=1000)
        said = refused(Rejection.TOO_LARGE, pack({"x": b"1" * 300, "raw/a": b"2" * 701}), unpacked=1000)
        assert "'raw/'" in said.message
        assert "kit" in said.hint

    def test_depth_and_name_length_are_bounded(self, take: Take, refused: Refused, pack: Take) -> None:
        take(pack({"top": b"", "a/" * 9 + "x" * 100: b""}))
        refused(Rejection.NAME, pack({"top": b"", "a/" * 10 + "x": b""}))
        refused(Rejection.NAME, pack({"top": b"", "x" * 101: b""}))

    def test_entries_that_are_left_out_are_bounded_too(self, refused: Refused, pack: Take) -> None:
        refused(Rejection.COUNT, pack({f"{n}.pyc": b"" for n in range(30)}), seen=20)

    def test_case_twins_are_refused(self, refused: Refused, pack: Take) -> None:
        said = refused(Rejection.DUPLICATE, pack({"Clean.py": b"", "clean.py": b""}))
        assert "'Clean.py'" in said.message
        assert "'clean.py'" in said.message
        refused(Rejection.DUPLICATE, pack({"Lib/a.py": b"", "lib/b.py": b""}))

    def test_unicode_twins_are_refused(self, refused: Refused, pack: Take) -> None:
        refused(Rejection.DUPLICATE, pack({"caf\u00e9": b"", "cafe\u0301": b"", "top": b""}))

    def test_a_name_with_a_space_is_refused_by_name(self, refused: Refused, pack: Take) -> None:
        said = refused(Rejection.NAME, pack({"clean.py": b"", "my notes.md": b""}))
        assert said.message == "'my notes.md' has a space in its name."


def test_a_path_that_does_not_exist_is_the_operators_mistake(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path / ("x" * 300), Path("nul\0")):
        with pytest.raises(UsageError) as caught:
            receive(path)
        assert caught.value.hint


def test_a_path_to_a_pipe_is_the_operators_mistake(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="neither a folder nor an archive"):
        receive(tmp_path / "pipe")


def test_the_operators_own_link_is_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "work", HONEST)
    (tmp_path / "latest").symlink_to("work")
    assert len(receive(tmp_path / "latest").files) == len(HONEST)


def test_the_present_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_folder(tmp_path / "work", HONEST))
    assert receive(Path()).label == "work"


@pytest.mark.parametrize("target", ["clean.py", "/etc/passwd", "nowhere", "lib"])
def test_a_link_in_a_folder_is_refused(tmp_path: Path, target: str) -> None:
    (write_folder(tmp_path / "work", HONEST) / "other.py").symlink_to(target)
    with pytest.raises(SubmissionRejected, match=r"'other.py' is a link") as caught:
        receive(tmp_path / "work")
    assert caught.value.reason is Rejection.LINK


def test_pipes_and_sockets_in_a_folder_are_refused(tmp_path: Path) -> None:
    os.mkfifo(write_folder(tmp_path / "one", HONEST) / "pipe")
    write_folder(tmp_path / "two", HONEST)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "two/socket"))
        for folder in ("one", "two"):
            with pytest.raises(SubmissionRejected) as caught:
                receive(tmp_path / folder)
            assert caught.value.reason is Rejection.SPECIAL


def test_a_sparse_file_counts_by_what_it_reads_as(tmp_path: Path) -> None:
    with (write_folder(tmp_path / "work", HONEST) / "huge.bin").open("wb") as file:
        file.truncate(1 << 42)
    with pytest.raises(SubmissionRejected, match=r"huge\.bin") as caught:
        receive(tmp_path / "work")
    assert caught.value.reason is Rejection.TOO_LARGE


@pytest.fixture
def somebody_else() -> Iterator[Path]:
    """A folder in which the tests are an ordinary user, whom permissions bind."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        write_folder(Path(folder) / "work", HONEST)
        before = os.geteuid()
        if before == 0:
            os.seteuid(65534)
        try:
            yield Path(folder) / "work"
        finally:
            os.seteuid(before)


def test_a_file_without_permission_is_named(somebody_else: Path) -> None:
    _as_owner(lambda: (somebody_else / "clean.py").chmod(0))
    with pytest.raises(SubmissionRejected, match=r"'clean.py' cannot be read: Permission denied") as caught:
        receive(somebody_else)
    assert caught.value.reason is Rejection.UNREADABLE


def test_a_path_without_permission_is_the_operators_mistake(somebody_else: Path) -> None:
    _as_owner(lambda: somebody_else.chmod(0))
    with pytest.raises(UsageError, match="cannot be opened: Permission denied"):
        receive(somebody_else)
    _as_owner(lambda: somebody_else.chmod(0o755))


def _as_owner(change: Callable[[], None]) -> None:
    user = os.geteuid()
    os.seteuid(os.getuid())
    change()
    os.seteuid(user)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/work.zip", "HTTP://example.org", "git@example.org:me/work.git", "ssh://git@example.org/x",
        "ext::sh -c touch% /tmp/x", "file:///etc/passwd", "file:/etc/passwd", "git://x", "example.org:me/work",
        "github.com/me/work", "me@host:work", "data:text/plain,x",
    ],
)  # fmt: skip
def test_an_address_is_refused(address: str) -> None:
    with pytest.raises(SubmissionRejected) as caught:
        refuse_address(address)
    assert caught.value.reason is Rejection.URL


@pytest.mark.parametrize(
    "path", [".", "work", "./work.zip", "/tmp/a:b", "C:\\work", "work@home/x", "a.b/c", "work v2.zip"]
)
def test_a_path_is_not_an_address(path: str) -> None:
    refuse_address(path)


def test_a_token_in_an_address_is_not_repeated() -> None:
    with pytest.raises(SubmissionRejected) as caught:
        refuse_address("https://me:s3cret@example.org/work?token=s3cret")
    assert "s3cret" not in caught.value.message


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"import pandas\n", "neither a folder nor"), (b"PAR1....PAR1", "a Parquet file"),
        (b"7z\xbc\xaf\x27\x1c..", "7z"),
        (b"Rar!\x1a\x07\x01\x00", "RAR"), (bytes(range(256)) * 8, "neither a folder nor"),
    ],
)  # fmt: skip
def test_another_kind_of_file_is_no_archive(refused: Refused, content: bytes, said: str) -> None:
    assert said in refused(Rejection.NOT_ARCHIVE, content).message


def test_an_archive_over_its_limit_is_refused_without_reading_on(refused: Refused) -> None:
    said = refused(Rejection.TOO_LARGE, b"PK\x03\x04" + bytes(3 * MIB), archive=MIB)
    assert "1.0 MiB" in said.message

"""Tar archives that nobody packs by accident (SECURITY rows 58, 92-103)."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import SubmissionRejected
from grader.intake.limits import MIB
from grader.model.reasons import Rejection
from grader.model.submission import Submission
from tests.archives import HONEST, tarred, tarred_kind

Take = Callable[..., Submission]
Refused = Callable[..., SubmissionRejected]
PACKERS: list[Callable[[bytes], bytes]] = [gzip.compress, bz2.compress, lzma.compress]
END = bytes(1024)


def header(name: str = "clean.py", **changes: object) -> bytes:
    info = tarfile.TarInfo(name)
    for key, value in changes.items():
        setattr(info, key, value)
    return info.tobuf(tarfile.GNU_FORMAT)


def summed(block: bytes) -> bytes:
    """Put the right checksum into a changed header."""
    total = sum(block[:148]) + 8 * 32 + sum(block[156:])
    return block[:148] + b"%06o\0 " % total + block[156:]


def pax(records: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    return header("pax", type=kind, size=len(records)) + records + bytes(-len(records) % 512)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("path", ["../evil.py", "/etc/passwd", "a\\b", "C:/x", "lib/../../x", "x./y", "../" * 60 + "x"])
def test_a_path_that_leads_out_is_refused(refused: Refused, path: str, form: int) -> None:
    refused(Rejection.PATH, tarred({"clean.py": b"", path: b"x"}, form=form))


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (tarfile.SYMTYPE, "/etc/passwd"), (tarfile.SYMTYPE, "clean.py"), (tarfile.SYMTYPE, "x" * 200),
        (tarfile.LNKTYPE, "clean.py"), (tarfile.LNKTYPE, "../../etc/passwd"),
    ],
)  # fmt: skip
def test_links_are_refused(refused: Refused, kind: bytes, target: str) -> None:
    refused(Rejection.LINK, tarred_kind("data.csv", kind, target))


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE])
def test_what_is_no_file_is_refused(refused: Refused, kind: bytes) -> None:
    refused(Rejection.SPECIAL, tarred_kind("thing", kind))


def test_sparse_files_in_the_newer_form_are_refused(refused: Refused) -> None:
    data = pax(b"22 GNU.sparse.major=1\n") + header() + END
    assert "--sparse" in refused(Rejection.SPECIAL, data).hint


def test_kinds_that_nobody_uses_are_refused(refused: Refused) -> None:
    refused(Rejection.BAD_ARCHIVE, tarred_kind("thing", b"V"))


def test_duplicates_are_refused(refused: Refused) -> None:
    refused(Rejection.DUPLICATE, header() + header() + END)
    refused(Rejection.DUPLICATE, header() + header("clean.py/x") + END)
    refused(Rejection.DUPLICATE, header("clean.py", type=tarfile.DIRTYPE) + header() + END)


@pytest.mark.parametrize(
    "data",
    [
        header(size=600) + bytes(512), header(), header() + bytes(512), header() + END + b"junk" * 128,
        header() + header()[:300],
        header() + b"x" * 512 + END, header() + header("b.py").replace(b"b.py", b"c.py") + END,
        header("lib", type=tarfile.DIRTYPE, size=3) + bytes(512) + END, pax(b"11 path=b.py\n") + header() + END,
        pax(b"99999 path=b.py\n") + header() + END, pax(b"12 pathb.pyy\n") + header() + END,
        pax(b"13 path=b.py\n"), pax(b"11 size=-1\n") + header() + END, pax(b"3 \n") + header() + END,
        pax(b"13 path=b.py\n", tarfile.XGLTYPE) + header() + END, header("x", type=b"L", size=10 * MIB) + END,
        summed(header()[:124] + b"-0000000001\0" + header()[136:]) + END,
        summed(header()[:124] + b"\x80" + b"\xff" * 11 + header()[136:]) + END,
    ],
    ids=[
        "content cut", "no end", "half an end", "junk at the end", "header cut", "no header", "checksum", "fat folder",
        "record too short", "record too long", "record without =", "nothing after", "negative", "empty record",
        "one name for all", "endless name", "negative size", "endless size",
    ],
)  # fmt: skip
def test_what_is_damaged_is_refused(refused: Refused, data: bytes) -> None:
    refused(Rejection.BAD_ARCHIVE, data)


@pytest.mark.parametrize("pack", PACKERS)
def test_what_is_cut_or_joined_is_refused(refused: Refused, pack: Callable[[bytes], bytes]) -> None:
    data = pack(tarred(HONEST))
    for spoilt in (data[:-1], data[: len(data) // 2], data + b"junk", data + pack(b"junk"), data[:12]):
        refused(Rejection.BAD_ARCHIVE, spoilt)


@pytest.mark.parametrize("pack", PACKERS)
def test_something_else_compressed_is_no_archive(refused: Refused, pack: Callable[[bytes], bytes]) -> None:
    refused(Rejection.NOT_ARCHIVE, pack(b"import pandas\n" * 100))


@pytest.mark.parametrize("pack", PACKERS)
def test_several_members_are_one_archive(take: Take, pack: Callable[[bytes], bytes]) -> None:
    data = tarred(HONEST)
    assert take(b"".join(pack(data[at : at + 700]) for at in range(0, len(data), 700))).paths == tuple(sorted(HONEST))


@pytest.mark.parametrize("pack", PACKERS)
def test_a_bomb_is_refused_after_a_little(refused: Refused, pack: Callable[[bytes], bytes]) -> None:
    bomb = pack(tarred({"zeros.bin": bytes(80 * MIB)}))
    tracemalloc.start()
    refused(Rejection.BOMB, bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * MIB  # xz keeps a window of 8 MiB


def test_a_bomb_of_empty_members_is_refused(refused: Refused) -> None:
    said = refused(Rejection.BAD_ARCHIVE, bz2.compress(b"") * 10_001)
    assert "too many pieces" in said.message


def test_an_xz_header_that_asks_for_much_memory_is_refused(refused: Refused) -> None:
    greedy = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 28}]
    refused(Rejection.BAD_ARCHIVE, lzma.compress(tarred(HONEST), format=lzma.FORMAT_XZ, filters=greedy))


def test_what_is_left_out_is_bounded_too(refused: Refused) -> None:
    refused(Rejection.TOO_LARGE, tarred({"a.py": b"", ".git/pack": bytes(3 * MIB)}), streamed=2 * MIB)


def test_a_flood_of_headers_is_refused(refused: Refused) -> None:
    refused(Rejection.COUNT, pax(b"") * 30 + header() + END, seen=20)


def test_a_long_chain_of_records_is_read_once(take: Take) -> None:
    records = b"7 a=bb\n" * 149_000
    assert take(pax(records) + header() + END).paths == ("clean.py",)


def test_long_paths_survive_in_every_format(take: Take) -> None:
    path = "/".join(["folder-with-a-long-name-" + "x" * 20] * 4) + "/clean.py"
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
        assert take(tarred({path: b"1", "top": b""}, form=form)).paths == (path, "top")


def test_a_size_in_a_record_counts(take: Take) -> None:
    data = pax(b"9 size=3\n") + header() + b"abc" + bytes(509) + END
    assert take(data).read("clean.py") == b"abc"


def test_old_headers_without_a_magic_are_read(take: Take) -> None:
    block = summed(header()[:257] + bytes(255))
    assert take(block + END).paths == ("clean.py",)


def test_names_that_are_not_text_are_shown(refused: Refused) -> None:
    said = refused(Rejection.NAME, summed(header().replace(b"clean.py", b"cle\xffn.py")) + END)
    assert said.message.isprintable()


def test_a_forged_time_owner_or_mode_is_ignored(take: Take) -> None:
    plain = take(header() + END).digest
    assert take(header(mode=0o7777, uid=9, mtime=1, uname="root") + END).digest == plain


@pytest.mark.parametrize("arguments", [["-cz", "."], ["-c", "--format=v7", "."], ["-c", "--format=pax", "."]])
def test_what_the_tar_program_packs_is_accepted(tmp_path: Path, take: Take, arguments: list[str]) -> None:
    (tmp_path / "work/lib").mkdir(parents=True)
    (tmp_path / "work/lib/clean.py").write_bytes(b"print(1)\n" * 50)
    (tmp_path / "work/top.py").write_bytes(b"")
    data = subprocess.run(["tar", *arguments], cwd=tmp_path / "work", capture_output=True, check=True).stdout
    assert take(data).paths == ("lib/clean.py", "top.py")


def test_the_end_may_be_padded_with_zeros_only(take: Take, refused: Refused) -> None:
    assert take(header() + END + bytes(20_000)).paths == ("clean.py",)
    refused(Rejection.BAD_ARCHIVE, header() + END + bytes(20_000) + b"\1")


def test_a_reader_of_the_standard_library_would_have_cut_this_short() -> None:
    """Why there is a reader of our own: a damaged header passes there for the end."""
    data = header() + b"x" * 512 + header("second.py") + END
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == ["clean.py"]

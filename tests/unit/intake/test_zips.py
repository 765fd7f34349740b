"""Zip archives that nobody packs by accident (SECURITY rows 58, 92-101)."""

from __future__ import annotations

import base64
import io
import stat
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest

from grader.errors import SubmissionRejected
from grader.intake.limits import MIB
from grader.model.reasons import Rejection
from grader.model.submission import Submission
from tests.archives import HONEST, SYMLINK, tarred, zipped, zipped_mode

Take = Callable[..., Submission]
Refused = Callable[..., SubmissionRejected]
END = 22
# What Info-ZIP 3.0 wrote for `zip -rX - . | cat`: the size is told beforehand, the checksum is not.
PIPED = (
    "UEsDBBQACAAIAIByd10AAAAAAAAAAMIBAAAIAAAAY2xlYW4ucHkrKMrMK9Ew1OQqGGUMTQYAUEsHCKK3bIMQAAAAwgEAAFBLAQIe"
    "AxQACAAIAIByd12it2yDEAAAAMIBAAAIAAAAAAAAAAEAAACkgQAAAABjbGVhbi5weVBLBQYAAAAAAQABADYAAABGAAAAAAA="
)


def directory_of(data: bytes) -> int:
    """Where the directory of an ordinary zip starts."""
    return int(struct.unpack_from("<L", data, len(data) - 6)[0])


def patched(data: bytes, at: int, value: bytes) -> bytes:
    return data[:at] + value + data[at + len(value) :]


def joined(local: bytes, *directory: bytes, told: int | None = None) -> bytes:
    """A zip from its local part and directory records."""
    records = b"".join(directory)
    count = len(directory) if told is None else told
    return local + records + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(records), len(local), 0)


ONE = zipped({"clean.py": b"print(1)\n" * 20})


@pytest.mark.parametrize("path", ["../evil.py", "/etc/passwd", "a\\..\\b", "C:/x", "lib/../../x", "x."])
def test_a_path_that_leads_out_is_refused(refused: Refused, path: str) -> None:
    refused(Rejection.PATH, zipped({"clean.py": b"", path: b"x"}))


def test_backslashes_get_advice(refused: Refused) -> None:
    data = zipped({"lib/clean.py": b""}).replace(b"lib/clean.py", b"lib\\clean.py")
    assert "7-Zip" in refused(Rejection.PATH, data).hint


def test_a_zero_byte_in_a_name_is_refused(refused: Refused) -> None:
    refused(Rejection.NAME, zipped({"cleanXpy": b""}).replace(b"cleanXpy", b"clean\0py"))


def test_links_are_refused(refused: Refused) -> None:
    refused(Rejection.LINK, zipped_mode("data.csv", SYMLINK, b"/etc/passwd"))
    refused(Rejection.LINK, zipped_mode("data.csv", SYMLINK, b"clean.py"))
    junction = patched(ONE, directory_of(ONE) + 38, struct.pack("<L", 0x400))
    refused(Rejection.LINK, junction)


@pytest.mark.parametrize("kind", [stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
def test_what_is_no_file_is_refused(refused: Refused, kind: int) -> None:
    refused(Rejection.SPECIAL, zipped_mode("thing", kind | 0o644))


def test_modes_are_dropped(take: Take) -> None:
    plain = take(zipped({"clean.py": b"", "run.sh": b""})).digest
    assert take(zipped_mode("run.sh", stat.S_IFREG | 0o6777)).digest == plain


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_duplicates_are_refused(refused: Refused) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("clean.py", b"good")
        archive.writestr("clean.py", b"evil")
    refused(Rejection.DUPLICATE, buffer.getvalue())
    refused(Rejection.DUPLICATE, zipped({"clean.py": b"", "clean.py/x": b""}))
    refused(Rejection.DUPLICATE, zipped({"clean.py/x": b"", "clean.py": b""}))
    refused(Rejection.DUPLICATE, zipped({"clean.py/": b"", "clean.py": b""}))
    refused(Rejection.DUPLICATE, zipped({"clean.py": b"", "clean.py/": b""}))


def test_encryption_is_named(refused: Refused) -> None:
    at = directory_of(ONE)
    locked = patched(patched(ONE, at + 8, b"\1\0"), 6, b"\1\0")
    assert "password" in refused(Rejection.ENCRYPTED, locked).hint
    refused(Rejection.ENCRYPTED, patched(ONE, at + 10, b"\x63\0"))


def test_other_compressions_are_refused(refused: Refused) -> None:
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        assert "deflate" in refused(Rejection.BAD_ARCHIVE, zipped(HONEST, method=method)).hint


@pytest.mark.parametrize(
    "data",
    [
        b"#!/bin/sh\n" + ONE, ONE + b"\n", ONE + ONE, ONE[:-1], ONE[:-END], ONE[: len(ONE) // 2], ONE[:4],
        tarred({"clean.py": b""}, compression="gz") + ONE, ONE[:-2] + b"\x16\0" + ONE[-END:],
    ],
    ids=["front", "junk", "twice", "cut", "no end", "half", "stub", "gzip and zip", "two ends"],
)  # fmt: skip
def test_what_is_cut_or_joined_is_refused(refused: Refused, data: bytes) -> None:
    refused(Rejection.BAD_ARCHIVE, data)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"XX"), (8, b"\0\0"), (14, b"1234"), (18, b"\1\0\0\0"), (22, b"\1\0\0\0"), (30, b"other.py"),
        (26, b"\7\0"), (28, b"\1\0"), (6, b"\1\0"),
    ],
    ids=["signature", "method", "checksum", "packed", "size", "name", "name size", "extra size", "flags"],
)  # fmt: skip
def test_a_local_header_that_disagrees_is_refused(refused: Refused, at: int, value: bytes) -> None:
    refused(Rejection.BAD_ARCHIVE, patched(ONE, at, value))


@pytest.mark.parametrize("size", [0, 1, 179, 181, 10**9, 0xFFFFFFFF])
def test_a_lie_about_the_size_is_refused(refused: Refused, size: int) -> None:
    told = struct.pack("<L", size)
    data = patched(patched(ONE, directory_of(ONE) + 24, told), 22, told)
    reason = Rejection.BOMB if size == 10**9 else Rejection.BAD_ARCHIVE
    refused(reason, data)


def test_a_changed_content_is_refused(refused: Refused) -> None:
    stored = zipped({"clean.py": b"print(1)"}, method=zipfile.ZIP_STORED)
    refused(Rejection.BAD_ARCHIVE, stored.replace(b"print(1)", b"print(2)"))


def test_overlapping_entries_are_refused(refused: Refused) -> None:
    at = directory_of(ONE)
    local, record = ONE[:at], ONE[at:-END]
    refused(Rejection.BAD_ARCHIVE, joined(local, record, record.replace(b"clean.py", b"other.py")))


def test_an_entry_that_covers_the_next_is_refused(refused: Refused) -> None:
    data = zipped({"clean.py": b"1", "other.py": b"2"}, method=zipfile.ZIP_STORED)
    at = directory_of(data)
    sizes = struct.pack("<3L", zlib.crc32(data[38:at]), at - 38, at - 38)
    covering = patched(patched(data, 14, sizes), at + 16, sizes)
    assert "'clean.py' does not end" in refused(Rejection.BAD_ARCHIVE, covering).message


@pytest.mark.parametrize("lie", [-1, 1, 46])
def test_a_lie_about_the_directory_is_refused(refused: Refused, lie: int) -> None:
    size = len(ONE) - END - directory_of(ONE)
    refused(Rejection.BAD_ARCHIVE, patched(ONE, len(ONE) - END + 12, struct.pack("<L", size + lie)))


def test_hidden_bytes_between_entries_are_refused(refused: Refused) -> None:
    at = directory_of(ONE)
    refused(Rejection.BAD_ARCHIVE, joined(ONE[:at] + b"hidden", ONE[at:-END]))


@pytest.mark.parametrize("told", [0, 2, 0xFFFF])
def test_a_lie_about_the_number_of_entries_is_refused(refused: Refused, told: int) -> None:
    at = directory_of(ONE)
    refused(Rejection.BAD_ARCHIVE, joined(ONE[:at], ONE[at:-END], told=told))


def test_a_part_of_several_is_refused(refused: Refused) -> None:
    refused(Rejection.BAD_ARCHIVE, patched(ONE, len(ONE) - END + 4, b"\1\0"))


def test_a_zip64_directory_is_refused(refused: Refused) -> None:
    at = directory_of(ONE)
    long_end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 1, 1, len(ONE) - END - at, at)
    locator = struct.pack("<4sLQL", b"PK\6\7", 0, len(ONE) - END, 1)
    refused(Rejection.BAD_ARCHIVE, ONE[:-END] + long_end + locator + ONE[-END:])


def test_a_folder_with_a_content_is_refused(refused: Refused) -> None:
    refused(Rejection.BAD_ARCHIVE, zipped({"clean.py": b"", "lib/": b"x"}))


def test_a_bomb_is_refused_before_it_is_unpacked(refused: Refused) -> None:
    bomb = zipped({"clean.py": b"", "zeros.bin": bytes(300 * MIB)})
    tracemalloc.start()
    said = refused(Rejection.BOMB, bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "300.0 MiB" in said.message
    assert peak < 4 * MIB


def test_a_bomb_that_lies_about_its_size_is_stopped_at_that_size(refused: Refused) -> None:
    bomb = zipped({"zeros.bin": bytes(300 * MIB)})
    told = struct.pack("<L", 100)
    lying = patched(patched(bomb, directory_of(bomb) + 24, told), 22, told)
    tracemalloc.start()
    refused(Rejection.BAD_ARCHIVE, lying)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * MIB


def test_a_small_file_that_packs_well_is_no_bomb(take: Take) -> None:
    assert len(take(zipped({"spaces.txt": b" " * (MIB - 1)})).files[0].content) == MIB - 1


def test_an_archive_in_an_archive_is_a_file(take: Take) -> None:
    assert take(zipped({"clean.py": b"", "inner.zip": ONE})).read("inner.zip") == ONE
    assert take(zipped({"inner.zip": ONE}, method=zipfile.ZIP_STORED)).read("inner.zip") == ONE


def test_a_flood_of_entries_is_stopped_while_the_directory_is_read(refused: Refused) -> None:
    at = directory_of(ONE)
    flood = joined(ONE[:at], *[ONE[at:-END]] * 50_001)
    tracemalloc.start()
    refused(Rejection.COUNT, flood)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * MIB


def test_a_comment_is_accepted(take: Take) -> None:
    buffer = io.BytesIO(ONE)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"6b53d9b0e7a4" * 3
    assert take(buffer.getvalue()).paths == ("clean.py",)


@pytest.mark.parametrize("long", [False, True])
def test_an_archive_that_was_written_to_a_pipe_is_accepted(take: Take, long: bool) -> None:
    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError("a pipe")

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in HONEST.items():
            with archive.open(path, "w", force_zip64=long) as file:
                file.write(content)
    assert take(pipe.getvalue()).paths == tuple(sorted(HONEST))


def test_a_gap_before_the_first_entry_is_refused(refused: Refused) -> None:
    at = directory_of(ONE)
    record = patched(ONE[at:-END], 42, struct.pack("<L", at))
    refused(Rejection.BAD_ARCHIVE, joined(ONE[:at] * 2, record))


def test_a_name_that_is_not_the_utf8_it_claims_to_be_is_refused(refused: Refused) -> None:
    data = zipped({"für.py": b""}).replace("für".encode(), b"f\xff\xffr")
    refused(Rejection.BAD_ARCHIVE, data)


@pytest.mark.parametrize(
    "field", [struct.pack("<2H2Q", 1, 16, 9, 9), struct.pack("<2HQ", 1, 8, 180), b"", b"\1\0\x10\0"]
)
def test_a_long_size_that_disagrees_is_refused(refused: Refused, field: bytes) -> None:
    at = directory_of(ONE)
    local = patched(patched(ONE[:at], 18, b"\xff" * 8), 28, struct.pack("<H", len(field)))
    refused(Rejection.BAD_ARCHIVE, joined(local[:38] + field + local[38:], ONE[at:-END]))


def test_a_long_size_that_agrees_is_accepted(take: Take) -> None:
    at = directory_of(ONE)
    other = struct.pack("<2H3s", 0x5455, 3, b"abc")
    field = other + struct.pack("<2H2Q", 1, 16, 180, at - 38)
    local = patched(patched(ONE[:at], 18, b"\xff" * 8), 28, struct.pack("<H", len(field)))
    assert take(joined(local[:38] + field + local[38:], ONE[at:-END])).paths == ("clean.py",)


def test_a_streamed_entry_without_its_descriptor_is_refused(refused: Refused) -> None:
    at = directory_of(ONE)
    record = patched(ONE[at:-END], 8, b"\x08\0")
    refused(Rejection.BAD_ARCHIVE, joined(patched(ONE[:at], 6, b"\x08\0"), record))


def test_names_in_an_old_code_page_are_shown(refused: Refused) -> None:
    data = zipped({"clean.py": b"", "Xber.md": b""}).replace(b"Xber", b"\x9aber")
    assert "Über" in refused(Rejection.NAME, data).message


def test_what_the_zip_program_writes_to_a_pipe_is_accepted(take: Take) -> None:
    assert take(base64.b64decode(PIPED)).read("clean.py") == b"print(1)\n" * 50

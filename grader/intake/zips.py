"""Reading a zip archive strictly, from memory.

The standard library's reader is made to get something out of odd archives: it skips data in front,
joins overlapping entries and stops reading a member where it is told to. Here every byte must be
accounted for: entries follow each other from the first byte to the directory, the directory is
followed by its end record and by nothing else, and both descriptions of an entry agree. What two
programs could read in two ways is refused. Archives of more than 4 GiB (zip64) are not read, nor
any compression but the ordinary one; neither is needed for a submission.
"""

from __future__ import annotations

import stat
import struct
import zlib
from dataclasses import dataclass

from grader.errors import SubmissionRejected
from grader.intake.gathering import Gathering
from grader.intake.paths import Parts, shown
from grader.intake.refusals import bad_archive, link, wrong_kind
from grader.model.reasons import Rejection

_END = struct.Struct("<4s4H2LH")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_END_SIGNATURE, _CENTRAL_SIGNATURE, _LOCAL_SIGNATURE = b"PK\x05\x06", b"PK\x01\x02", b"PK\x03\x04"
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_ENCRYPTED_FLAGS = 0x0001 | 0x0040 | 0x2000
_SIZES_FOLLOW, _UTF8 = 0x0008, 0x0800
_STORED, _DEFLATED, _AES = 0, 8, 99
_FULL = 0xFFFFFFFF
_WINDOWS_FOLDER, _WINDOWS_LINK = 0x10, 0x400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One entry as the directory describes it."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    attributes: int
    start: int

    @property
    def path(self) -> str:
        """The name as text; without the UTF-8 flag the format means an old code page."""
        try:
            return self.name.decode("utf-8")
        except UnicodeDecodeError:
            return self.name.decode("cp437")

    @property
    def is_folder(self) -> bool:
        """Whether this is a folder; the three ways to say so are used by different tools."""
        dos_folder = not self.mode and bool(self.attributes & _WINDOWS_FOLDER)
        return self.name.endswith(b"/") or stat.S_ISDIR(self.mode) or dos_folder

    @property
    def mode(self) -> int:
        """The Unix mode, or 0 where the archive was made on another system."""
        return self.attributes >> 16


def gather_zip(data: bytes, gathering: Gathering) -> None:
    """Collect the files of a zip archive.

    Raises:
        SubmissionRejected: The archive, or something in it, cannot be accepted.
    """
    end, directory, count = _find_end(data)
    entries = _read_directory(data, directory, end, count, gathering)
    kept = _keep(entries, gathering)
    gathering.weigh(sum(entry.size for _, entry in kept), len(data))
    contents = _check_layout(data, entries, directory)
    for parts, entry in kept:  # all of them before the first is unpacked: the message then names the largest
        gathering.charge(parts, entry.size)
    for parts, entry in kept:
        gathering.fill(parts, _unpack(data, entry, contents[entry.start]))


def has_end(data: bytes) -> bool:
    """Return whether these bytes end like a zip archive, whatever they begin with."""
    return _END_SIGNATURE in data[-(0xFFFF + _END.size) :]


def _find_end(data: bytes) -> tuple[int, int, int]:
    """Return where the end record and the directory start, and how many entries there are."""
    lowest = max(0, len(data) - 0xFFFF - _END.size)
    found = []
    at = data.find(_END_SIGNATURE, lowest)
    while at >= 0:
        if len(data) - at >= _END.size and at + _END.size + _END.unpack_from(data, at)[-1] == len(data):
            found.append(at)
        at = data.find(_END_SIGNATURE, at + 1)
    if not found:
        raise bad_archive("The zip archive has no end: it was cut short, or something was added to it.")
    if len(found) > 1:
        raise bad_archive("The zip archive has two ends, so that it could be read in two ways.")
    _, disk, first_disk, here, count, size, start, _ = _END.unpack_from(data, found[0])
    if disk or first_disk or here != count:
        raise bad_archive("The zip archive is one part of several.", "Pack everything into one archive.")
    if start + size != found[0]:
        raise bad_archive(
            "The zip archive's directory is not where it should be; something was added to or cut from it."
        )
    return found[0], start, count


def _read_directory(data: bytes, at: int, end: int, count: int, gathering: Gathering) -> list[_Entry]:
    entries = []
    while at < end:
        gathering.glance()
        if end - at < _CENTRAL.size or not data.startswith(_CENTRAL_SIGNATURE, at):
            raise bad_archive("The zip archive's directory is damaged.")
        fields = _CENTRAL.unpack_from(data, at)
        _, _, _, flags, method, _, _, crc, packed, size, name_size, extra, comment, _, _, attributes, start = fields
        at += _CENTRAL.size
        name = data[at : at + name_size]
        at += name_size + extra + comment
        entry = _Entry(
            name=name, flags=flags, method=method, crc=crc, packed=packed, size=size, attributes=attributes, start=start
        )
        _check_entry(entry)
        entries.append(entry)
    if at != end or len(entries) != count:
        raise bad_archive("The zip archive's directory does not hold what its end says.")
    return entries


def _check_entry(entry: _Entry) -> None:
    if entry.flags & _ENCRYPTED_FLAGS or entry.method == _AES:
        raise SubmissionRejected(
            Rejection.ENCRYPTED, f"{shown(entry.path)} is encrypted.", hint="Pack the folder without a password."
        )
    if entry.method not in (_STORED, _DEFLATED):
        raise bad_archive(
            f"{shown(entry.path)} is compressed in an unusual way (method {entry.method}).",
            "Pack the folder with the ordinary zip compression (deflate), or as .tar.gz.",
        )
    if _FULL in (entry.packed, entry.size, entry.start):
        raise bad_archive(
            f"{shown(entry.path)} is described as larger than 4 GiB.", "Pack the folder without such files."
        )
    if entry.flags & _UTF8:
        try:
            entry.name.decode("utf-8")
        except UnicodeDecodeError as error:
            raise bad_archive(f"{shown(entry.path)} has a name that is not what the archive says it is.") from error


def _keep(entries: list[_Entry], gathering: Gathering) -> list[tuple[Parts, _Entry]]:
    kept = []
    for entry in entries:
        parts = gathering.admit(entry.path)
        if parts is None:
            continue
        if stat.S_ISLNK(entry.mode) or entry.attributes & _WINDOWS_LINK:
            raise link(entry.path)
        if stat.S_IFMT(entry.mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise wrong_kind(entry.path, entry.mode)
        if entry.is_folder:
            if entry.size:
                raise bad_archive(f"{shown(entry.path)} is a folder with a content of its own.")
            gathering.folder(parts)
        else:
            gathering.expect(parts)
            kept.append((parts, entry))
    return kept


def _check_layout(data: bytes, entries: list[_Entry], directory: int) -> dict[int, int]:
    """Check that entries fill the archive up to its directory; return where the content of each starts."""
    ordered = sorted(entries, key=lambda entry: entry.start)
    borders = [entry.start for entry in ordered] + [directory]
    if borders[0] != 0:
        raise bad_archive("The file does not begin with the zip archive: something was put in front of it.")
    contents: dict[int, int] = {}
    for entry, after in zip(ordered, borders[1:], strict=True):
        contents[entry.start] = _check_local(data, entry)
        stop = contents[entry.start] + entry.packed
        if stop > after or not _may_follow(data[stop : min(after, stop + 25)], entry):
            raise bad_archive(f"{shown(entry.path)} does not end where the next part of the zip archive begins.")
    return contents


def _check_local(data: bytes, entry: _Entry) -> int:
    """Compare an entry's own header with the directory; return where its content starts."""
    wrong = bad_archive(f"The zip archive describes {shown(entry.path)} in two ways.")
    if not data.startswith(_LOCAL_SIGNATURE, entry.start) or len(data) - entry.start < _LOCAL.size:
        raise wrong
    _, _, flags, method, _, _, crc, packed, size, name_size, extra_size = _LOCAL.unpack_from(data, entry.start)
    at = entry.start + _LOCAL.size
    extra = data[at + name_size : at + name_size + extra_size]
    if data[at : at + name_size] != entry.name or method != entry.method or flags & _ENCRYPTED_FLAGS:
        raise wrong
    if (packed, size) == (_FULL, _FULL):
        size, packed = _long_sizes(extra)
    unknown = {0} if flags & entry.flags & _SIZES_FOLLOW else set()  # written before the content was known
    for told, true in ((crc, entry.crc), (packed, entry.packed), (size, entry.size)):
        if told not in {true} | unknown:
            raise wrong
    return int(at + name_size + extra_size)


def _long_sizes(extra: bytes) -> tuple[int, int]:
    """Return the sizes in a zip64 field; writers that stream use one for small files too."""
    at = 0
    while len(extra) - at >= 4:
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1 and length >= 16 and len(extra) - at >= 20:
            size, packed = struct.unpack_from("<2Q", extra, at + 4)
            return size, packed
        at += 4 + length
    return _FULL, _FULL


def _may_follow(gap: bytes, entry: _Entry) -> bool:
    """Return whether these bytes may stand between a content and the next entry."""
    if not entry.flags & _SIZES_FOLLOW:
        return not gap
    if not gap:
        return entry.packed == 0  # folders, mostly
    plain = [struct.pack(form, entry.crc, entry.packed, entry.size) for form in ("<3L", "<L2Q")]
    return gap in plain or gap in [_DESCRIPTOR_SIGNATURE + each for each in plain]


def _unpack(data: bytes, entry: _Entry, start: int) -> bytes:
    packed = data[start : start + entry.packed]
    if entry.method == _STORED:
        content, whole = packed, True
    else:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            content = inflate.decompress(packed, entry.size + 1)
        except zlib.error as error:
            raise bad_archive(f"{shown(entry.path)} in the zip archive is damaged.") from error
        whole = inflate.eof and not inflate.unused_data
    if not whole or len(content) != entry.size or zlib.crc32(content) != entry.crc:
        raise bad_archive(f"{shown(entry.path)} in the zip archive is damaged, or not as large as the archive says.")
    return content

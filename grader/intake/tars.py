"""Reading a tar archive strictly, from a stream.

The standard library's reader takes the first damaged header for the end, ignores what follows the
end, and lets headers of one entry override each other without a bound; its extraction filters keep
links. Here a damaged header is an error, the end must be there and be the end, and only ordinary
files and folders come through. Understood: the old format, ustar, GNU long names and pax paths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from grader.errors import SubmissionRejected
from grader.intake.gathering import Gathering
from grader.intake.limits import KIB, MIB
from grader.intake.paths import Parts, shown
from grader.intake.refusals import bad_archive, link, not_an_archive, wrong_kind
from grader.intake.streams import Stream
from grader.model.reasons import Rejection

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_PIECE = 64 * KIB
_LONGEST_EXTENSION = MIB  # macOS writes extended attributes here
_FILE, _FOLDER, _LINKS, _SPECIALS = b"0\x007", b"5", b"12", b"346S"
_PAX, _PAX_FOR_ALL, _GNU_NAME, _GNU_LINK = b"x", b"g", b"L", b"K"
_SIZE = re.compile(rb"[0-7]{1,12}")
_PAX_LENGTH = re.compile(rb"([1-9][0-9]{0,7}) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """One header, with what extension headers before it said."""

    kind: bytes
    name: bytes
    size: int

    @property
    def path(self) -> str:
        return self.name.decode("utf-8", "surrogateescape")


def gather_tar(stream: Stream, gathering: Gathering) -> None:
    """Collect the files of a tar archive.

    Raises:
        SubmissionRejected: The archive, or something in it, cannot be accepted.
    """
    _Reader(stream, gathering).read_all()


def looks_like_tar(block: bytes) -> bool:
    """Return whether this is the first block of a tar archive."""
    return len(block) == _BLOCK and (block == _ZEROS or block[257:262] == b"ustar" or _sum_is_right(block))


class _Reader:
    """One pass over one archive."""

    def __init__(self, stream: Stream, gathering: Gathering) -> None:
        self._stream = stream
        self._gathering = gathering
        self._streamed = 0

    def read_all(self) -> None:
        block = self._take(_BLOCK)
        if not looks_like_tar(block):
            raise not_an_archive("The compressed file does not hold a tar archive.")
        overrides: dict[str, bytes] = {}
        while block != _ZEROS:
            header = _parse(block)
            if header.kind in (_PAX, _PAX_FOR_ALL, _GNU_NAME, _GNU_LINK):
                self._gathering.glance()
                overrides |= self._extension(header)
            else:
                self._entry(_override(header, overrides))
                overrides = {}
            block = self._take(_BLOCK)
        if overrides or self._take(_BLOCK) != _ZEROS:
            raise bad_archive("The tar archive does not end as it should.")
        while rest := self._stream.read(_PIECE):
            self._count(len(rest))
            if rest.strip(b"\0"):
                raise bad_archive("Something follows the end of the tar archive.")

    def _entry(self, header: _Header) -> None:
        parts = self._gathering.admit(header.path)
        if parts is None:
            self._skip(header.size)
        elif header.kind in _LINKS:
            raise link(header.path)
        elif header.kind in _SPECIALS:
            raise wrong_kind(header.path, 0)
        elif header.kind == _FOLDER or header.name.endswith(b"/"):
            if header.size:
                raise bad_archive(f"{shown(header.path)} is a folder with a content of its own.")
            self._gathering.folder(parts)
        elif header.kind in _FILE:
            self._gathering.expect(parts)
            self._gathering.fill(parts, self._content(header.size, parts))
        else:
            raise bad_archive(
                f"{shown(header.path)} is of a kind that is not known ({shown(header.kind.decode('latin-1'))})."
            )

    def _content(self, size: int, parts: Parts | None) -> bytes:
        """Read a content and the padding after it; without `parts` it is thrown away."""
        kept = []
        left = size
        while left:
            piece = self._take(min(left, _PIECE))
            left -= len(piece)
            if parts is not None:
                self._gathering.charge(parts, len(piece))
                kept.append(piece)
        self._take(-size % _BLOCK)
        return b"".join(kept)

    def _skip(self, size: int) -> None:
        self._content(size, None)

    def _extension(self, header: _Header) -> dict[str, bytes]:
        """Return what an extension header says about the entry after it."""
        if header.size > _LONGEST_EXTENSION:
            raise bad_archive("The tar archive holds a header that is far too long.")
        body = self._take(header.size)
        self._take(-header.size % _BLOCK)
        if header.kind == _GNU_NAME:
            return {"path": body.rstrip(b"\0")}
        if header.kind == _GNU_LINK:
            return {}
        records = _pax_records(body)
        if any(key.startswith("GNU.sparse") for key in records):
            raise SubmissionRejected(
                Rejection.SPECIAL,
                "The tar archive holds a file with holes in it.",
                hint="Pack the folder again without --sparse.",
            )
        told = {key: value for key, value in records.items() if key in ("path", "size")}
        if told and header.kind == _PAX_FOR_ALL:
            raise bad_archive("The tar archive gives all its files the same name or size.")
        return told

    def _take(self, size: int) -> bytes:
        """Return just `size` bytes."""
        piece = self._stream.read(size)
        self._count(size)
        if len(piece) != size:
            raise bad_archive("The tar archive was cut short.")
        return piece

    def _count(self, size: int) -> None:
        """Bound the work for what is left out, too: it has to be unpacked to be passed over."""
        self._streamed += size
        if self._streamed > self._gathering.limits.streamed:
            raise SubmissionRejected(
                Rejection.TOO_LARGE,
                "The archive unpacks to more than is accepted, even without what would be left out.",
                hint="Leave out data, virtual environments and the history of your repository.",
            )


def _override(header: _Header, told: dict[str, bytes]) -> _Header:
    if "size" in told:
        if not re.fullmatch(rb"[0-9]{1,12}", told["size"]):
            raise bad_archive("The tar archive holds a damaged header.")
        header = replace(header, size=int(told["size"]))
    if "path" in told:
        header = replace(header, name=told["path"])
    return header


def _parse(block: bytes) -> _Header:
    if not _sum_is_right(block):
        raise bad_archive("The tar archive holds a damaged header.")
    name = block[:100].partition(b"\0")[0]
    if block[257:263] == b"ustar\0":
        prefix = block[345:500].partition(b"\0")[0]
        name = prefix + b"/" + name if prefix else name
    return _Header(kind=block[156:157], name=name, size=_number(block[124:136]))


def _sum_is_right(block: bytes) -> bool:
    """Compare the checksum; old writers added bytes up as signed numbers."""
    told = block[148:156].strip(b" \0")
    if not _SIZE.fullmatch(told):
        return False
    others = block[:148] + b" " * 8 + block[156:]
    total = sum(others)
    signed = total - 256 * sum(each > 127 for each in others)
    return int(told, 8) in (total, signed)


def _number(field: bytes) -> int:
    if field[0] == 0x80:  # GNU's way to write large numbers
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if digits and not _SIZE.fullmatch(digits):
        raise bad_archive("The tar archive holds a damaged header.")
    return int(digits or b"0", 8)


def _pax_records(body: bytes) -> dict[str, bytes]:
    """Split "length key=value" records; the length counts itself."""
    records: dict[str, bytes] = {}
    at = 0
    while at < len(body):
        length = _PAX_LENGTH.match(body, at)
        stop = at + int(length[1]) if length else 0
        if not length or stop > len(body) or stop <= length.end() or body[stop - 1 : stop] != b"\n":
            raise bad_archive("The tar archive holds a damaged header.")
        key, equals, value = body[length.end() : stop - 1].partition(b"=")
        if not equals:
            raise bad_archive("The tar archive holds a damaged header.")
        records[key.decode("utf-8", "replace")] = value
        at = stop
    return records

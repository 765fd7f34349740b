"""Unpacking gzip, bzip2 and xz a bounded piece at a time, from memory."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Protocol

from grader.intake.gathering import Gathering
from grader.intake.limits import KIB, MIB
from grader.intake.refusals import bad_archive

_PIECE = 64 * KIB
# Some packers write many members one after another; each costs a little, however small it is.
_MOST_MEMBERS = 10_000
# xz -9 needs 65 MiB; a forged header can ask for 4 GiB.
_XZ_MEMORY = 128 * MIB


class Stream(Protocol):
    """Bytes of a tar archive, front to back."""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; fewer only at the end."""


class Plain:
    """An archive that is not compressed.

    Args:
        data: All of it.
    """

    def __init__(self, data: bytes) -> None:
        """Start at the front."""
        self._data = data
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; fewer only at the end."""
        piece = self._data[self._at : self._at + size]
        self._at += len(piece)
        return piece


class _Inflate:
    """zlib's decompressor with the interface of the other two."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._tail = b""

    def decompress(self, data: bytes, most: int) -> bytes:
        piece = self._inner.decompress(self._tail + data, most)
        self._tail = self._inner.unconsumed_tail
        return piece

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


_Decompressor = _Inflate | bz2.BZ2Decompressor | lzma.LZMADecompressor

UNPACKERS: dict[bytes, Callable[[], _Decompressor]] = {
    b"\x1f\x8b": _Inflate,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY),
}


class Unpacked:
    """What a compressed archive unpacks to.

    Args:
        data: The archive.
        unpacker: Makes a decompressor for one member.
        gathering: Holds the limits.
    """

    def __init__(self, data: bytes, unpacker: Callable[[], _Decompressor], gathering: Gathering) -> None:
        """Start at the front."""
        self._data = data
        self._unpacker = unpacker
        self._gathering = gathering
        self._member = unpacker()
        self._members = 1
        self._at = 0
        self._total = 0
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; fewer only at the end.

        Raises:
            SubmissionRejected: The data is damaged, cut short, followed by something, or a bomb.
        """
        pieces = [self._rest[:size]]
        self._rest = self._rest[size:]
        missing = size - len(pieces[0])
        while missing and (piece := self._pull()):
            pieces.append(piece[:missing])
            self._rest = piece[missing:]
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def _pull(self) -> bytes:
        """Return the next piece, not longer than `_PIECE`; nothing at the end."""
        piece = b""
        while not piece and not self._ended():
            try:
                piece = self._member.decompress(self._feed(), _PIECE)
            except (OSError, EOFError, ValueError, MemoryError, zlib.error, lzma.LZMAError) as error:
                raise bad_archive("The compressed archive is damaged, or something was added to it.") from error
        self._total += len(piece)
        self._gathering.weigh(self._total, len(self._data))
        return piece

    def _feed(self) -> bytes:
        if not self._member.needs_input:
            return b""
        if self._at >= len(self._data):
            raise bad_archive("The compressed archive was cut short.")
        fed = self._data[self._at : self._at + _PIECE]
        self._at += len(fed)
        return fed

    def _ended(self) -> bool:
        """Go on to the next member, if there is one."""
        if not self._member.eof:
            return False
        self._at -= len(self._member.unused_data)
        if self._at >= len(self._data):
            return True
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise bad_archive("The compressed archive is made of too many pieces.")
        self._member = self._unpacker()
        return False

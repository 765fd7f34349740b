"""How much a submission may hold. The numbers are SECURITY section 4's."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
MOST_EXTRA_TIME = 10.0
"""Largest factor by which a person can have more time; a larger one is a typing error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeLimits:
    """Caps for one submission.

    Attributes:
        archive: Bytes of an archive file.
        files: Files that are kept.
        unpacked: Bytes of all kept files together.
        streamed: Bytes of a tar archive, with what is left out of it.
        ratio: How many times its own size an archive may unpack to.
        ratio_floor: Unpacked bytes below which `ratio` does not count; a page of spaces is no bomb.
        depth: Parts of a path, the file's own name included.
        name: Characters of one part of a path.
        seen: Entries that are looked at, those that are left out included.
    """

    archive: int = 20 * MIB
    files: int = 500
    unpacked: int = 100 * MIB
    streamed: int = 400 * MIB
    ratio: int = 100
    ratio_floor: int = MIB
    depth: int = 10
    name: int = 100
    seen: int = 50_000


def readable(size: int) -> str:
    """Write a number of bytes as people read it."""
    if size >= MIB:
        return f"{size / MIB:.1f} MiB"
    if size >= KIB:
        return f"{size / KIB:.1f} KiB"
    return f"{size} bytes"


def counted(count: int, noun: str) -> str:
    """Write a number of things, one or many."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

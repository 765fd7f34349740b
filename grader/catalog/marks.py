"""Marks of kits: a word in a kit that belongs to one candidate, and is found again wherever a file of the kit goes.

A mark tells whose kit a file came from, to whoever holds the server key, and nothing else: it is no seed, and nothing
of an exercise depends on it.
"""

from __future__ import annotations

import base64
import hmac
import re
import unicodedata

_MARK = re.compile(rb"(?<![\w-])kit-([a-z2-7]{24})(?![\w-])")


def kit_mark(server_key: bytes, exercise: str, candidate: str) -> str:
    """Return the mark of a candidate's kit: 120 bits of an HMAC-SHA256 (RFC 2104) under the server key, in base32.

    Capitals and spaces in a name do not count, as a list and a command line often differ in them. The exercise's
    version does not either, so that the mark of an older kit is still known.

    Args:
        server_key: 32 secret bytes.
        exercise: Id of the exercise.
        candidate: The candidate's name.
    """
    name = " ".join(unicodedata.normalize("NFKC", candidate).casefold().split())
    digest = hmac.digest(server_key, "\0".join(("grader kit mark 1", exercise, name)).encode(), "sha256")
    return f"kit-{base64.b32encode(digest[:15]).decode().lower()}"


def marks_in(content: bytes) -> set[str]:
    """Return everything in a file that looks like a mark; compressed content is not opened."""
    return {found[0].decode() for found in _MARK.finditer(content)}

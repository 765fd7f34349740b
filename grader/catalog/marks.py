"""Marks of kits: a word in a kit that belongs to one candidate, and is found again wherever a file of the kit goes.

A mark tells whose kit a file came from, to whoever holds the server key, and nothing else: it is no seed, and nothing
of an exercise depends on it.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
import unicodedata
from itertools import islice
from pathlib import PurePosixPath

MARKS_CAP = 100  # a kit has one; what somebody plants without end is not held
_MARK = re.compile(rb"(?<![\w-])kit-([a-z2-7]{24})(?![\w-])")
_COMMENTS = {".py": "#", ".toml": "#", ".sql": "--"}
_SAYS = "is the kit that this file is from; see README.md"
_LINE = re.compile(rf"\n?(?:#|--) kit-[a-z2-7]{{24}} {re.escape(_SAYS)}\n\Z")


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
    """Return what looks like a mark in a file, a hundred at most; compressed content is not opened."""
    return {found[0].decode() for found in islice(_MARK.finditer(content), MARKS_CAP)}


def marked(name: str, content: bytes, mark: str) -> bytes:
    """Put a mark into a file of the template that candidates hand in.

    It is a comment at the end of code and of TOML, and metadata of a notebook, which no program reads and Jupyter
    keeps. Other files stay as they are.

    Args:
        name: The file's name.
        content: As the exercise's author wrote it.
        mark: See `kit_mark`.
    """
    suffix = PurePosixPath(name).suffix
    if suffix in _COMMENTS:
        gap = b"" if content.endswith(b"\n") or not content else b"\n"
        return content + gap + f"\n{_COMMENTS[suffix]} {mark} {_SAYS}\n".encode()
    if suffix == ".ipynb":
        notebook = json.loads(content)
        notebook.setdefault("metadata", {})["grader"] = {"kit": mark}
        return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode()
    return content


def without_mark(text: str) -> str:
    """Return a text as it was before `marked` put a comment at its end."""
    return _LINE.sub("", text)

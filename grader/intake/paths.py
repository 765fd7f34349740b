"""Rules for the paths inside a submission: which are safe, which are left out, how they are shown.

Archives are written by strangers and carry names that no file system would hand out. The rules
are the same for folders, so that one submission has one fate however it travels.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from fnmatch import fnmatchcase

from grader.errors import SubmissionRejected
from grader.model.reasons import Rejection

Parts = tuple[str, ...]

# Made by tools, never by the candidate's hand: left out before anything inside is looked at.
LEFT_OUT = (
    ".git", ".hg", ".svn", "__pycache__", "*.pyc", "*.pyo", ".venv", "venv", "node_modules",
    ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox",
    ".DS_Store", "._*", "__MACOSX", "Thumbs.db", "desktop.ini", ".idea", ".vscode",
)  # fmt: skip

# Files that steer a test runner or pose as its results, were it ever started among them. It is not.
WITHOUT_EFFECT = (
    "conftest.py", "pytest.ini", "tox.ini", "setup.cfg", "sitecustomize.py", "usercustomize.py", "*.pth",
    "entry_points.txt", ".coverage", "results.json", "junit.xml", "reward.txt",
)  # fmt: skip

_ALLOWED = re.compile(r"[A-Za-z0-9._-]+")
_DRIVE = re.compile(r"[A-Za-z]:")
_SHOWN = 120
LONGEST_ANYWHERE = 255
"""Characters of one name, also of a folder around everything; file systems take as many bytes."""


def shown(text: str) -> str:
    """Return a stranger's text for people: one line, quoted, nothing invisible in it, not too long."""
    return f"'{visible(text)}'"


def visible(text: str) -> str:
    """Return a stranger's text as `shown` does, without the quotes."""
    escaped = "".join(each if each.isprintable() else f"\\u{{{ord(each):x}}}" for each in text[: _SHOWN + 1])
    return escaped if len(escaped) <= _SHOWN else f"{escaped[:_SHOWN]}..."


def split(raw: str) -> Parts:
    """Split a path as an archive holds it; the empty tuple is the submission's own folder.

    Raises:
        SubmissionRejected: `path`; it could lead outside, or be read in two ways.
    """
    if "\\" in raw:
        raise _refused(
            raw,
            "has a backslash in its path",
            "Some older Windows tools write archives like that. Pack the folder again with the Explorer's "
            "'Compress to ZIP file', with 7-Zip or with tar.",
        )
    if raw.startswith("/") or _DRIVE.match(raw):
        raise _refused(raw, "has an absolute path", "Pack the folder itself, with paths that start inside of it.")
    parts = raw.removesuffix("/").split("/")
    while parts and parts[0] == ".":  # tar writes "./clean.py" when it packs "."
        del parts[0]
    if ".." in parts:
        raise _refused(raw, "leads out of the submission", "Pack the folder itself, without '..' in any path.")
    for part in parts:
        if part in ("", ".") or part[-1] in ". ":
            raise _refused(
                raw,
                "has an empty part, or one that ends with a dot or a space",
                "Some systems drop such endings, so that two names become one. Rename it.",
            )
    return tuple(parts)


def _refused(raw: str, what: str, hint: str) -> SubmissionRejected:
    return SubmissionRejected(Rejection.PATH, f"{shown(raw)} {what}.", hint=hint)


def left_out(parts: Parts) -> str:
    """Return the entry of `LEFT_OUT` that some part of this path matches, or ""."""
    return next((pattern for part in parts for pattern in LEFT_OUT if fnmatchcase(part, pattern)), "")


def has_no_effect(parts: Parts) -> bool:
    """Return whether the file's name is one that test runners look for."""
    return any(fnmatchcase(parts[-1], pattern) for pattern in WITHOUT_EFFECT)


def check_visible(parts: Parts) -> None:
    """Refuse what cannot be seen: control characters, zero-width and right-to-left marks.

    Raises:
        SubmissionRejected: `name`.
    """
    if not all(part.isprintable() for part in parts):
        raise SubmissionRejected(
            Rejection.NAME,
            f"{shown('/'.join(parts))} has characters in its name that cannot be seen.",
            hint=f"Rename it. {_ADVICE}",
        )


_ADVICE = "Letters A-Z and a-z, digits, and . _ - are fine in names."


def check_length(parts: Parts) -> None:
    """Refuse names that no file system would hand out; to fold one of a million accents takes minutes.

    Raises:
        SubmissionRejected: `name`.
    """
    longest = max(map(len, parts), default=0)
    if longest > LONGEST_ANYWHERE:
        raise SubmissionRejected(
            Rejection.NAME,
            f"{shown('/'.join(parts))} has a name of {longest} characters.",
            hint=f"Give it a shorter name. {_ADVICE}",
        )


def check_depth(parts: Parts, most: int) -> None:
    """Refuse paths with more than `most` parts.

    Raises:
        SubmissionRejected: `name`.
    """
    if len(parts) > most:
        raise SubmissionRejected(
            Rejection.NAME,
            f"{shown('/'.join(parts))} lies {len(parts)} levels deep; at most {most} are accepted.",
            hint="Use fewer folders inside each other, or leave out what the program does not need.",
        )


def check_name(parts: Parts, longest: int) -> None:
    """Refuse names with unusual characters, and names longer than `longest`.

    Raises:
        SubmissionRejected: `name`.
    """
    path = "/".join(parts)
    for part in parts:
        if len(part) > longest:
            raise SubmissionRejected(
                Rejection.NAME,
                f"{shown(path)} has a name of {len(part)} characters; at most {longest} are accepted.",
                hint="Give it a shorter name.",
            )
        if not _ALLOWED.fullmatch(part):
            strange = sorted({character for character in part if not _ALLOWED.fullmatch(character)})
            named = ", ".join("a space" if each == " " else shown(each) for each in strange[:8])
            raise SubmissionRejected(
                Rejection.NAME, f"{shown(path)} has {named} in its name.", hint=f"Rename it. {_ADVICE}"
            )


def folded(part: str) -> str:
    """Return what macOS and Windows may take this name for."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", part).casefold())


def common_folders(paths: Sequence[Parts]) -> int:
    """Count the folders around everything: 1 when all files lie in one top folder, and so on."""
    shortest = min((len(parts) for parts in paths), default=1) - 1
    first = paths[0] if paths else ()
    for level in range(shortest):
        if any(parts[level] != first[level] for parts in paths):
            return level
    return shortest

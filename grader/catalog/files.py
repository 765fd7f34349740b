"""Reading an exercise's own files, and the digest that a score sheet names it by."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from grader.errors import ExerciseDefect

VERSIONS = "versions.toml"
# These say how the exercise came about, or are made by tools; nobody's points depend on them.
_NO_INFLUENCE = (
    "solutions", "NOTES.md", "CHANGELOG.md", "CALIBRATION.md", "calibration.*", VERSIONS,
    "__pycache__", "*.pyc", ".*_cache", ".DS_Store", ".ipynb_checkpoints", "*~",
)  # fmt: skip
# These are read by people alone, or handed in again as a submission of its own.
_FOR_CANDIDATES = ("brief.md", "template/")


def read(folder: Path, name: str) -> bytes:
    """Return the content of a file of an exercise.

    Raises:
        ExerciseDefect: It is missing or cannot be read.
    """
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError as error:
        raise ExerciseDefect("the file is missing", file=name) from error
    except OSError as error:
        raise ExerciseDefect(f"the file cannot be read: {error.strerror}", file=name) from error


def digest(folder: Path, reference: str = "") -> str:
    """Hash every file that may influence the grading, in path order.

    Solutions, notes and change log may change without a new digest; everything else may not.

    Args:
        folder: The exercise's folder.
        reference: The solution that submissions are compared with, which then counts as well.

    Returns:
        SHA-256 in hexadecimal.

    Raises:
        ExerciseDefect: A file cannot be read, or is a link; what a link leads to is not the exercise's.
    """
    return _hash(folder, influential(folder, reference))


def grading_digest(folder: Path, reference: str = "") -> str:
    """Hash what decides what a given submission earns: all that `digest` does but brief and template.

    So a better sentence in a brief does not make the runs of a calibration worthless. Arguments and errors as for
    `digest`.
    """
    return _hash(folder, [path for path in influential(folder, reference) if not path.startswith(_FOR_CANDIDATES)])


def _hash(folder: Path, paths: Iterable[str]) -> str:
    total = hashlib.sha256(b"grader exercise 1\n")
    for path in paths:
        content = read(folder, path)
        name = path.encode()
        total.update(b"%d:%s%d:" % (len(name), name, len(content)))
        total.update(hashlib.sha256(content).digest())
    return total.hexdigest()


def influential(folder: Path, reference: str = "") -> list[str]:
    """Return the paths of all files that may influence the grading, in order.

    Args:
        folder: The exercise's folder.
        reference: The solution that submissions are compared with.

    Raises:
        ExerciseDefect: A folder cannot be read, or a file is a link.
    """
    paths = list(_influential(folder, ""))
    if reference:
        paths += [path for path in _influential(folder, f"solutions/{reference}") if not path.endswith("expected.toml")]
    return sorted(paths)


def _influential(folder: Path, below: str) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder / below))
    except OSError as error:
        raise ExerciseDefect(f"the folder cannot be read: {error.strerror}", file=below or ".") from error
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        if any(fnmatchcase(entry.name, pattern) for pattern in _NO_INFLUENCE):
            continue
        if entry.is_symlink():
            raise ExerciseDefect("links are not accepted in an exercise", file=path)
        if entry.is_dir():
            yield from _influential(folder, path)
        else:
            yield path

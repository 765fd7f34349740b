"""What of a submission is compared: its code as text. The rest is told of: files left out, and digests of data.

Files are a stranger's. They are decoded and cut, never run and never parsed by anything but `json` and `lexing`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from grader.catalog.marks import MARKS_CAP, marks_in
from grader.frames import BrokenFrame, strict_json
from grader.intake.limits import KIB, MIB, readable
from grader.model.submission import Submission, SubmissionFile

FILE_CAP = 256 * KIB
"""Bytes of code in one file; what is longer was not written by hand."""

KIT_CAP = 64 * KIB
"""Bytes of a kit.toml that are looked at; ours have a few hundred."""

NOTEBOOK_CAP = 4 * MIB
"""Bytes of a notebook, its pictures included. Read as JSON, hostile ones take many times that in memory."""

SOURCES_CAP = 100
"""Files of code of one submission that are compared; the rest is listed."""

TEXT_CAP = MIB
"""Characters of code of one submission that are compared."""

LINE_CAP = 2000
"""Characters of a line; what is longer is packed or generated code."""

_SAME_FROM = KIB
_LEFT_OUT = re.compile(rb"^left_out = (\[.*\])$", re.MULTILINE)
_LANGUAGES = {".py": "python", ".ipynb": "python", ".sql": "sql"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One text of code; a notebook is the text of its code cells.

    Attributes:
        path: Of the file.
        text: The code.
        language: "python" or "sql".
    """

    path: str
    text: str
    language: str = "python"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A file that was not compared, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read of a submission.

    Attributes:
        sources: Code.
        left_out: Files that were not compared.
        data: Digest of content to path, of files that are no code, not tiny and not of the kit.
        marks: Mark of a kit to the path that it was found in.
    """

    sources: tuple[Source, ...]
    left_out: tuple[LeftOut, ...]
    data: Mapping[str, str]
    marks: Mapping[str, str]


class _Refused(Exception):
    """Why a file cannot be compared."""


def read_submission(submission: Submission) -> Reading:
    """Read what can be compared of a submission; nothing that is in it can make this fail."""
    marks: dict[str, str] = {}
    for file in submission.files:
        for mark in marks_in(file.content) if len(marks) < MARKS_CAP else ():
            marks.setdefault(mark, file.path)
    sources, left_out = _code_of(submission)
    left_out += [
        LeftOut(path=file.path, why=f"no text ({readable(len(file.content))})")
        for file in submission.files
        if not _is_code(file) and b"\0" in file.content
    ]
    of_kit = _of_kit(submission)
    own = [file for file in submission.files if not f"{file.path}/".startswith(of_kit)]
    return Reading(sources=tuple(sources), left_out=tuple(left_out), data=_data_of(own), marks=marks)


def read_public(places: Iterable[Path]) -> Reading:
    """Read what everybody was given: these files, and what is below these folders; links are passed over."""
    files = [
        SubmissionFile(path=path.name, content=path.read_bytes())
        for place in places
        for path in (place, *sorted(place.rglob("*")))
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts
    ]
    sources = []
    for file in filter(_is_code, files):
        with suppress(_Refused):
            sources.append(_read(file))
    return Reading(sources=tuple(sources), left_out=(), data=_data_of(files), marks={})


def _is_code(file: SubmissionFile) -> bool:
    return _suffix(file) in _LANGUAGES


def _suffix(file: SubmissionFile) -> str:
    return PurePosixPath(file.path).suffix.lower()


def _data_of(files: Iterable[SubmissionFile]) -> dict[str, str]:
    """Digest to path, of files that are no code and not tiny."""
    data: dict[str, str] = {}
    for file in files:
        if len(file.content) >= _SAME_FROM and not _is_code(file):
            data.setdefault(hashlib.sha256(file.content).hexdigest(), file.path)
    return data


def _code_of(submission: Submission) -> tuple[list[Source], list[LeftOut]]:
    """The code, by path. Where there is too much, small files go before large ones, which are seldom somebody's own."""
    sources: list[Source] = []
    left_out: list[LeftOut] = []
    room = TEXT_CAP
    for file in sorted(filter(_is_code, submission.files), key=lambda each: (len(each.content), each.path)):
        try:
            source = _read(file)
            if len(sources) == SOURCES_CAP or len(source.text) > room:
                raise _Refused("more code than is compared of one submission")
        except _Refused as refusal:
            left_out.append(LeftOut(path=file.path, why=str(refusal)))
        else:
            sources.append(source)
            room -= len(source.text)
    return sorted(sources, key=lambda each: each.path), sorted(left_out, key=lambda each: each.path)


def _of_kit(submission: Submission) -> tuple[str, ...]:
    """Folders and files that are not handed in, each with a slash, where somebody handed in the whole kit.

    One line of the kit.toml that we wrote, which is JSON as well; a stranger's TOML is not parsed for it.
    """
    found = _LEFT_OUT.search((submission.read("kit.toml") or b"")[:KIT_CAP])
    try:
        names = strict_json(found[1]) if found else []
    except BrokenFrame:
        names = []
    return tuple(f"{name}/" for name in names if isinstance(name, str) and name)


def _read(file: SubmissionFile) -> Source:
    suffix = _suffix(file)
    most = NOTEBOOK_CAP if suffix == ".ipynb" else FILE_CAP
    if len(file.content) > most:
        raise _Refused(f"{readable(len(file.content))}, more than the {readable(most)} that are compared")
    if b"\0" in file.content:
        raise _Refused("no text, whatever its name says")
    text = _cells(file.content) if suffix == ".ipynb" else file.content.decode("utf-8", "replace")
    if len(text) > FILE_CAP:
        raise _Refused(f"its code is longer than the {readable(FILE_CAP)} that are compared")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(len(line) > LINE_CAP for line in text.split("\n")):
        raise _Refused(f"has lines of more than {LINE_CAP} characters, as packed code has")
    return Source(path=file.path, text=text, language=_LANGUAGES[suffix])


def _cells(content: bytes) -> str:
    """The code cells of a notebook, each after a line that names it."""
    try:
        notebook = strict_json(content)
    except BrokenFrame as error:
        raise _Refused("no notebook that can be read") from error
    parts = [f"# cell {number}\n{text}\n" for number, text in _code_cells(notebook)]
    return "\n".join(parts)


def _code_cells(notebook: Any) -> Iterator[tuple[int, str]]:
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise _Refused("no notebook that can be read")
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source")
        if isinstance(source, list):
            source = "".join(each for each in source if isinstance(each, str))
        if isinstance(source, str):
            yield number, source

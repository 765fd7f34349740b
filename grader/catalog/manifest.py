"""Reading `exercise.toml`; every complaint names the line."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from grader.catalog.files import read
from grader.errors import ExerciseDefect
from grader.model.exercise import (
    BoxLimits,
    CallablePart,
    CommandPart,
    Labels,
    Limits,
    Manifest,
    NotebookKindPart,
    NotebookPart,
    ReferenceRung,
    ServicePart,
)

FILE = "exercise.toml"
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")
_SECTION = re.compile(r"\s*\[\s*([A-Za-z0-9_.\- ]+?)\s*\]")
_KEY = re.compile(r'\s*"?([A-Za-z0-9_$\-]+)"?\s*[=.]')
_KINDS: dict[str, type[BaseModel]] = {
    "command": CommandPart,
    "callable": CallablePart,
    "service": ServicePart,
    "notebook": NotebookKindPart,
}
_KNOWN: dict[tuple[str, ...], type[BaseModel]] = {
    (): Manifest, ("limits",): Limits, ("notebook",): NotebookPart, ("labels",): Labels, ("reference",): ReferenceRung,
}  # fmt: skip


def read_manifest(folder: Path) -> Manifest:
    """Read and validate an exercise's manifest.

    Args:
        folder: The exercise's folder; its name must be the exercise's id.

    Raises:
        ExerciseDefect: The manifest is missing, is no TOML, or says something it may not.
    """
    try:
        text = read(folder, FILE).decode()
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ExerciseDefect("not UTF-8 text", file=FILE) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        place = _AT_LINE.search(str(error))
        what = _AT_LINE.sub("", str(error))
        line = int(place[1]) if place else 0
        raise ExerciseDefect(f"not valid TOML: {what}", file=FILE, line=line) from error
    try:
        manifest = Manifest.model_validate(values)
    except ValidationError as error:
        raise _translated(error, text) from error
    if manifest.id != folder.resolve().name:
        raise ExerciseDefect(
            f"id is {manifest.id!r}, but the folder is named {folder.resolve().name!r}",
            file=FILE,
            line=line_of(text, ("id",)),
            hint="Give both the same name.",
        )
    return manifest


def _translated(error: ValidationError, text: str) -> ExerciseDefect:
    details = error.errors(include_url=False)
    details.sort(key=lambda each: each["type"] != "extra_forbidden")  # a misspelt key explains a missing one
    first = details[0]
    location = tuple(str(each) for each in first["loc"])
    # "[key]" is what pydantic adds when the key itself is wrong, and the part's kind is no key of its own.
    named = tuple(
        each for place, each in enumerate(location) if each != "[key]" and not (place == 1 and _is_kind(location))
    )
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    return ExerciseDefect(
        f"{'.'.join(named) or 'the manifest'}: {_said(first)}{more}",
        file=FILE,
        line=line_of(text, named),
        hint=_hint(first, location),
    )


def _said(detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden":
        return "unknown key"
    if detail["type"] == "missing":
        return "missing"
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:]


def _is_kind(location: Sequence[str]) -> bool:
    return len(location) > 1 and location[0] == "part" and location[1] in _KINDS


def _hint(detail: ErrorDetails, location: tuple[str, ...]) -> str:
    if detail["type"] != "extra_forbidden":
        return ""
    model = _KINDS[location[1]] if _is_kind(location) else _KNOWN.get(location[:-1], BoxLimits)
    known = [field.alias or name for name, field in model.model_fields.items()]
    near = difflib.get_close_matches(location[-1], known, n=1)
    return f"{f'Did you mean {near[0]!r}? ' if near else ''}Known here: {', '.join(known)}."


def line_of(text: str, location: Sequence[str]) -> int:
    """Find the line of a key in TOML text, or of the nearest section around it.

    Args:
        text: The file.
        location: The key's path; list positions are ignored.

    Returns:
        The line, counted from 1; 0 when not even its section is there.
    """
    wanted = [each for each in location if not each.isdigit()]
    section: list[str] = []
    best, matched = 0, 0
    for number, line in enumerate(text.splitlines(), start=1):
        header = _SECTION.match(line)
        key = _KEY.match(line)
        if header:
            section = [part.strip() for part in header[1].split(".")]
        here = [*section, key[1]] if key and not header else section
        if here == wanted[: len(here)] and len(here) > matched:
            best, matched = number, len(here)
    return best

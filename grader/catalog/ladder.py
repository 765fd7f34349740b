"""The solution ladder: sample submissions of an exercise, each with what it is expected to earn.

`solutions/<name>/` holds `expected.toml` and the files of a submission. With a `patch.toml` it holds
only what differs from its parent: files that are left out, exact replacements of text, and files that
are added or take the place of the parent's. A flaw is then as small to read as it is to explain.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from grader.catalog.files import read
from grader.catalog.manifest import line_of
from grader.errors import ExerciseDefect, InfrastructureFault, UsageError
from grader.model.base import Frozen, Line
from grader.model.exercise import CheckId
from grader.model.reasons import Rejection

SOLUTIONS = "solutions"
EXPECTED = "expected.toml"
PATCH = "patch.toml"
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)")

Percent = Annotated[float, Field(ge=0, le=100)]
Model = TypeVar("Model", bound=Frozen)


class RungKind(StrEnum):
    """What a rung shows."""

    REFERENCE = "reference"
    ALTERNATE = "alternate"
    PLAIN = "plain"
    NAIVE = "naive"
    FLAW = "flaw"
    BROKEN = "broken"
    HOSTILE = "hostile"


class Expected(Frozen):
    """`expected.toml`.

    Attributes:
        rung: What it shows.
        band: Lowest and highest total of the code in percent; meaningless for what is rejected.
        notebook: Lowest and highest points that checks give its decision notebook, where that is of interest.
        must_fail: Checks that must earn half of their points or less.
        parent: The rung that it differs from in one respect, or "".
        status: Whether it can be graded at all; "any" when both are fine, as long as it earns no more than the band.
        reason: Why not, when it cannot.
    """

    rung: RungKind
    band: tuple[Percent, Percent] = (0.0, 0.0)
    notebook: tuple[float, float] | None = None
    must_fail: tuple[CheckId, ...] = ()
    parent: str = ""
    status: Literal["graded", "rejected", "any"] = "graded"
    reason: Rejection | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Expected:
        if self.band[0] > self.band[1]:
            raise ValueError("band: the lower end comes first")
        if (self.status == "rejected") != (self.reason is not None):
            raise ValueError("reason: needed for what is rejected, and only there")
        if self.rung is RungKind.FLAW and not (self.parent and self.must_fail):
            raise ValueError("a flaw names its parent and the checks that it must fail")
        return self


class Replacement(Frozen):
    """One `[[replace]]` in patch.toml: text that stands exactly once in a file of the parent."""

    file: Line
    old: Annotated[str, Field(min_length=1)]
    new: str


class Patch(Frozen):
    """`patch.toml`: files of the parent that are left out, and texts that are replaced."""

    leave_out: tuple[Line, ...] = ()
    replace: tuple[Replacement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """One solution of the ladder.

    Attributes:
        name: The name of its folder.
        folder: Its folder.
        expected: What it should earn.
        base: The rung whose files it starts from, or None when it has all files itself.
        patch: What it changes in them.
    """

    name: str
    folder: Path
    expected: Expected
    base: Rung | None
    patch: Patch

    def files(self) -> dict[str, bytes]:
        """Put the submission together: path to content.

        Raises:
            ExerciseDefect: The parent has no such file, a replacement does not match, or a file cannot be read.
        """
        files = self.base.files() if self.base else {}
        for path in self.patch.leave_out:
            self._leave_out(files, path)
        for number, replacement in enumerate(self.patch.replace):
            files[replacement.file] = self._replaced(files, replacement, number)
        for path in _paths(self.folder):
            files[path] = read(self.folder, path)
        return files

    def _leave_out(self, files: dict[str, bytes], path: str) -> None:
        if files.pop(path, None) is None:
            raise ExerciseDefect(
                f"leave_out names {path}, which {self.expected.parent!r} does not have",
                file=f"{SOLUTIONS}/{self.name}/{PATCH}",
                hint=f"{self.expected.parent!r} has {', '.join(sorted(files))}.",
            )

    def _replaced(self, files: Mapping[str, bytes], replacement: Replacement, number: int) -> bytes:
        old = replacement.old.encode()
        times = files.get(replacement.file, b"").count(old)
        if times != 1:
            raise ExerciseDefect(
                f"replacement {number + 1}: the old text stands {times} times in {replacement.file} "
                f"of {self.expected.parent!r}, not once",
                file=f"{SOLUTIONS}/{self.name}/{PATCH}",
                line=_line_of_entry((self.folder / PATCH).read_text(encoding="utf-8"), number),
                hint="Take it anew from the parent, with enough around it to stand there once.",
            )
        return files[replacement.file].replace(old, replacement.new.encode())


def load_ladder(exercise_folder: Path) -> tuple[Rung, ...]:
    """Load every rung of an exercise, in alphabetical order.

    Args:
        exercise_folder: The exercise's folder; its `solutions/` holds one folder per rung.

    Raises:
        ExerciseDefect: An expectation or a patch is missing or wrong; file and line are named.
    """
    folder = exercise_folder / SOLUTIONS
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))
    except OSError as error:
        raise ExerciseDefect(f"the folder cannot be read: {error.strerror}", file=SOLUTIONS) from error
    expected = {name: _read_model(exercise_folder, f"{SOLUTIONS}/{name}/{EXPECTED}", Expected) for name in names}
    rungs: dict[str, Rung] = {}
    for name in names:
        _build(name, exercise_folder, expected, rungs, ())
    return tuple(rungs[name] for name in names)


def rung_named(exercise_folder: Path, name: str) -> Rung:
    """Load one rung and what it is based on.

    Raises:
        ExerciseDefect: There is no such rung, or it is wrong.
    """
    if not (exercise_folder / SOLUTIONS / name / EXPECTED).is_file():
        raise ExerciseDefect(f"there is no rung {name!r}", file=f"{SOLUTIONS}/{name}/{EXPECTED}")
    expected: dict[str, Expected] = {}
    wanted = name
    while wanted and wanted not in expected:
        expected[wanted] = _read_model(exercise_folder, f"{SOLUTIONS}/{wanted}/{EXPECTED}", Expected)
        wanted = expected[wanted].parent
    return _build(name, exercise_folder, expected, {}, ())


def materialise(rung: Rung, destination: Path) -> None:
    """Write the complete submission of a rung.

    Args:
        rung: The rung.
        destination: Folder to write; made when it is not there, and otherwise empty.

    Raises:
        UsageError: The destination already holds something.
        ExerciseDefect: The rung cannot be put together.
        InfrastructureFault: The disk refuses.
    """
    files = rung.files()
    try:
        destination.mkdir(parents=True, exist_ok=True)
        if any(destination.iterdir()):
            raise UsageError(f"{destination} is not empty.", hint="Name a folder that does not exist yet.")
        for path, content in files.items():
            target = destination / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        raise InfrastructureFault(f"{destination} cannot be written: {error.strerror}") from error


def _build(
    name: str, exercise: Path, expected: Mapping[str, Expected], rungs: dict[str, Rung], below: tuple[str, ...]
) -> Rung:
    if name in rungs:
        return rungs[name]
    folder = exercise / SOLUTIONS / name
    parent = expected[name].parent
    file = f"{SOLUTIONS}/{name}/{EXPECTED}"
    if parent and (parent not in expected or parent in (*below, name)):
        line = line_of(read(exercise, file).decode(), ("parent",))
        circular = parent in expected
        what = f"the parent {parent!r} leads back to itself" if circular else f"there is no rung {parent!r}"
        raise ExerciseDefect(what, file=file, line=line, hint=f"There are: {', '.join(expected)}.")
    patched = (folder / PATCH).is_file()
    if patched and not parent:
        raise ExerciseDefect(f"{PATCH} needs a parent that it changes", file=file)
    base = _build(parent, exercise, expected, rungs, (*below, name)) if parent else None
    patch = _read_model(exercise, f"{SOLUTIONS}/{name}/{PATCH}", Patch) if patched else Patch()
    base = base if patched else None
    rungs[name] = Rung(name=name, folder=folder, expected=expected[name], base=base, patch=patch)
    return rungs[name]


def _read_model(exercise: Path, name: str, model: type[Model]) -> Model:
    text = ""
    try:
        text = read(exercise, name).decode()
        return model.model_validate(tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise ExerciseDefect("not UTF-8 text", file=name) from error
    except tomllib.TOMLDecodeError as error:
        place = _AT_LINE.search(str(error))
        what = _AT_LINE.sub("", str(error))
        raise ExerciseDefect(f"not valid TOML: {what}", file=name, line=int(place[1]) if place else 0) from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        location = tuple(str(part) for part in first["loc"])
        unknown = first["type"] == "extra_forbidden"
        said = "unknown key" if unknown else first["msg"].removeprefix("Value error, ")
        message = f"{'.'.join(location)}: {said}" if location else said
        known = Replacement if len(location) > 1 and location[0] == "replace" else model
        hint = f"Known here: {', '.join(known.model_fields)}." if unknown else ""
        raise ExerciseDefect(message, file=name, line=line_of(text, location), hint=hint) from error


def _line_of_entry(text: str, number: int) -> int:
    lines = [place for place, line in enumerate(text.splitlines(), start=1) if line.strip() == "[[replace]]"]
    return lines[number] if number < len(lines) else 0


def _paths(folder: Path, below: str = "") -> Iterator[str]:
    """Yield the files of a submission; what describes the rung is not part of it."""
    for entry in sorted(os.scandir(folder / below), key=lambda each: each.name):
        path = f"{below}/{entry.name}" if below else entry.name
        if path in (EXPECTED, PATCH) or entry.name == "__pycache__":
            continue
        if entry.is_symlink():
            raise ExerciseDefect("links are not accepted in an exercise", file=f"{SOLUTIONS}/{folder.name}/{path}")
        if entry.is_dir():
            yield from _paths(folder, path)
        else:
            yield path

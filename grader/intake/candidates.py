"""`candidates.csv`: who handed in what. Read strictly, and wholly, before anything is graded."""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.errors import SubmissionRejected, UsageError
from grader.intake.addresses import Address, repository
from grader.intake.limits import MOST_EXTRA_TIME
from grader.intake.names import NAME_CAP, as_kept, is_name
from grader.intake.receive import refuse_address

REQUIRED = ("candidate", "path")
OPTIONAL = ("variant", "extra_time")
FILE_CAP = 16 * 1024**2
OWN, SHARED = "own", "shared"
_EXAMPLE = "Its first line names the columns: candidate,path,variant,extra_time (the last two may be left out)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line.

    Attributes:
        candidate: Whose work it is.
        path: Where it is, relative to the file that names it; or the address of a git repository.
        variant_of: Whose variant it is graded on; None for the one shared by all.
        extra_time: Factor by which this person had more hours for the work; None where the line does not say.
    """

    candidate: str
    path: Path | Address
    variant_of: str | None
    extra_time: float | None


def read_candidates(file: Path) -> list[Row]:
    """Read a manifest of candidates.

    Raises:
        UsageError: It cannot be read, a column is missing, or a line is wrong; file and line are named.
    """
    text = _text(file)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=True)
    rows: list[tuple[int, Row]] = []
    try:
        _check_columns(file, reader.fieldnames or ())
        for values in reader:
            if any(value.strip() for value in values.values() if isinstance(value, str)):
                rows.append((reader.line_num, _row(file, reader.line_num, values)))
    except csv.Error as error:
        raise UsageError(
            f"{file}:{max(1, reader.line_num)}: {error}.", hint="Save it again as CSV, with commas."
        ) from error
    if not rows:
        raise UsageError(f"{file} names no candidates.", hint=_EXAMPLE)
    _check_together(file, rows)
    return [row for _, row in rows]


def _separator(text: str) -> str:
    """What stands between columns: spreadsheet programs of many countries write a semicolon and call it CSV too."""
    head = text.partition("\n")[0]
    return ";" if ";" in head and "," not in head else ","


def _text(file: Path) -> str:
    try:
        with file.open("rb") as source:
            content = source.read(FILE_CAP + 1)
        if len(content) > FILE_CAP:
            raise UsageError(f"{file} is too large to be a list of candidates.", hint=_EXAMPLE)
        return content.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", hint="Name the CSV file.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8 text.", hint="Save it again as CSV with the encoding UTF-8.") from error


def _check_columns(file: Path, names: Sequence[str]) -> None:
    known = (*REQUIRED, *OPTIONAL)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(str(name).strip().lower(), known, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise UsageError(f"{file}:1: there is no column {name!r}.{meant}", hint=_EXAMPLE)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise UsageError(f"{file}:1: the column {missing[0]!r} is missing.", hint=_EXAMPLE)


def _row(file: Path, line: int, values: Mapping[str | None, object]) -> Row:
    if None in values:
        raise UsageError(
            f"{file}:{line}: there are more values than columns.", hint="Put quotes around values with commas."
        )
    texts = {name: str(value or "").strip() for name, value in values.items()}
    candidate, path = as_kept(texts["candidate"]), texts["path"]
    for name in REQUIRED:
        if not texts[name]:
            raise UsageError(f"{file}:{line}: {name} is empty.", hint="Every line names a candidate and a path.")
    if not is_name(candidate):
        raise UsageError(f"{file}:{line}: the name must be one line of at most {NAME_CAP} characters.")
    variant = as_kept(texts.get("variant", ""))
    return Row(
        candidate=candidate,
        path=repository(path) or _existing(file, line, path),
        variant_of=candidate if variant == OWN else None if variant in ("", SHARED) else variant,
        extra_time=_factor(file, line, texts.get("extra_time", "")),
    )


def _existing(file: Path, line: int, text: str) -> Path:
    try:
        refuse_address(text)
    except SubmissionRejected as error:
        hint = f"{error.hint} The address of a git repository ends in .git, perhaps with #branch behind it."
        raise UsageError(f"{file}:{line}: {error.message}", hint=hint) from error
    path = file.parent / text
    try:
        path.stat()
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{file}:{line}: {path} does not exist or cannot be opened.",
            hint="Paths are taken from the folder that the CSV file is in.",
        ) from error
    return path


def _factor(file: Path, line: int, text: str) -> float | None:
    if not text:
        return None
    try:
        factor = float(text)
    except ValueError:
        factor = 0.0
    if not 1.0 <= factor <= MOST_EXTRA_TIME:
        raise UsageError(
            f"{file}:{line}: extra_time is {text!r}, which is no factor from 1 to {MOST_EXTRA_TIME:g}.",
            hint="Write 1.25 for a quarter more time, with a point.",
        )
    return factor


def _place(path: Path | Address) -> tuple[str, str]:
    """Return what is the same for two ways to write a place, and the way it was written."""
    return (path.shown, path.shown) if isinstance(path, Address) else (str(path.resolve()), str(path))


def _check_together(file: Path, rows: list[tuple[int, Row]]) -> None:
    names: dict[str, int] = {}
    paths: dict[str, int] = {}
    for line, row in rows:
        place, called = _place(row.path)
        for known, key, what in ((names, row.candidate, row.candidate), (paths, place, called)):
            first = known.setdefault(key, line)
            if first != line:
                raise UsageError(
                    f"{file}:{line}: {what} is named in line {first} already.", hint="Leave one of the two lines out."
                )
    people = {row.candidate for _, row in rows}
    for line, row in rows:
        if row.variant_of is not None and row.variant_of not in people:
            near = difflib.get_close_matches(row.variant_of, [OWN, SHARED, *people], n=1)
            raise UsageError(
                f"{file}:{line}: variant names {row.variant_of!r}, who is no candidate in this file."
                + (f" Did you mean {near[0]!r}?" if near else ""),
                hint=f"Write {OWN!r}, {SHARED!r}, or the name of the candidate whose variant it is.",
            )

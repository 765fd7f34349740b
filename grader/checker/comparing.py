"""Where two runs of a generator first differ: the file, and the column of its table."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SHOWN = 60  # characters of a value that are told


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first thing that is not the same.

    Attributes:
        file: Path below both folders.
        column: Its column, for tables; its key, for JSON; "" when the file as a whole differs.
        what: In words.
    """

    file: str
    column: str
    what: str


def first_difference(first: Path, again: Path) -> Difference | None:
    """Compare two folders, file by file in alphabetical order.

    Args:
        first: What one run wrote.
        again: What another run wrote.
    """
    names = [{path.relative_to(folder).as_posix() for path in _files(folder)} for folder in (first, again)]
    for name in sorted(names[0] | names[1]):
        if name not in names[0] or name not in names[1]:
            return Difference(file=name, column="", what="one run wrote it, the other did not")
        if (first / name).read_bytes() != (again / name).read_bytes():
            column, what = _inside(first / name, again / name)
            return Difference(file=name, column=column, what=what)
    return None


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _inside(first: Path, again: Path) -> tuple[str, str]:
    """Return the column that differs, and how; what cannot be read as its name says is compared by lines."""
    readers = {".parquet": _parquet, ".csv": _csv, ".json": _json}
    reader = readers.get(first.suffix)
    if reader is not None:
        try:
            found = next(_columns_apart(reader(first), reader(again)), None)
        except (ValueError, OSError, csv.Error, KeyError, IndexError):
            found = None
        if found is not None:
            return found
        if first.suffix == ".parquet":
            return "", "the columns hold the same, but the bytes differ: metadata, or how it was compressed"
    return "", _line_apart(first, again)


Columns = Mapping[str, Sequence[object]]


def _parquet(path: Path) -> Columns:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read()
    # As text: NaN is then the same as NaN.
    return {name: [repr(value) for value in table.column(name).to_pylist()] for name in table.column_names}


def _csv(path: Path) -> Columns:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return {name: [row[place] for row in rows[1:]] for place, name in enumerate(rows[0])}


def _json(path: Path) -> Columns:
    return {name: [value] for name, value in _leaves(json.loads(path.read_text(encoding="utf-8")), "")}


def _leaves(value: object, name: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{name}[{place}]")
    else:
        yield name, repr(value)


def _columns_apart(first: Columns, again: Columns) -> Iterator[tuple[str, str]]:
    for name in [*first, *(name for name in again if name not in first)]:
        if name not in first or name not in again:
            yield name, "one run wrote it, the other did not"
        elif len(first[name]) != len(again[name]):
            yield name, f"{len(first[name])} rows, then {len(again[name])}"
        else:
            pairs = enumerate(zip(first[name], again[name], strict=True), start=1)
            for row, (one, other) in pairs:
                if one != other:
                    yield name, f"row {row}: {_short(one)}, then {_short(other)}"
    if list(first) != list(again):
        yield "", "the columns come in another order"


def _line_apart(first: Path, again: Path) -> str:
    lines = [path.read_bytes().split(b"\n") for path in (first, again)]
    for number, (one, other) in enumerate(itertools.zip_longest(*lines), start=1):
        if one != other:
            return f"line {number} differs"
    return "it differs"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"

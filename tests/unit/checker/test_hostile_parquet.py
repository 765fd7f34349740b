"""Tables that are odd in ways that a writer of Parquet allows: each is refused or named, and none does any harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grader.checker.api import SubmissionFailed
from grader.checker.parsing import read_table

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string())])


class Foreign(pa.ExtensionType):
    """A type of a library that the reader does not have."""

    def __init__(self) -> None:
        super().__init__(pa.int64(), "evil.type")

    def __arrow_ext_serialize__(self) -> bytes:
        return b"cos\nsystem\n(S'touch owned'\ntR."

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> Foreign:
        return cls()


def extension() -> pa.Table:
    return pa.table({"id": pa.ExtensionArray.from_storage(Foreign(), pa.array([1, 2])), "name": ["a", "b"]})


def nested() -> pa.Table:
    value: object = 1
    for _ in range(100):
        value = [value]
    return pa.table({"id": [value]})


def twins() -> pa.Table:
    return pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array(["a"])], names=["id", "id", "name"])


def look_alikes() -> pa.Table:
    return pa.table({"id": [1], "n\u0430me": ["a"]})


def far_times() -> pa.Table:
    return pa.table({"id": pa.array([2**62], pa.timestamp("us")), "name": ["a"]})


def broken_text() -> pa.Table:
    text = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    return pa.table({"id": [1], "name": text})


def many_columns() -> pa.Table:
    return pa.table({f"c{number}": [1] for number in range(10_000)})


ODD = {
    "a foreign type": (extension, ""),  # comes as what it is stored as
    "a hundred levels": (nested, "nested columns|cannot be read"),
    "two columns with one name": (twins, "doubled"),
    "a name that looks right": (look_alikes, "unexpected columns"),
    "times without end": (far_times, "id is"),
    "text that is no text": (broken_text, "cannot be read"),
    "ten thousand columns": (many_columns, "columns|cannot be read"),
}


@pytest.mark.parametrize(("make", "words"), ODD.values(), ids=ODD.keys())
def test_what_is_odd_is_refused_or_named(tmp_path: Path, make: Callable[[], pa.Table], words: str) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(make(), path)
    try:
        said = "; ".join(read_table(path, SCHEMA, name="x.parquet", decoded_bytes=2**20).deviations)
    except SubmissionFailed as failed:
        said = failed.because
    assert any(word in said for word in words.split("|")), said
    assert said.isascii()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["x.parquet"]

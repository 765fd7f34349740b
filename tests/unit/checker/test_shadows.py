"""What lies under a null of a table does not travel to the submission (SECURITY row 38)."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from grader.checker.staging import as_stream

SECRET = 0x5EC2E75E


def under_a_null(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Three values of which the second is null, and still there."""
    return pa.Array.from_buffers(kind, 3, [pa.py_buffer(b"\x05"), pa.py_buffer(values.tobytes())])


def text_under_a_null() -> pa.Array:
    offsets, words = np.array([0, 1, 7, 8], np.int32), b"aSECRETb"
    return pa.Array.from_buffers(
        pa.string(), 3, [pa.py_buffer(b"\x05"), pa.py_buffer(offsets.tobytes()), pa.py_buffer(words)]
    )


NUMBERS = np.array([1, SECRET, 3])
TABLES = {
    "int64": under_a_null(NUMBERS, pa.int64()),
    "uint32": under_a_null(NUMBERS.astype(np.uint32), pa.uint32()),
    "float64": under_a_null(NUMBERS.view(np.float64), pa.float64()),
    "timestamp": under_a_null(NUMBERS, pa.timestamp("us", tz="UTC")),
    "date64": under_a_null(NUMBERS, pa.date64()),
    "decimal": under_a_null(np.array([1, 0, SECRET, 0, 3, 0]), pa.decimal128(20, 2)),
    "all of them": pa.Array.from_buffers(pa.int64(), 3, [pa.py_buffer(b"\0"), pa.py_buffer(NUMBERS.tobytes())]),
    "list": pa.array([[1], [SECRET], [3]]).filter(pa.array([True, False, True])),
}


@pytest.mark.parametrize("name", TABLES)
def test_no_value_is_sent_where_there_is_none(name: str) -> None:
    column = TABLES[name]
    sent = as_stream(pa.table({"a": column}))
    assert SECRET.to_bytes(4, "little") not in sent
    with pa.ipc.open_stream(io.BytesIO(sent)) as stream:
        assert stream.read_all().column("a").to_pylist() == column.to_pylist()


def test_no_text_is_sent_where_there_is_none() -> None:
    sent = as_stream(pa.table({"a": text_under_a_null()}))
    assert b"SECRET" not in sent
    with pa.ipc.open_stream(io.BytesIO(sent)) as stream:
        assert stream.read_all().column("a").to_pylist() == ["a", None, "b"]


def test_levels_that_no_row_has_stay() -> None:
    codes = under_a_null(np.array([0, 2, 1], np.int32), pa.int32())
    column = pa.DictionaryArray.from_arrays(codes, ["a", "b", "c"])
    with pa.ipc.open_stream(io.BytesIO(as_stream(pa.table({"a": column})))) as stream:
        found = stream.read_all().column("a").chunk(0)
    assert (found.to_pylist(), found.dictionary.to_pylist()) == (["a", None, "b"], ["a", "b", "c"])
    assert 2 not in np.frombuffer(found.indices.buffers()[1], np.int32)[:3]


def test_tables_of_pandas_are_cleaned_too() -> None:
    masked = pd.arrays.IntegerArray(NUMBERS.copy(), np.array([False, True, False]))
    assert SECRET.to_bytes(4, "little") not in as_stream(pd.DataFrame({"a": masked}))


@pytest.mark.parametrize(
    "values", [[True, None], [date(2026, 1, 1), None], [1.5, None], ["a", None], [b"x", None], [{"k": 1}, None]]
)
def test_every_kind_of_column_stays_what_it_was(values: list[object]) -> None:
    table = pa.table({"a": values, "b": [1, 2]})
    with pa.ipc.open_stream(io.BytesIO(as_stream(table))) as stream:
        assert stream.read_all().equals(table)

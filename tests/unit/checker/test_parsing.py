"""Reading a candidate's Parquet in a throwaway process: right tables come through, hostile ones are refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grader.checker import parse_child, parsing
from grader.checker.api import SubmissionFailed
from grader.checker.parsing import TableRead, read_table
from grader.model.reasons import Reason

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("price", pa.decimal128(12, 2))])
TABLE = pa.table({"id": [1, 2], "name": ["a", None], "price": [Decimal("1.50"), None]}, schema=SCHEMA)
MIB = 1024 * 1024


def read(folder: Path, table: pa.Table | bytes, decoded_bytes: int = 16 * MIB) -> TableRead:
    path = folder / "orders.parquet"
    if isinstance(table, bytes):
        path.write_bytes(table)
    else:
        pq.write_table(table, path)
    return read_table(path, SCHEMA, name="orders.parquet", decoded_bytes=decoded_bytes)


def test_a_right_table_comes_through_unchanged(tmp_path: Path) -> None:
    found = read(tmp_path, TABLE)
    assert found == TableRead(TABLE, ())


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string()), pa.string_view()])
def test_how_text_is_laid_out_does_not_matter(tmp_path: Path, kind: pa.DataType) -> None:
    column = TABLE.column("name").cast(pa.string()).combine_chunks()
    column = column.dictionary_encode() if pa.types.is_dictionary(kind) else column.cast(kind)
    found = read(tmp_path, TABLE.set_column(1, "name", column))
    assert (found.deviations, found.table.column("name").to_pylist()) == ((), ["a", None])


@pytest.mark.parametrize(
    ("change", "deviation"),
    [
        (lambda table: table.drop_columns("name"), "missing columns: name"),
        (lambda table: table.append_column("more", pa.array([1, 2])), "unexpected columns: more"),
        (lambda table: table.select(["name", "id", "price"]), "another order"),
        (lambda table: table.set_column(0, "id", pa.array([1, 2], pa.int32())), "id is int32, not int64"),
        (lambda table: table.set_column(0, "id", pa.array(["x", "y"])), "id cannot be converted"),
    ],
)
def test_what_differs_is_listed_and_the_rest_is_kept(tmp_path: Path, change: object, deviation: str) -> None:
    found = read(tmp_path, change(TABLE))  # type: ignore[operator]
    assert deviation in "; ".join(found.deviations)
    assert found.table.schema == SCHEMA
    assert found.table.column("price").to_pylist() == [Decimal("1.50"), None]


@pytest.mark.parametrize(
    ("kind", "far", "near"),
    [
        (pa.timestamp("us", tz="UTC"), 2**62, 1_700_000_000_000_000),
        (pa.timestamp("ms", tz="UTC"), -(2**60), 1_700_000_000_000),
        (pa.timestamp("ns"), None, 2**62),
        (pa.date32(), 2**31 - 1, 19_000),
    ],
    ids=str,
)
def test_a_time_that_no_calendar_has_is_none(tmp_path: Path, kind: pa.DataType, far: int | None, near: int) -> None:
    path = tmp_path / "times.parquet"
    storage = pa.int32() if kind == pa.date32() else pa.int64()
    pq.write_table(pa.table({"at": pa.array([far, near, None], storage).cast(kind)}), path)
    found = read_table(path, pa.schema([("at", kind)]), name="times.parquet", decoded_bytes=MIB)
    first, second, third = found.table["at"].to_pylist()
    assert (first, second is None, third) == (None, False, None)
    assert found.deviations == (() if far is None else ("at holds times beyond the years 1 to 9999",))


def bomb() -> pa.Table:
    return pa.table({"id": pa.array([7] * 4_000_000, pa.int64()), "name": ["x" * 50] * 4_000_000})


def folded() -> pa.Table:
    """Texts of 400 MB in a file of some ten KB: one text, and a hundred thousand rows that point to it."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 4096]))
    return pa.table({"name": texts})


def grown() -> pa.Table:
    """Small as it is stored, and larger than the cap as the text that is asked for."""
    return pa.table({"name": pa.array([True, False] * 1_500_000)})


def many() -> pa.Table:
    """Rows that take next to nothing, until Python makes an object of each."""
    return pa.table({"id": pa.nulls(4_000_001, pa.bool_())})


def wide() -> pa.Table:
    return pa.table({f"c{number}": [1] for number in range(100)})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.FORMAT),
        (b"id,name\n1,a\n", Reason.FORMAT),
        (b"PAR1" + b"\0" * 100 + b"PAR1", Reason.INVALID),
        (b"PAR1" + b"\xff" * 100_000 + b"PAR1", Reason.INVALID),
        (bomb(), Reason.DECODED_CAP),
        (folded(), Reason.DECODED_CAP),
        (grown(), Reason.DECODED_CAP),
        (many(), Reason.DECODED_CAP),
        (wide(), Reason.SCHEMA_CAP),
        (pa.table({"id": [[1]]}), Reason.SCHEMA),
    ],
    ids=["empty", "csv", "zeros", "ones", "bomb", "folded bomb", "grown", "many rows", "wide", "nested"],
)
def test_hostile_files_are_refused_with_a_reason(tmp_path: Path, content: pa.Table | bytes, reason: Reason) -> None:
    with pytest.raises(SubmissionFailed) as failed:
        read(tmp_path, content)
    assert failed.value.reason is reason


@pytest.mark.parametrize("laid_out", [pa.dictionary(pa.int32(), pa.string()), pa.string()], ids=str)
def test_a_bomb_is_refused_long_before_it_is_unpacked(laid_out: pa.DataType) -> None:
    content, pool = pa.BufferOutputStream(), pa.proxy_memory_pool(pa.default_memory_pool())
    pq.write_table(folded().cast(pa.schema([("name", laid_out)])), content)
    before = pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        with pytest.raises(parse_child.Unreadable, match="unpacks to more"):
            parse_child.read(content.getvalue().to_pybytes(), 8 * MIB)
    finally:
        pa.set_memory_pool(before)
    assert pool.max_memory() < 64 * MIB


def test_the_process_that_reads_is_the_first_to_be_killed_for_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = tmp_path / "child.py"
    says = 'import json; print(json.dumps({"reason": "invalid", "message": open("/proc/self/oom_score_adj").read()}))'
    child.write_text(says)
    monkeypatch.setattr(parsing, "CHILD", child)
    with pytest.raises(SubmissionFailed, match="1000"):
        read(tmp_path, TABLE)


def test_pandas_metadata_has_no_say(tmp_path: Path) -> None:
    lying = TABLE.replace_schema_metadata({b"pandas": b'{"index_columns": ["id"], "columns": "nonsense"}'})
    assert read(tmp_path, lying).table.column_names == SCHEMA.names

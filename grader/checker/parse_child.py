"""The throwaway process that reads one Parquet file; see `grader.checker.parsing`.

Reads the file from stdin, takes one JSON argument, writes one JSON line and then, when all is well, the
table as an Arrow stream. Follows SECURITY section 4: bytes and never a path, caps before decoding,
a running count while decoding (the footer's own sizes lie), no pandas metadata, no extension types.
"""

from __future__ import annotations

import base64
import json
import resource
import sys
from typing import Any

COLUMNS_CAP = 64
ROW_GROUPS_CAP = 20_000
BATCH_ROWS = 4_096  # a batch is decoded before it is counted, so it must not be a bomb of its own
ROWS_CAP = 4_000_000  # a row of empty texts takes a few bytes here, and hundreds where Python counts them
NAME_CAP = 60
# Days since 1970 that Python's calendar has, but for its first and last one, which other time zones move out of it.
FIRST_DAY, LAST_DAY = -719_161, 2_932_895
TICKS = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000}  # of a day; nanoseconds never leave the calendar


class Unreadable(Exception):
    """The file is refused, with a reason code and the end of a sentence that begins with its name."""


def main() -> None:
    """Read, convert, answer."""
    request = json.loads(sys.argv[1])
    memory = 2 * 1024**3 + 4 * request["decoded_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import pyarrow as pa

    pa.set_cpu_count(1)
    schema = pa.ipc.read_schema(pa.BufferReader(base64.b64decode(request["schema"])))
    try:
        table, deviations = convert(read(sys.stdin.buffer.read(), request["decoded_bytes"]), schema)
        require_size(table.nbytes, request["decoded_bytes"])  # another type may take more, and the reader holds it all
    except Unreadable as refused:
        answer({"reason": refused.args[0], "message": refused.args[1]})
        return
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        answer({"reason": "invalid", "message": f"cannot be read as Parquet: {plain(str(error), 300)}"})
        return
    answer({"deviations": deviations})
    with pa.ipc.new_stream(sys.stdout.buffer, schema) as stream:
        stream.write_table(table)


def read(content: bytes, decoded_bytes: int) -> Any:
    """Decode the file batch by batch, counting what it really takes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if content[:4] != b"PAR1" or content[-4:] != b"PAR1":
        raise Unreadable("format", "is not a Parquet file.")
    file = pq.ParquetFile(
        pa.BufferReader(content),
        thrift_string_size_limit=10_000_000,
        thrift_container_size_limit=1_000_000,
        pre_buffer=False,
    )
    if file.metadata.num_columns > COLUMNS_CAP or file.metadata.num_row_groups > ROW_GROUPS_CAP:
        raise Unreadable("schema_cap", "has more columns or row groups than accepted.")
    if any(pa.types.is_nested(field.type) for field in file.schema_arrow):
        raise Unreadable("schema", "has nested columns.")
    batches, size, rows = [], 0, 0
    for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
        batch.validate(full=True)
        size, rows = size + sum(map(unfolded_size, batch.columns)), rows + batch.num_rows
        require_size(size, decoded_bytes)
        if rows > ROWS_CAP:
            raise Unreadable("decoded_cap", f"holds more than {ROWS_CAP:,} rows.")
        batches.append(batch)
    return pa.Table.from_batches(batches, file.schema_arrow)


def require_size(size: int, decoded_bytes: int) -> None:
    """Refuse a table that takes too much memory.

    Raises:
        Unreadable: With the reason for that.
    """
    if size > decoded_bytes:
        raise Unreadable("decoded_cap", f"unpacks to more than {decoded_bytes:,} bytes.")


def unfolded_size(column: Any) -> int:
    """Bytes that a column takes once each of its rows has a value of its own.

    A dictionary holds each text once, and a hundred thousand rows may point to it: what it takes as it is says
    nothing about the text column that it becomes.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    kind = column.type.value_type
    if not any(same(kind) for same in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary)):
        raise Unreadable("schema", "has a column whose dictionary holds no texts.")
    lengths = pc.binary_length(column.dictionary).take(column.indices)
    return int(pc.sum(lengths, min_count=0).as_py() + column.indices.nbytes)


def convert(table: Any, schema: Any) -> tuple[Any, list[str]]:
    """Bring a table to the expected schema; list what differed."""
    import pyarrow as pa

    deviations = []
    names = table.column_names
    if names != schema.names:
        deviations.append(name_deviation(names, schema.names))
    columns = []
    for field in schema:
        empty = pa.nulls(table.num_rows, field.type)
        if names.count(field.name) != 1:
            columns.append(empty)
            continue
        column = table.column(field.name)
        if not same_type(column.type, field.type):
            deviations.append(f"{field.name} is {plain(str(column.type))}, not {field.type}")
        try:
            columns.append(column.cast(field.type, safe=True))
        except pa.ArrowException:
            deviations.append(f"{field.name} cannot be converted to {field.type}")
            columns.append(empty)
        known = columns[-1].null_count
        columns[-1] = within_calendar(columns[-1], field.type)
        if columns[-1].null_count > known:
            deviations.append(f"{field.name} holds times beyond the years 1 to 9999")
        if not field.nullable and columns[-1].null_count:
            deviations.append(f"{field.name} holds nulls")
    arrays = [column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column for column in columns]
    return pa.Table.from_arrays(arrays, schema=schema), deviations


def within_calendar(column: Any, kind: Any) -> Any:
    """Return a column with null in place of times that no Python object can hold: a check would fail for them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(kind) and kind.unit in TICKS:
        day, number = TICKS[kind.unit], column.cast(pa.int64())
    elif pa.types.is_date(kind):
        day, number = 1, column.cast(pa.date32()).cast(pa.int32())
    else:
        return column
    real = pc.and_(pc.greater_equal(number, FIRST_DAY * day), pc.less(number, (LAST_DAY + 1) * day))
    return pc.if_else(real, column, pa.scalar(None, kind))


def name_deviation(names: list[str], expected: list[str]) -> str:
    """Say how column names differ."""
    missing = [name for name in expected if name not in names]
    extra = [plain(name) for name in names if name not in expected]
    if missing or extra:
        parts = ["missing columns: " + ", ".join(missing)] * bool(missing)
        parts += ["unexpected columns: " + ", ".join(extra[:10])] * bool(extra)
        return "; ".join(parts)
    return "columns are doubled" if len(names) != len(expected) else "columns are in another order"


def same_type(found: Any, expected: Any) -> bool:
    """Whether two types mean the same; how text is laid out in memory is a library's choice."""
    return bool(found == expected or (_is_text(found) and _is_text(expected)))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def plain(text: str, cap: int = NAME_CAP) -> str:
    """Cut a candidate's text and make it printable ASCII."""
    return ascii(text)[1:-1][:cap]


def answer(header: dict[str, Any]) -> None:
    """Write the first line."""
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n")


if __name__ == "__main__":
    main()

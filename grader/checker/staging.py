"""Tables on their way into a box: as Arrow streams, many of them in one frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from grader import frames


class Staging:
    """Collects tables and sends them in full frames, so that not every small table waits for an answer of its own.

    Args:
        send: Sends one frame, given its header and its body.
    """

    def __init__(self, send: Callable[[Mapping[str, Any], bytes], object]) -> None:
        """Nothing waits."""
        self._send = send
        self._count = 0
        self._pieces: list[tuple[str, int]] = []
        self._body = bytearray()

    def add(self, data: bytes) -> str:
        """Take a table; return the name that calls know it by."""
        self._count += 1
        name = f"t{self._count}"
        rest = memoryview(data)
        while rest:
            piece = rest[: frames.BODY_CAP - len(self._body)]
            self._pieces.append((name, len(piece)))
            self._body += piece
            rest = rest[len(piece) :]
            if len(self._body) == frames.BODY_CAP:
                self.send()
        return name

    def send(self) -> None:
        """Send what waits, if anything does."""
        pieces, body = self._pieces, bytes(self._body)
        self._pieces, self._body = [], bytearray()
        if pieces:
            self._send({"pieces": pieces}, body)


def as_stream(table: Any) -> bytes:
    """Write a table as an Arrow stream, with nothing but nothing where it has nulls."""
    import pyarrow as pa

    if not isinstance(table, pa.Table):
        table = pa.Table.from_pandas(table, preserve_index=False)
    table = pa.Table.from_arrays([_without_shadows(column) for column in table.columns], schema=table.schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def _without_shadows(column: Any) -> Any:
    """Build a column anew whose nulls cover values; Arrow sends what lies under a null as it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not column.null_count:
        return column
    kind, nothing = column.type, pa.scalar(None, column.type)
    if column.null_count == len(column):
        return pa.nulls(len(column), kind)
    if pa.types.is_dictionary(kind):
        chunks = [
            pa.DictionaryArray.from_arrays(_without_shadows(chunk.indices), chunk.dictionary, ordered=kind.ordered)
            for chunk in column.chunks
        ]
        return pa.chunked_array(chunks, kind)
    if pa.types.is_nested(kind):
        return pa.array(column.to_pylist(), kind)
    # Under a null is then a value that stands elsewhere in the column.
    return pc.if_else(column.is_valid(), pc.fill_null(column, column.drop_null()[0]), nothing)

"""All results as one Parquet file, with a type for each column: what statistics programs read best."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grader.errors import UsageError


def columns() -> Any:
    """The schema (`pyarrow.Schema`): one row for each check of each run of each submission.

    `counts` tells runs whose score counts from those that a regrade made or that were replaced; `regrade` is the
    series that the run belongs to, null for ordinary grading. `fraction` is the exact share of a check's points, from
    0 to 1; `earned` and `possible` are points, `earned` rounded to hundredths; all three and `outcome` are as measured.
    `override` is what a person gave in place of `earned`, null where nobody did. `seconds` and `run_seconds` are wall
    time. `candidate` and `label` are null where a person was erased; `outcome`, `fraction` and `earned` where a check
    was not measured. Moments are UTC.

    Raises:
        UsageError: pyarrow is not installed.
    """
    pa = _pyarrow()
    moment = pa.timestamp("us", tz="UTC")
    types = {
        "candidate": pa.string(),
        "submission": pa.string(),
        "label": pa.string(),
        "exercise": pa.string(),
        "version": pa.string(),
        "exercise_digest": pa.string(),
        "run": pa.string(),
        "counts": pa.bool_(),
        "regrade": pa.string(),
        "status": pa.string(),
        "started": moment,
        "finished": moment,
        "run_seconds": pa.float64(),
        "check": pa.string(),
        "group": pa.string(),
        "title": pa.string(),
        "competency": pa.string(),
        "outcome": pa.string(),
        "reason": pa.string(),
        "fraction": pa.float64(),
        "earned": pa.float64(),
        "override": pa.float64(),
        "possible": pa.float64(),
        "seconds": pa.float64(),
        "metrics": pa.map_(pa.string(), pa.float64()),
    }
    return pa.schema(list(types.items()))


def as_parquet(parts: Iterable[Mapping[str, Sequence[Any]]]) -> tuple[bytes, int]:
    """Return the file, and how many rows it has.

    Args:
        parts: Columns by the names of `columns()`; others are left out. Each part becomes a row group.

    Raises:
        UsageError: pyarrow is not installed.
    """
    pa, schema, buffer, count = _pyarrow(), columns(), io.BytesIO(), 0
    from pyarrow.parquet import ParquetWriter

    with ParquetWriter(buffer, schema, compression="zstd") as writer:
        for part in parts:
            table = pa.table([pa.array(part[field.name], field.type) for field in schema], schema=schema)
            writer.write_table(table)
            count += table.num_rows
    return buffer.getvalue(), count


def _pyarrow() -> Any:
    try:
        import pyarrow
    except ModuleNotFoundError as error:
        raise UsageError("Parquet needs the package pyarrow.", hint="Type: pip install 'grader[parquet]'") from error
    return pyarrow

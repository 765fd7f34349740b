"""Clean the shops' order exports: Polars expressions over batches, in two passes.

Pass 1 reads each file batch by batch, writes what is valid to a staging file and what is not to the quarantine, and
keeps three integers per valid row: key, time of ingestion, position. These decide about duplicates. Pass 2 copies
the staging files without the duplicates. Memory grows by 24 bytes a row, whatever the rows hold.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

os.environ.setdefault("POLARS_MAX_THREADS", "2")

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from columns import Layout
from words import Cities, Skus, Statuses

BATCH = 50_000
STAGED = pa.schema(
    [
        ("shop", pa.string()),
        ("order_no", pa.string()),
        ("ts_utc", pa.timestamp("us", tz="UTC")),
        ("amount", pa.decimal128(12, 2)),
        ("currency", pa.string()),
        ("qty", pa.int32()),
        ("weight_g", pa.float64()),
        ("status", pa.string()),
        ("city", pa.string()),
        ("sku", pa.string()),
        ("customer_id", pa.string()),
        ("source_row", pa.int64()),
    ]
)
ORDERS = STAGED.insert(11, pa.field("source_file", pa.string()))
QUARANTINE = pa.schema(
    [("source_file", pa.string()), ("source_row", pa.int64()), ("reason", pa.string()), ("raw_json", pa.string())]
)
POSITION_BITS = 32  # a row's position: number of its file, then 32 bits for its row


class Reference:
    """What orders refer to, and the memory of values that were repaired before."""

    def __init__(self, raw):
        self.customers = pl.Series(
            pq.read_table(raw / "customers.parquet", columns=["customer_id"])["customer_id"].to_pylist(), dtype=pl.String
        ).unique()
        products = set(pq.read_table(raw / "products.parquet", columns=["sku"])["sku"].to_pylist())
        self.sku = Skus(raw / "sku_alias.csv", products)
        self.status = Statuses()
        self.city = Cities()


class FileResult:
    """What pass 1 knows of one file."""

    def __init__(self, path, number, staged, rejected):
        self.path, self.number, self.staged, self.rejected = path, number, staged, rejected
        self.keys = []
        self.rows = 0
        self.reasons = Counter()

    def discard(self):
        for file in (self.staged, self.rejected):
            file.unlink(missing_ok=True)


def first_pass(path, number, reference, workshop):
    """Read one file to its last row.

    Raises:
        OSError, ValueError: It cannot be read (pyarrow's own errors are among these).
    """
    result = FileResult(path, number, workshop / f"{number}-staged", workshop / f"{number}-rejected")
    try:
        with (
            pq.ParquetFile(path, page_checksum_verification=True, pre_buffer=False) as file,
            pq.ParquetWriter(result.staged, STAGED, compression="lz4") as staged,
            pq.ParquetWriter(result.rejected, QUARANTINE, compression="zstd") as rejected,
        ):
            layout = None
            for batch in file.iter_batches(batch_size=BATCH, use_threads=False):
                layout = layout or Layout(file.schema_arrow, batch)
                add_batch(result, batch, layout, reference, staged, rejected)
            if result.rows != file.metadata.num_rows:
                raise ValueError("rows are missing")
    except BaseException:
        result.discard()
        raise
    return result


def add_batch(result, batch, layout, reference, staged, rejected):
    """Repair one batch and divide it."""
    frame = layout.parse(layout.select(batch), result.rows, reference)
    bad = frame.filter(pl.col("reason").is_not_null()).select("source_row", "reason")
    if len(bad):
        raw = batch.take(pa.array((bad["source_row"] - result.rows).to_list(), pa.int64()))
        rejected.write_table(
            pa.table(
                [
                    pa.array([result.path.name] * len(bad), pa.string()),
                    pa.array(bad["source_row"].to_list(), pa.int64()),
                    pa.array(bad["reason"].to_list(), pa.string()),
                    pa.array([to_json(row) for row in raw.to_pylist()], pa.string()),
                ],
                schema=QUARANTINE,
            )
        )
        result.reasons.update(bad["reason"].to_list())
    good = frame.filter(pl.col("reason").is_null())
    if len(good):
        position = pl.lit(result.number << POSITION_BITS, pl.Int64) + pl.col("source_row")
        result.keys.append(good.select("key", "ingested_at", position.alias("position")))
        staged.write_table(to_arrow(good))
    result.rows += len(batch)


def to_arrow(frame):
    """Turn a repaired frame into the output's exact types; cents become decimals without passing floats."""
    table = frame.select("cents", *(name for name in STAGED.names if name != "amount")).to_arrow()
    hundredth = pa.scalar("0.01").cast(pa.decimal128(3, 2))
    amount = pc.multiply(table["cents"].cast(pa.decimal128(19, 0)), hundredth).cast(pa.decimal128(12, 2))
    columns = [amount if name == "amount" else table[name].cast(STAGED.field(name).type) for name in STAGED.names]
    return pa.table(columns, schema=STAGED)


def to_json(row):
    return json.dumps({name: plain(value) for name, value in row.items()}, ensure_ascii=False, default=str)


def plain(value):
    return None if isinstance(value, float) and not math.isfinite(value) else value


def find_duplicates(results):
    """Positions of the rows that lose against another row of their order, in ascending order."""
    keys = [frame for result in results for frame in result.keys]
    for result in results:
        result.keys = []
    if not keys:
        return pl.Series("position", [], dtype=pl.Int64)
    table = pl.concat(keys, rechunk=True)
    keys.clear()
    # Most orders come once: only the others have to be sorted.
    table = table.filter(pl.col("key").is_duplicated())
    return (
        table.sort("key", "ingested_at", "position", descending=[False, True, False])
        .filter(pl.col("key") == pl.col("key").shift(1))["position"]
        .sort()
    )


def second_pass(results, duplicates, out):
    """Write the two tables; returns the report's `by_file`."""
    by_file = {}
    with pq.ParquetWriter(out / "orders.parquet", ORDERS, compression="zstd") as orders:
        for result in results:
            start = result.number << POSITION_BITS
            losing = duplicates.filter(duplicates.is_between(start, start + (1 << POSITION_BITS), closed="left")) - start
            stays = np.ones(result.rows, bool)
            stays[losing.to_numpy()] = False
            kept = 0
            with pq.ParquetFile(result.staged) as staged:
                for batch in staged.iter_batches(batch_size=BATCH, use_threads=False):
                    batch = batch.filter(pa.array(stays[batch["source_row"].to_numpy()]))
                    kept += len(batch)
                    name = pa.array([result.path.name] * len(batch), pa.string())
                    columns = [name if field.name == "source_file" else batch[field.name] for field in ORDERS]
                    orders.write_table(pa.table(columns, schema=ORDERS))
            result.staged.unlink()
            rejected = result.reasons.total()
            by_file[result.path.name] = {
                "rows_in": result.rows,
                "rows_out": kept,
                "rows_duplicate": result.rows - kept - rejected,
                "rows_quarantined": rejected,
            }
    with pq.ParquetWriter(out / "quarantine.parquet", QUARANTINE, compression="zstd") as quarantine:
        for result in results:
            for batch in pq.ParquetFile(result.rejected).iter_batches():
                quarantine.write_batch(batch)
    return by_file


def clean(raw, out, workshop):
    reference = Reference(raw)
    results, unreadable = [], []
    for number, path in enumerate(sorted((raw / "orders").glob("part-*.parquet"), key=lambda each: each.name)):
        try:
            results.append(first_pass(path, number, reference, workshop))
        except (OSError, ValueError):
            unreadable.append(path.name)
    by_file = second_pass(results, find_duplicates(results), out)
    reasons = sum((result.reasons for result in results), Counter())
    report = {
        **{
            key: sum(entry[key] for entry in by_file.values())
            for key in ("rows_in", "rows_out", "rows_duplicate", "rows_quarantined")
        },
        "by_file": by_file,
        "by_reason": dict(sorted(reasons.items())),
        "unreadable": unreadable,
    }
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 3 if unreadable else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    out = arguments.out.absolute()
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".cleaning-") as folder:
        result = Path(folder) / "out"
        result.mkdir()
        status = clean(arguments.raw, result, Path(folder))
        result.rename(out)
    return status


if __name__ == "__main__":
    sys.exit(main())

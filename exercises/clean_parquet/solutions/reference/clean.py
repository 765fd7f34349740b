"""Clean the order exports of three shops, batch by batch.

Two passes over the files. The first decides what becomes of every row and remembers only its key,
its age and its fate: 17 bytes a row. The second cleans and writes the rows that are kept. Memory
therefore grows with the number of rows, but hardly with their width.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from columns import Batch, Memo
from rules import REASONS, SHOPS

ROWS = 65_536
ORDERS = pa.schema(
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
        ("source_file", pa.string()),
        ("source_row", pa.int64()),
    ]
)
QUARANTINE = pa.schema(
    [("source_file", pa.string()), ("source_row", pa.int64()), ("reason", pa.string()), ("raw_json", pa.string())]
)
SHOP_NAMES = pa.array(list(SHOPS))


@dataclass(slots=True)
class Survey:
    """What the first pass remembers of one file; one entry a row.

    `fate` is the place of the reason in REASONS, or -1 for a row that can be kept.
    """

    path: Path
    key: np.ndarray
    ingested: np.ndarray
    fate: np.ndarray
    kept: np.ndarray


@dataclass(frozen=True, slots=True)
class Lookups:
    """Customers that exist, and SKUs as they are called today."""

    customers: pa.Array
    skus: Memo


def read_lookups(raw: Path) -> Lookups:
    """Read customers, products and retired SKUs."""
    customers = pq.read_table(raw / "customers.parquet", columns=["customer_id"])["customer_id"].combine_chunks()
    sold = set(pq.read_table(raw / "products.parquet", columns=["sku"])["sku"].to_pylist())
    with (raw / "sku_alias.csv").open(encoding="utf-8", newline="") as file:
        replacements = {line["old_sku"]: line["new_sku"] for line in csv.DictReader(file)}

    def today(sku: str | None) -> str | None:
        for _ in range(len(replacements) + 1):
            if sku in sold or sku not in replacements:
                break
            sku = replacements[sku]
        return sku

    return Lookups(customers, Memo(today, pa.string()))


def read_batches(path: Path) -> Iterator[Batch]:
    """Read a file in batches; text columns stay dictionary-encoded where they are in the file."""
    schema = pq.read_schema(path)
    text = [field.name for field in schema if pa.types.is_string(field.type)]
    with pq.ParquetFile(path, read_dictionary=text) as file:
        for batch in file.iter_batches(batch_size=ROWS):
            yield Batch(batch, schema.metadata or {})


def survey(path: Path, lookups: Lookups) -> Survey:
    """Decide for every row of a file whether it can be kept.

    Raises:
        OSError: The file cannot be read to its end.
        pyarrow.ArrowException: Likewise.
    """
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for batch in read_batches(path):
        known = pc.is_in(batch.text("customer_id"), lookups.customers)
        bad = [pc.is_null(batch.moment()), pc.is_null(batch.cents()), pc.is_null(batch.qty()), pc.invert(known)]
        fate = np.full(len(batch), -1, np.int8)
        for place, column in reversed(list(enumerate(bad))):
            fate[column.to_numpy(zero_copy_only=False)] = place
        shop = pc.index_in(batch.shop(), SHOP_NAMES).to_numpy(zero_copy_only=False)
        key = shop.astype(np.int64) * 10_000_000 + batch.number().to_numpy(zero_copy_only=False)
        parts.append((key, batch.ingested(), fate))
    empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8))
    key, ingested, fate = (np.concatenate(column) for column in zip(*parts or [empty], strict=True))
    return Survey(path, key, ingested, fate, np.zeros(len(key), bool))


def choose(surveys: list[Survey]) -> None:
    """Mark the newest valid row of every order; of several, the first in file and row order."""
    if not surveys:
        return
    valid = np.concatenate([each.fate < 0 for each in surveys])
    key = np.concatenate([each.key for each in surveys])[valid]
    age = -np.concatenate([each.ingested for each in surveys])[valid]
    order = np.lexsort((age, key))  # stable: rows that are equal stay in file and row order
    first = np.ones(len(order), bool)
    first[1:] = key[order[1:]] != key[order[:-1]]
    kept = np.zeros(len(valid), bool)
    kept[np.flatnonzero(valid)[order[first]]] = True
    start = 0
    for each in surveys:
        each.kept = kept[start : start + len(each.fate)]
        start += len(each.fate)


def cleaned(batch: Batch, lookups: Lookups, file: str, rows: np.ndarray) -> pa.Table:
    """Clean rows that are kept."""
    amount = pc.multiply(batch.cents().cast(pa.decimal128(19, 0)), pa.scalar(Decimal("0.01")))
    columns = [
        batch.shop(),
        pc.utf8_lpad(batch.number().cast(pa.string()), 7, "0"),
        batch.moment().cast(pa.timestamp("us", tz="UTC")),
        amount.cast(pa.decimal128(12, 2)),
        batch.currency(),
        batch.qty(),
        batch.grams(),
        batch.status(),
        batch.city(),
        batch.sku(lookups.skus),
        batch.text("customer_id"),
        pa.array([file] * len(rows), pa.string()),
        pa.array(rows, pa.int64()),
    ]
    return pa.table(columns, schema=ORDERS)


def quarantined(batch: Batch, file: str, rows: np.ndarray, fates: np.ndarray) -> pa.Table:
    """List rows that cannot be repaired, with what they held."""
    held = [json.dumps(row, default=str, ensure_ascii=False) for row in batch.raw.to_pylist()]
    reasons = [REASONS[fate] for fate in fates]
    columns = [pa.array([file] * len(rows), pa.string()), pa.array(rows, pa.int64()), pa.array(reasons), pa.array(held)]
    return pa.table([column.cast(field.type) for column, field in zip(columns, QUARANTINE, strict=True)], schema=QUARANTINE)


def write_tables(surveys: list[Survey], lookups: Lookups, out: Path) -> None:
    """Write both tables, reading every file once more."""
    with (
        pq.ParquetWriter(out / "orders.parquet", ORDERS, compression="zstd") as orders,
        pq.ParquetWriter(out / "quarantine.parquet", QUARANTINE, compression="zstd") as quarantine,
    ):
        for each in surveys:
            start = 0
            for batch in read_batches(each.path):
                part = slice(start, start + len(batch))
                kept, bad = np.flatnonzero(each.kept[part]), np.flatnonzero(each.fate[part] >= 0)
                if len(kept):
                    orders.write_table(cleaned(batch.take(kept), lookups, each.path.name, kept + start))
                if len(bad):
                    fates = each.fate[part][bad]
                    quarantine.write_table(quarantined(batch.take(bad), each.path.name, bad + start, fates))
                start = part.stop


def write_report(surveys: list[Survey], unreadable: list[str], out: Path) -> None:
    """Write the counts."""
    by_file = {}
    for each in surveys:
        rows, kept, bad = len(each.fate), int(each.kept.sum()), int((each.fate >= 0).sum())
        counts = {"rows_in": rows, "rows_out": kept, "rows_duplicate": rows - kept - bad, "rows_quarantined": bad}
        by_file[each.path.name] = counts
    names = ("rows_in", "rows_out", "rows_duplicate", "rows_quarantined")
    totals = {name: sum(counts[name] for counts in by_file.values()) for name in names}
    reasons = {
        reason: int(sum((each.fate == place).sum() for each in surveys)) for place, reason in enumerate(REASONS)
    }
    report = {**totals, "by_file": by_file, "by_reason": reasons, "unreadable": unreadable}
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def clean(raw: Path, out: Path) -> int:
    """Clean `raw` into the empty folder `out` and return the exit status."""
    lookups = read_lookups(raw)
    surveys: list[Survey] = []
    unreadable: list[str] = []
    for path in sorted((raw / "orders").glob("part-*.parquet")):
        try:
            surveys.append(survey(path, lookups))
        except (OSError, pa.ArrowException) as error:
            print(f"{path.name} cannot be read and is left out: {error}", file=sys.stderr)
            unreadable.append(path.name)
    choose(surveys)
    write_tables(surveys, lookups, out)
    write_report(surveys, unreadable, out)
    return 3 if unreadable else 0


def main() -> int:
    """Parse the command line; the output folder appears in one step, complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True, help="folder with the exports")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; does not exist yet")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.out.absolute().parent, prefix=".clean-") as workshop:
        result = Path(workshop) / "out"
        result.mkdir()
        status = clean(arguments.raw, result)
        result.rename(arguments.out)
    return status


if __name__ == "__main__":
    sys.exit(main())

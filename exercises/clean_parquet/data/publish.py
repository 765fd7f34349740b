"""Raw rows to files, and what is true about them to the tables that checks read."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from orders import FileHabits, Row
from world import World, chance, write_lookups, write_parquet

INPUT_COLUMNS = (
    "shop", "order_no", "ordered_at", "ingested_at", "amount", "currency", "qty", "weight", "weight_unit",
    "status", "city", "sku", "customer_id",
)  # fmt: skip

OUTPUT_NAMES = {"weight": "weight_g", "ordered_at": "ts_utc"}
RAW_NAMES = {output: column for column, output in OUTPUT_NAMES.items()}

LINES = pa.list_(pa.struct([("sku", pa.string()), ("qty", pa.int32())]))

QUANTITY_TYPES = {"int32": pa.int32(), "int64": pa.int64(), "double": pa.float64()}

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Fates:
    """What becomes of every row of the readable files, in file and row order.

    `names` holds "kept", "duplicate" or "quarantined" for the row of `rows` at the same place.
    """

    rows: tuple[Row, ...]
    names: tuple[str, ...]

    def of(self, name: str) -> list[Row]:
        """Return the rows of one fate."""
        return [row for row, fate in zip(self.rows, self.names, strict=True) if fate == name]


def decide(rows: Sequence[Row], unreadable: frozenset[str]) -> Fates:
    """Apply RULES.md section 5 to true values: the newest valid state of each order is kept."""
    readable = tuple(row for row in rows if row.file.name not in unreadable)
    best: dict[tuple[str, int], int] = {}
    for place, row in enumerate(readable):
        key = (row.order.shop, row.order.number)
        if not row.reason and (key not in best or row.ingested > readable[best[key]].ingested):
            best[key] = place
    winners = frozenset(best.values())
    names = tuple(
        "quarantined" if row.reason else "kept" if place in winners else "duplicate"
        for place, row in enumerate(readable)
    )
    return Fates(rows=readable, names=names)


def write_raw(raw: Path, seed: int, world: World, files: Sequence[FileHabits], rows: Sequence[Row]) -> None:
    """Write one data set as a candidate's program finds it."""
    (raw / "orders").mkdir(parents=True)
    write_lookups(world, raw, seed)
    draw = chance(seed, f"columns:{len(rows)}")
    for file in files:
        table = raw_table(draw, file, [row for row in rows if row.file.name == file.name])
        write_parquet(table, raw / "orders" / file.name, rows=200)


def raw_table(draw: random.Random, file: FileHabits, rows: Sequence[Row]) -> pa.Table:
    """Build one export file: columns in an order of its own, habits in its metadata."""
    present = [column for column in INPUT_COLUMNS if column not in file.absent]
    if "weight" in file.absent or file.weight != "unit":
        present.remove("weight_unit")
    arrays = {column: _array(file, column, rows) for column in present}
    if file.nested:
        del arrays["qty"], arrays["sku"]
        arrays["lines"] = pa.array([_lines(draw, row) for row in rows], LINES)
    arrays["export_batch"] = pa.array([draw.randrange(10**6) for _ in rows], pa.int64())  # to be ignored
    order = list(arrays)
    draw.shuffle(order)
    named = {file.names.get(column, column): arrays[column] for column in order}
    metadata = {"exporter": "shopsync 4.2"}
    if file.amount == "cents":
        metadata["amount_unit"] = "cents"
    if "shop" in file.absent:
        metadata["shop"] = file.shop
    return pa.table(named).replace_schema_metadata(metadata)


def _array(file: FileHabits, column: str, rows: Sequence[Row]) -> pa.Array:
    if column == "ingested_at":
        return pa.array([row.ingested for row in rows], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    kinds = {
        "amount": {"text": pa.string(), "double": pa.float64()}.get(file.amount, pa.int64()),
        "qty": QUANTITY_TYPES[file.qty] if not file.nested else pa.int32(),
        "weight": pa.string() if file.weight == "text" else pa.float64(),
    }
    return pa.array([row.cells[column] for row in rows], kinds.get(column, pa.string()))


def _lines(draw: random.Random, row: Row) -> list[dict[str, object]]:
    qty, sku = row.cells["qty"], row.cells["sku"]
    if row.reason or qty is None or qty < 2 or draw.random() < 0.35:  # type: ignore[operator]
        return [{"sku": sku, "qty": None if qty is None else int(qty)}]  # type: ignore[call-overload]
    cut = draw.randrange(1, int(qty))  # type: ignore[call-overload]
    parts = [cut, int(qty) - cut]  # type: ignore[call-overload]
    if parts[1] > 1 and draw.random() < 0.3:
        parts[1:] = [1, parts[1] - 1]
    return [{"sku": sku, "qty": part} for part in parts]


def order_table(rows: Sequence[Row]) -> pa.Table:
    """Build `orders.parquet` as it should be."""
    columns: list[list[object]] = [
        [row.order.shop for row in rows],
        [f"{row.order.number:07d}" for row in rows],
        [datetime.fromtimestamp(row.order.second, UTC) for row in rows],
        [Decimal(row.order.cents).scaleb(-2) for row in rows],
        [row.order.currency for row in rows],
        [row.order.qty for row in rows],
        [None if row.order.weight is None else float(row.order.weight) for row in rows],
        [row.order.status for row in rows],
        [row.order.city for row in rows],
        [row.order.sku for row in rows],
        [row.order.customer for row in rows],
        [row.file.name for row in rows],
        [row.position for row in rows],
    ]
    return pa.table([pa.array(values, each.type) for values, each in zip(columns, ORDERS, strict=True)], schema=ORDERS)


def raw_json(values: Mapping[str, object]) -> str:
    """Write a row of an input file as JSON for people."""
    shown = {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values.items()}
    return json.dumps(shown, ensure_ascii=False, default=str)


def quarantine_table(rows: Sequence[Row], orders: Path) -> pa.Table:
    """Build `quarantine.parquet` as it should be, for rows of the files in a folder."""
    raw = {name: pq.read_table(orders / name) for name in {row.file.name for row in rows}}
    columns: list[list[object]] = [
        [row.file.name for row in rows],
        [row.position for row in rows],
        [row.reason for row in rows],
        [raw_json(raw[row.file.name].slice(row.position, 1).to_pylist()[0]) for row in rows],
    ]
    arrays = [pa.array(values, each.type) for values, each in zip(columns, QUARANTINE, strict=True)]
    return pa.table(arrays, schema=QUARANTINE)


def report(fates: Fates, unreadable: frozenset[str]) -> dict[str, object]:
    """Build `report.json` as it should be."""
    words = {"kept": "rows_out", "duplicate": "rows_duplicate", "quarantined": "rows_quarantined"}
    empty = {"rows_in": 0, "rows_out": 0, "rows_duplicate": 0, "rows_quarantined": 0}
    by_file: dict[str, dict[str, int]] = {}
    for row, fate in zip(fates.rows, fates.names, strict=True):
        counts = by_file.setdefault(row.file.name, dict(empty))
        counts["rows_in"] += 1
        counts[words[fate]] += 1
    totals = {name: sum(counts[name] for counts in by_file.values()) for name in empty}
    reasons = Counter(row.reason for row in fates.of("quarantined"))
    return {
        **totals,
        "by_file": dict(sorted(by_file.items())),
        "by_reason": dict(sorted(reasons.items())),
        "unreadable": sorted(unreadable),
    }


def write_result(folder: Path, raw: Path, fates: Fates, unreadable: frozenset[str] = frozenset()) -> None:
    """Write the three files that a right program would write for the files of `write_raw`."""
    folder.mkdir(parents=True)
    write_parquet(order_table(fates.of("kept")), folder / "orders.parquet")
    write_parquet(quarantine_table(fates.of("quarantined"), raw / "orders"), folder / "quarantine.parquet")
    text = json.dumps(report(fates, unreadable), indent=2, sort_keys=False) + "\n"
    (folder / "report.json").write_text(text, encoding="utf-8")


def write_ledger(folder: Path, fates: Fates) -> None:
    """Write what only checks know: every row's fate and true key, and the class of every defect."""
    rows = fates.rows
    table = {
        "source_file": [row.file.name for row in rows],
        "source_row": pa.array([row.position for row in rows], pa.int64()),
        "fate": list(fates.names),
        "reason": [row.reason for row in rows],
        "shop": [row.order.shop for row in rows],
        "order_no": [f"{row.order.number:07d}" for row in rows],
        "group": [row.group for row in rows],
        "group_id": pa.array([row.group_id for row in rows], pa.int64()),
        "drifted": [row.file.drifted for row in rows],
        "touched": [bool(row.defects) or row.file.drifted for row in rows],
    }
    write_parquet(pa.table(table), folder / "rows.parquet")
    cells = [(row.file.name, row.position, *cell) for row in rows for cell in _labelled(row)]
    names = ("source_file", "source_row", "column", "defect", "raw")
    write_parquet(
        pa.table(dict(zip(names, map(list, zip(*cells, strict=True)), strict=True))), folder / "cells.parquet"
    )


def _labelled(row: Row) -> list[tuple[str, str, str]]:
    """List a row's cells that are not clean: output column, defect class, raw value for people."""
    cells = list(row.defects.items())
    if row.file.drifted:
        moved = [OUTPUT_NAMES.get(column, column) for column in row.file.names]
        moved += [column for column in ("shop", "currency", "city") if column in row.file.absent]
        moved += ["qty", "sku"] if row.file.nested else []
        cells += [(column, "moved") for column in moved if column not in row.defects]
    return [(column, defect, _raw_text(row, RAW_NAMES.get(column, column))) for column, defect in cells]


def _raw_text(row: Row, column: str) -> str:
    return "(no such column)" if column in row.file.absent else str(row.cells[column])

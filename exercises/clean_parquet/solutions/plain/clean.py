"""Merge the order exports of three shops into one table, with pandas."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

NAMES = {
    "store": "shop",
    "order_id": "order_no",
    "bestellnummer": "order_no",
    "order_ts": "ordered_at",
    "datum": "ordered_at",
    "total": "amount",
    "betrag": "amount",
    "montant": "amount",
    "ccy": "currency",
    "quantity": "qty",
    "menge": "qty",
    "gewicht": "weight",
    "poids": "weight",
    "state": "status",
    "etat": "status",
    "town": "city",
    "ort": "city",
    "ville": "city",
    "article": "sku",
    "artikel": "sku",
    "client_id": "customer_id",
    "kundennummer": "customer_id",
}
ZONES = {"alster": "Europe/Berlin", "brook": "America/New_York", "cigale": "Europe/Paris"}
CURRENCIES = {"alster": "EUR", "brook": "USD", "cigale": "EUR"}
STATUSES = {
    "pending": ["open", "offen", "ausstehend", "en attente"],
    "paid": ["settled", "bezahlt", "beglichen", "payé", "réglé"],
    "shipped": ["dispatched", "versandt", "verschickt", "expédié"],
    "delivered": ["received", "geliefert", "zugestellt", "livré"],
    "cancelled": ["canceled", "storniert", "annulliert", "annulé"],
    "returned": ["sent back", "retourniert", "zurückgesandt", "retourné"],
}
STATUS_OF = {word: status for status, words in STATUSES.items() for word in [status, *words]}
NOTHING = ["n/a", "unknown", "", "-1", "9999999"]
SCHEMA = pa.schema(
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


def read_file(path):
    table = pq.read_table(path)
    metadata = table.schema.metadata or {}
    frame = table.to_pandas().rename(columns=NAMES)
    if "shop" not in frame:
        frame["shop"] = metadata[b"shop"].decode()
    if "lines" in frame:
        frame["sku"] = [lines[0]["sku"] for lines in frame["lines"]]
        frame["qty"] = [sum(line["qty"] or 0 for line in lines) for lines in frame["lines"]]
    if "currency" not in frame:
        frame["currency"] = frame["shop"].map(CURRENCIES)
    for column in ("weight", "weight_unit", "city"):
        if column not in frame:
            frame[column] = None
    frame["source_file"] = path.name
    frame["source_row"] = np.arange(len(frame))
    return frame


def parse_times(text, shop):
    result = pd.Series(pd.NaT, index=text.index, dtype="datetime64[us, UTC]")
    text = text.fillna("")
    iso = text.str.match(r"\d{4}-\d\d-\d\dT")
    result[iso] = pd.to_datetime(text[iso], utc=True, errors="coerce", format="ISO8601")
    epoch = text.str.fullmatch(r"-?\d{1,15}")
    result[epoch] = pd.to_datetime(pd.to_numeric(text[epoch]), unit="ms", utc=True, errors="coerce")
    for name, zone in ZONES.items():
        local = text.str.contains("/") & (shop == name)
        form = "%m/%d/%Y %I:%M:%S %p" if name == "brook" else "%d/%m/%Y %H:%M:%S"
        parsed = pd.to_datetime(text[local], format=form, errors="coerce")
        result[local] = parsed.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").dt.tz_convert("UTC")
    return result.where((result >= "2024-01-01") & (result < "2026-01-01"))


def parse_amounts(raw, shop):
    if raw.dtype.kind in "if":
        return raw.astype(float).round(2)
    text = raw.fillna("").astype(str).str.replace("[\u00a0\u202f]", " ", regex=True)
    plain = text.str.replace(r"^[A-Z]{3} |^\$| ?€$", "", regex=True)
    comma = shop != "brook"
    plain = plain.where(~comma, plain.str.replace(r"[. ]", "", regex=True).str.replace(",", "."))
    plain = plain.where(comma, plain.str.replace(",", ""))
    return pd.to_numeric(plain, errors="coerce").round(2)


def parse_weights(raw, unit):
    if raw.dtype.kind == "f":
        weight = raw.where(~raw.isin([-1, 9999999]))
        return weight.where(unit != "kg", weight * 1000).astype(float)
    parts = raw.astype("string").str.extract(r"^\s*(\d+(?:\.\d+)?)\s+(kg|g)\s*$")
    return (pd.to_numeric(parts[0]) * parts[1].map({"kg": 1000, "g": 1})).astype(float)


def clean_file(frame, customers, aliases):
    cleaned = pd.DataFrame(index=frame.index)
    cleaned["shop"] = frame["shop"]
    numbers = frame["order_no"].str.strip().str.lower().str.replace(r"^(ord-|#)", "", regex=True)
    cleaned["order_no"] = numbers.str.lstrip("0").str.zfill(7)
    cleaned["ts_utc"] = parse_times(frame["ordered_at"], frame["shop"])
    cleaned["amount"] = parse_amounts(frame["amount"], frame["shop"])
    cleaned["currency"] = frame["currency"]
    cleaned["qty"] = frame["qty"]
    cleaned["weight_g"] = parse_weights(frame["weight"], frame["weight_unit"])
    status = frame["status"].str.strip().str.lower()
    cleaned["status"] = status.map(STATUS_OF).fillna(status)  # TODO: some words are misspelt
    city = frame["city"].astype("string").str.strip()
    cleaned["city"] = city.where(~city.str.lower().isin(NOTHING))
    cleaned["sku"] = frame["sku"].map(aliases).fillna(frame["sku"])
    cleaned["customer_id"] = frame["customer_id"]
    cleaned["source_file"] = frame["source_file"]
    cleaned["source_row"] = frame["source_row"]
    cleaned["ingested_at"] = frame["ingested_at"]
    cleaned["reason"] = None
    for reason, bad in (
        ("unknown_customer", ~frame["customer_id"].isin(customers)),
        ("bad_qty", ~frame["qty"].between(1, 500) | (frame["qty"] % 1 != 0)),
        ("bad_amount", ~cleaned["amount"].between(0.01, 20000)),
        ("bad_date", cleaned["ts_utc"].isna()),
    ):
        cleaned.loc[bad.astype(bool), "reason"] = reason
    return cleaned


def to_quarantine(frame, cleaned):
    bad = cleaned["reason"].notna()
    raw = frame[bad].drop(columns=["source_file", "source_row"])
    return pd.DataFrame(
        {
            "source_file": cleaned.loc[bad, "source_file"],
            "source_row": cleaned.loc[bad, "source_row"],
            "reason": cleaned.loc[bad, "reason"],
            "raw_json": [
                json.dumps({key: str(value) for key, value in row.items()}) for row in raw.to_dict("records")
            ],
        }
    )


def to_table(orders):
    orders = orders.copy()
    orders["qty"] = orders["qty"].astype("int32")
    amount = pa.array([f"{value:.2f}" for value in orders["amount"]], pa.string()).cast(pa.decimal128(12, 2))
    columns = [
        amount if field.name == "amount" else pa.array(orders[field.name], from_pandas=True).cast(field.type)
        for field in SCHEMA
    ]
    return pa.table(columns, schema=SCHEMA)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    raw, out = arguments.raw, arguments.out
    customers = set(pd.read_parquet(raw / "customers.parquet")["customer_id"])
    aliases = pd.read_csv(raw / "sku_alias.csv", dtype=str).set_index("old_sku")["new_sku"].to_dict()
    cleaned, quarantined, unreadable = [], [], []
    for path in sorted((raw / "orders").glob("part-*.parquet")):
        try:
            frame = read_file(path)
        except Exception as error:
            print(f"cannot read {path.name}: {error}", file=sys.stderr)
            unreadable.append(path.name)
            continue
        rows = clean_file(frame, customers, aliases)
        quarantined.append(to_quarantine(frame, rows))
        cleaned.append(rows)
    rows = pd.concat(cleaned, ignore_index=True)
    quarantine = pd.concat(quarantined, ignore_index=True)
    good = rows[rows["reason"].isna()]
    newest = good.sort_values("ingested_at", ascending=False, kind="stable")
    orders = newest.drop_duplicates(["shop", "order_no"]).sort_index()

    out.mkdir()
    pq.write_table(to_table(orders), out / "orders.parquet")
    pq.write_table(pa.Table.from_pandas(quarantine, schema=QUARANTINE, preserve_index=False), out / "quarantine.parquet")
    by_file = {}
    for name, group in rows.groupby("source_file"):
        kept = int((orders["source_file"] == name).sum())
        bad = int(group["reason"].notna().sum())
        by_file[name] = {
            "rows_in": len(group),
            "rows_out": kept,
            "rows_duplicate": len(group) - kept - bad,
            "rows_quarantined": bad,
        }
    report = {
        "rows_in": len(rows),
        "rows_out": len(orders),
        "rows_duplicate": len(rows) - len(orders) - len(quarantine),
        "rows_quarantined": len(quarantine),
        "by_file": by_file,
        "by_reason": quarantine["reason"].value_counts().to_dict(),
        "unreadable": unreadable,
    }
    (out / "report.json").write_text(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())

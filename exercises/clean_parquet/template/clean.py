"""Clean the order exports of three shops. Start here.

As it stands, the program runs, keeps the form of the output, and cleans nothing.
RULES.md says what it should do.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

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


def clean(raw: Path, out: Path) -> int:
    """Read the exports in `raw`, write three files to `out`, return the exit status."""
    del raw  # TODO: this is where your work begins
    pq.write_table(ORDERS.empty_table(), out / "orders.parquet")
    pq.write_table(QUARANTINE.empty_table(), out / "quarantine.parquet")
    report = {
        "rows_in": 0,
        "rows_out": 0,
        "rows_duplicate": 0,
        "rows_quarantined": 0,
        "by_file": {},
        "by_reason": {},
        "unreadable": [],
    }
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


def main() -> int:
    """Parse the command line and write the output folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True, help="folder with the exports")
    parser.add_argument("--out", type=Path, required=True, help="folder to write; does not exist yet")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.out.parent) as workshop:
        result = Path(workshop) / "out"
        result.mkdir()
        status = clean(arguments.raw, result)
        result.rename(arguments.out)
    return status


if __name__ == "__main__":
    sys.exit(main())

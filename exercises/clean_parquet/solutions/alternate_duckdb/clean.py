"""Clean the shops' order exports with DuckDB: one SQL statement per file, one for the duplicates.

Python only decides what SQL cannot: which names a file uses, and what each *distinct* status, city and SKU becomes.
Rows never pass through Python, and DuckDB spills to disk beyond its memory limit.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import lookups
import sql

ROW_GROUP = 100_000
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


class Unreadable(Exception):
    """An order file that cannot be read from its first to its last row."""


def readable_schema(path):
    """Read every page once; DuckDB alone would not notice damage in columns it does not need."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            rows = sum(len(batch) for batch in file.iter_batches(batch_size=65_536, use_threads=False))
            if rows != file.metadata.num_rows:
                raise Unreadable(path.name)
            return file.schema_arrow
    except (OSError, ValueError, MemoryError) as error:  # ArrowInvalid is a ValueError
        raise Unreadable(path.name) from error


def connect(workshop):
    database = duckdb.connect(str(workshop / "staging.duckdb"))
    for setting in (
        "memory_limit = '350MB'",
        "threads = 2",
        f"temp_directory = '{workshop / 'spill'}'",
        "preserve_insertion_order = true",
        "TimeZone = 'UTC'",
        "enable_progress_bar = false",
    ):
        database.execute(f"SET {setting}")
    return database


def load_file(database, path, number, schema):
    """Add one file's rows to `staging` (valid ones) and `rejected`, or nothing at all."""
    source = sql.Source(path, number, schema)
    database.execute("BEGIN")
    try:
        source.shop = source.shop or database.execute(source.shop_query()).fetchone()[0] or "alster"
        for table, column, mapping in (
            ("status_map", "status", lookups.statuses),
            ("city_map", "city", lookups.cities),
        ):
            values = [row[0] for row in database.execute(source.distinct_query(column)).fetchall()]
            mapped = pa.table(
                {"raw": pa.array(values, pa.string()), "clean": pa.array(mapping(values), pa.string())}
            )
            database.register("mapped", mapped)
            database.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM mapped")
            database.unregister("mapped")
        database.execute(source.create_parsed())
        database.execute(source.insert_staging())
        database.execute(source.insert_rejected())
        database.execute("DROP TABLE parsed")
    except (duckdb.IOException, duckdb.InvalidInputException) as error:
        database.execute("ROLLBACK")
        raise Unreadable(path.name) from error
    database.execute("COMMIT")


def write_query(database, query, schema, destination):
    """Stream a result into Parquet; row groups of a fixed size keep the bytes equal on every run."""
    reader = database.sql(query).to_arrow_reader(50_000)
    pending, rows = [], 0
    with pq.ParquetWriter(destination, schema, compression="zstd") as writer:
        for batch in reader:
            table = pa.Table.from_batches([batch]).cast(schema)
            while rows + len(table) >= ROW_GROUP:
                cut = ROW_GROUP - rows
                writer.write_table(pa.concat_tables([*pending, table.slice(0, cut)]), row_group_size=ROW_GROUP)
                pending, rows, table = [], 0, table.slice(cut)
            pending.append(table)
            rows += len(table)
        writer.write_table(pa.concat_tables([*pending, schema.empty_table()]), row_group_size=ROW_GROUP)


def build_report(database, files, unreadable):
    counts = {
        name: dict(database.execute(query).fetchall())
        for name, query in (
            ("out", "SELECT file, count(*) FROM staging ANTI JOIN losers USING (rid) GROUP BY file"),
            ("duplicate", "SELECT rid >> 32, count(*) FROM losers GROUP BY 1"),
            ("quarantined", "SELECT file, count(*) FROM rejected GROUP BY file"),
        )
    }
    by_file = {}
    for number, path in files:
        kept, double, bad = (counts[name].get(number, 0) for name in ("out", "duplicate", "quarantined"))
        by_file[path.name] = {
            "rows_in": kept + double + bad,
            "rows_out": kept,
            "rows_duplicate": double,
            "rows_quarantined": bad,
        }
    keys = ("rows_in", "rows_out", "rows_duplicate", "rows_quarantined")
    return {
        **{key: sum(entry[key] for entry in by_file.values()) for key in keys},
        "by_file": by_file,
        "by_reason": dict(
            database.execute("SELECT reason, count(*) FROM rejected GROUP BY reason ORDER BY reason").fetchall()
        ),
        "unreadable": sorted(unreadable),
    }


def clean(raw, out, workshop):
    database = connect(workshop)
    database.execute(sql.CREATE_TABLES)
    for name, table in lookups.reference_tables(raw).items():
        database.register("incoming", table)
        database.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
        database.unregister("incoming")
    files, unreadable = [], []
    for number, path in enumerate(sorted((raw / "orders").glob("part-*.parquet"), key=lambda each: each.name)):
        try:
            load_file(database, path, number, readable_schema(path))
            files.append((number, path))
        except Unreadable:
            unreadable.append(path.name)
    database.execute("CREATE TABLE names (file INTEGER, source_file VARCHAR)")
    if files:
        database.executemany("INSERT INTO names VALUES (?, ?)", [(number, path.name) for number, path in files])
    database.execute(sql.FIND_LOSERS)
    write_query(database, sql.KEPT, ORDERS, out / "orders.parquet")
    write_query(database, sql.QUARANTINED, QUARANTINE, out / "quarantine.parquet")
    report = build_report(database, files, unreadable)
    (out / "report.json").write_text(json.dumps(report, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    database.close()
    return 3 if unreadable else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    out = arguments.out.absolute()
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".cleaning-") as folder:
        workshop = Path(folder)
        result = workshop / "out"
        result.mkdir()
        status = clean(arguments.raw, result, workshop)
        result.rename(out)
    return status


if __name__ == "__main__":
    sys.exit(main())

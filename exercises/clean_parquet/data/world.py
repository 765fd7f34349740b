"""What a variant's shops trade in: customers, SKUs, retired SKUs, and how often each habit shows."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from grader.checker.chance import Chance

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


def chance(seed: int, stream: str) -> random.Random:
    """Return the generator of one named stream; streams of a seed do not disturb each other.

    `export_batch` shows thousands of draws as they come: with Python's own generator they told the seed.
    """
    return Chance(f"clean_parquet:{seed}:{stream}")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The parameters of one variant.

    Attributes:
        customers: Id of every customer that exists.
        strangers: Well-formed ids of customers that do not exist.
        skus: SKUs that are sold today.
        aliases: Retired SKU to its replacement, which may be retired too.
        retired: SKU sold today to the retired SKUs that end at it.
        rates: How often a defect is put in, by class; a share of the cells it fits.
    """

    customers: tuple[str, ...]
    strangers: tuple[str, ...]
    skus: tuple[str, ...]
    aliases: dict[str, str]
    retired: dict[str, tuple[str, ...]]
    rates: dict[str, float]


BASE_RATES = {
    "flawless": 0.18,
    "offset": 0.16,
    "epoch": 0.16,
    "local": 0.36,
    "provider": 0.25,
    "comma_mixed": 0.04,
    "dot_mixed": 0.60,
    "kg": 0.50,
    "weight_nothing": 0.036,
    "weight_null": 0.014,
    "case": 0.22,
    "synonym": 0.28,
    "typo": 0.075,
    "mojibake": 0.22,
    "nfd": 0.14,
    "nbsp": 0.12,
    "city_nothing": 0.034,
    "city_null": 0.010,
    "alias": 0.18,
    "key": 0.50,
    "foreign_currency": 0.08,
}


def make_world(seed: int, customers: int, skus: int) -> World:
    """Draw a variant's parameters.

    Args:
        seed: The variant's seed.
        customers: How many customers exist.
        skus: How many SKUs are sold today.
    """
    draw = chance(seed, "world")
    numbers = draw.sample(range(100_000, 1_000_000), customers + 200)
    ids = [f"C{number}" for number in numbers]
    codes = _codes(draw, skus * 2)
    sold, gone = codes[:skus], codes[skus:]
    aliases: dict[str, str] = {}
    ends: dict[str, list[str]] = {sku: [] for sku in sold}
    for position, code in enumerate(gone):
        # Every third retired SKU was replaced by one that is retired by now.
        if position % 3 == 2:
            aliases[code] = gone[position - 1]
        else:
            aliases[code] = draw.choice(sold)
    for code in gone:
        end = code
        while end in aliases:
            end = aliases[end]
        ends[end].append(code)
    return World(
        customers=tuple(ids[:customers]),
        strangers=tuple(ids[customers:]),
        skus=tuple(sold),
        aliases=aliases,
        retired={sku: tuple(old) for sku, old in ends.items() if old},
        rates={name: rate * draw.uniform(0.85, 1.15) for name, rate in BASE_RATES.items()},
    )


def _codes(draw: random.Random, count: int) -> list[str]:
    codes: dict[str, None] = {}
    while len(codes) < count:
        codes[f"{''.join(draw.choices(LETTERS, k=3))}-{draw.randrange(1000, 10_000)}"] = None
    return list(codes)


def write_lookups(world: World, raw: Path, seed: int) -> None:
    """Write customers, products and retired SKUs into `raw`, in an order that tells nothing."""
    draw = chance(seed, "lookups")
    customers = sorted(world.customers)
    countries = [draw.choice(("DE", "US", "FR", "AT", "CA", "BE")) for _ in customers]
    write_parquet(pa.table({"customer_id": customers, "country": countries}), raw / "customers.parquet")
    skus = sorted(world.skus)
    categories = [draw.choice(("garden", "kitchen", "office", "toys")) for _ in skus]
    write_parquet(pa.table({"sku": skus, "category": categories}), raw / "products.parquet")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("old_sku", "new_sku"))
    writer.writerows(sorted(world.aliases.items()))
    (raw / "sku_alias.csv").write_text(text.getvalue(), encoding="utf-8")


def write_parquet(table: pa.Table, path: Path, *, rows: int = 100_000, dictionary_bytes: int = 2**20) -> None:
    """Write a table as every file here is written: no statistics, and of metadata only the table's own.

    Args:
        table: What to write; its schema's metadata become the file's.
        path: Where to.
        rows: Rows in a row group.
        dictionary_bytes: Largest dictionary before values are written out.
    """
    options = {"compression": "zstd", "write_statistics": False, "dictionary_pagesize_limit": dictionary_bytes}
    with pq.ParquetWriter(path, table.schema, store_schema=False, **options) as writer:
        writer.write_table(table, row_group_size=rows)
        # With `store_schema` pyarrow would add its own schema; without it, it leaves out the table's metadata.
        writer.add_key_value_metadata(table.schema.metadata or {})

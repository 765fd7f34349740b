"""The large data set: one file that holds every state an order ever had, 50 for each order.

Rows are combinations of a few thousand states that are written row by row like any other, so that
3 million rows are made in seconds and each of them is as dirty as those of the main set.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from layout import plan_files
from orders import Row
from publish import QUANTITY_TYPES, order_table
from scenario import first_row, spoil_row
from vocabulary import REASONS
from world import World, chance, write_lookups, write_parquet

STATES_EACH = 50
TEMPLATES = 12_000
SPOILED = 0.004
TEXT_COLUMNS = ("shop", "ordered_at", "amount", "currency", "status", "city", "sku", "customer_id", "weight_unit")
FIRST_INGESTED = 1_767_225_600_000_000


def write_history(seed: int, world: World, folder: Path, rows: int) -> None:
    """Write the large data set and what is true of each of its rows.

    Args:
        seed: The variant's seed.
        world: The variant's parameters.
        folder: Where `raw/` and `truth/` go.
        rows: Input rows; orders are a fiftieth of them.
    """
    draw = chance(seed, "history")
    text = [file for file in plan_files(draw, 24) if file.amount == "text" and not file.drifted]
    file = replace(draw.choice(text), name="part-00.parquet", weight="unit", qty="int32")
    templates = [first_row(draw, file, world, 1) for _ in range(TEMPLATES)]
    for row in draw.sample(templates, round(TEMPLATES * SPOILED) * len(REASONS)):
        spoil_row(draw, row, draw.choice(REASONS), world)
    chooser = np.random.default_rng(draw.getrandbits(63))
    orders = chooser.permutation(np.repeat(np.arange(rows // STATES_EACH), STATES_EACH))
    template = chooser.integers(0, TEMPLATES, rows)
    age = chooser.permutation(rows)
    (folder / "raw" / "orders").mkdir(parents=True)
    write_lookups(world, folder / "raw", seed)
    numbers = np.sort(chooser.choice(np.arange(1, 1_000_000), rows // STATES_EACH, replace=False))
    table = _raw_table(templates, template, numbers, orders, chooser.integers(0, 3, rows), age)
    write_parquet(table, folder / "raw" / "orders" / file.name, rows=250_000, dictionary_bytes=8 * 2**20)
    _write_truth(folder / "truth", templates, template, orders, age)


def _raw_table(
    templates: list[Row],
    template: np.ndarray,
    numbers: np.ndarray,
    orders: np.ndarray,
    form: np.ndarray,
    age: np.ndarray,
) -> pa.Table:
    count = len(numbers)
    forms = [f"{number:07d}" for number in numbers] + [f"ord-{number}" for number in numbers]
    forms += [f"#{number:05d}" for number in numbers]
    index = pa.array(template.astype(np.int32))
    columns: dict[str, pa.Array] = {
        "order_no": pa.DictionaryArray.from_arrays(pa.array((form * count + orders).astype(np.int32)), forms),
        "ingested_at": pa.array(FIRST_INGESTED + age * 1_000_000, pa.timestamp("us", tz="UTC")),
    }
    for column in TEXT_COLUMNS:
        columns[column] = _coded([row.cells[column] for row in templates], template)
    kinds = {"qty": QUANTITY_TYPES["int32"], "weight": pa.float64()}
    for column, kind in kinds.items():
        columns[column] = pc.take(pa.array([row.cells[column] for row in templates], kind), index)
    return pa.table(dict(sorted(columns.items()))).replace_schema_metadata({"exporter": "shopsync 4.2"})


def _coded(values: list[object], template: np.ndarray) -> pa.Array:
    encoded = pa.array(values, pa.string()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(pa.array(template)), encoded.dictionary)


def _write_truth(folder: Path, templates: list[Row], template: np.ndarray, orders: np.ndarray, age: np.ndarray) -> None:
    """Write for every row its order, which template holds its true values, and whether it is the one to be kept."""
    folder.mkdir()
    valid = np.array([not row.reason for row in templates])
    columns = {"order": orders.astype(np.int32), "template": template.astype(np.int16)}
    columns["newest"] = newest_valid(orders, age, valid[template])
    write_parquet(pa.table(columns), folder / "rows.parquet", rows=1_000_000)
    kept = order_table(templates).append_column("valid", pa.array(valid))
    write_parquet(kept, folder / "templates.parquet")


def newest_valid(orders: np.ndarray, age: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Mark of every order the valid row that was ingested last.

    Args:
        orders: For every row the number of its order, (rows,).
        age: For every row its place in the order of ingestion, (rows,); no two are the same.
        valid: For every row whether it may be kept, (rows,).
    """
    by_age = np.flatnonzero(valid)[np.argsort(age[valid])]
    last = np.full(orders.max() + 1, -1)
    last[orders[by_age]] = by_age  # of several for one order numpy keeps the last
    marked = np.zeros(len(orders), bool)
    marked[last[last >= 0]] = True
    return marked

"""How much of the work on the large data set was done: the gate for memory and time.

A program that reads little and writes nothing needs no memory. So credit is given for what it did: orders that
are in its result, by any of their valid rows, and values that are right on those rows. How a key is written is left
to other checks.

With 50 states each, all orders are met within the first twelfth of the rows. Whoever has read the rest shows it: by
the newest state of each order, or by the rows that belong in quarantine. One of the two is enough, so that a mistake
with the other costs its own check alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tables import ORDERS, equal_values, share

DONE_LO, DONE_HI = 0.3, 0.75
LOOKED_AT = ("ts_utc", "amount", "currency", "qty", "weight_g", "status", "city", "sku", "customer_id")
FILE = "part-00.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """What is true of the large data set.

    Attributes:
        order: For every row, the number of the order that it belongs to, from 0 on.
        template: For every row, the place in `templates` of its true values.
        templates: True values in the columns of the output.
        valid: For every template, whether its rows can be kept.
        newest: For every row, whether it is the one that should be kept of its order.
    """

    order: np.ndarray
    template: np.ndarray
    templates: pa.Table
    valid: np.ndarray
    newest: np.ndarray


def read_volume(folder: Path) -> Volume:
    """Read what the generator knows of the large data set."""
    rows = pq.read_table(folder / "rows.parquet")
    templates = pq.read_table(folder / "templates.parquet")
    return Volume(
        order=rows["order"].to_numpy(),
        template=rows["template"].to_numpy(),
        templates=templates.select(ORDERS.names).cast(ORDERS),
        valid=templates["valid"].to_numpy(),
        newest=rows["newest"].to_numpy(),
    )


def share_done(orders: pa.Table, quarantine: pa.Table, truth: Volume) -> float:
    """Return how much was done: orders that are there, times the mean share of right values, times rows looked at."""
    rows, first = _named_rows(orders, truth)
    usable = truth.valid[truth.template[rows]]
    rows, first = rows[usable], first[usable]
    if not len(rows):
        return 0.0
    covered = len(np.unique(truth.order[rows])) / len(np.unique(truth.order))
    found = orders.combine_chunks().take(pa.array(first))
    true = truth.templates.take(pa.array(truth.template[rows]))
    right = [share(equal_values(found[name], true[name], name)) for name in LOOKED_AT]
    aside, _ = _named_rows(quarantine, truth)
    return covered * float(np.mean(right)) * max(share_newest(rows, truth), share_set_aside(aside, truth))


def share_newest(rows: np.ndarray, truth: Volume) -> float:
    """Return the share of orders of which the newest valid row is among the kept ones."""
    return float(truth.newest[rows].sum() / max(truth.newest.sum(), 1))


def share_set_aside(rows: np.ndarray, truth: Volume) -> float:
    """Return the share of invalid rows that are in quarantine, less the share of valid ones that are."""
    invalid = ~truth.valid[truth.template]
    there = invalid[rows].sum()
    return float(max(0.0, there / max(invalid.sum(), 1) - (len(rows) - there) / max((~invalid).sum(), 1)))


def _named_rows(table: pa.Table, truth: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that a table names, each once, and where it names them first."""
    known = pc.fill_null(pc.equal(table["source_file"], FILE), False).to_numpy()
    rows = pc.fill_null(table["source_row"], -1).to_numpy()
    known = known & (rows >= 0) & (rows < len(truth.order))
    rows, first = np.unique(np.where(known, rows, -1), return_index=True)
    return rows[rows >= 0], first[rows >= 0]

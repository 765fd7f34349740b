"""How much of the work on the large data set was done: the gate for memory and time.

A program that reads little and writes nothing needs no memory. So credit is given for what it did: orders that
are in its result, by any of their valid rows, and values that are right on those rows. Which row is the newest,
and how its key is written, is left to other checks.
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
    """

    order: np.ndarray
    template: np.ndarray
    templates: pa.Table
    valid: np.ndarray


def read_volume(folder: Path) -> Volume:
    """Read what the generator knows of the large data set."""
    rows = pq.read_table(folder / "rows.parquet")
    templates = pq.read_table(folder / "templates.parquet")
    return Volume(
        order=rows["order"].to_numpy(),
        template=rows["template"].to_numpy(),
        templates=templates.select(ORDERS.names).cast(ORDERS),
        valid=templates["valid"].to_numpy(),
    )


def share_done(orders: pa.Table, truth: Volume) -> float:
    """Return the share of orders that are there, times the mean share of right values over columns."""
    known = pc.fill_null(pc.equal(orders["source_file"], FILE), False).to_numpy()
    rows = pc.fill_null(orders["source_row"], -1).to_numpy()
    known = known & (rows >= 0) & (rows < len(truth.order))
    rows, first = np.unique(np.where(known, rows, -1), return_index=True)
    rows, first = rows[rows >= 0], first[rows >= 0]
    usable = truth.valid[truth.template[rows]]
    rows, first = rows[usable], first[usable]
    if not len(rows):
        return 0.0
    covered = len(np.unique(truth.order[rows])) / len(np.unique(truth.order))
    found = orders.combine_chunks().take(pa.array(first))
    true = truth.templates.take(pa.array(truth.template[rows]))
    right = [share(equal_values(found[name], true[name], name)) for name in LOOKED_AT]
    return covered * float(np.mean(right))

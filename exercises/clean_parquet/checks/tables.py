"""What is known to be true of a data set, and a candidate's tables laid beside it.

Everything here takes whatever a candidate's program wrote: rows that do not exist, rows twice, nulls
everywhere, no rows at all. None of it raises.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
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
LINEAGE = pa.schema([QUARANTINE.field("source_file"), QUARANTINE.field("source_row")])
VALUES = tuple(name for name in ORDERS.names if name not in ("source_file", "source_row"))
COLUMN_OF = {"bad_date": "ts_utc", "bad_amount": "amount", "bad_qty": "qty", "unknown_customer": "customer_id"}
REASONS = tuple(COLUMN_OF)
NOT_REPAIRED, ANY_COLUMN = "not_repaired", "*"
GIVEN_UP_FOR = COLUMN_OF | {f"{NOT_REPAIRED}:{column}": column for column in VALUES}
GRAMS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of one data set.

    Attributes:
        rows: Every row of the readable files: lineage, fate, reason, true key, group, drifted, touched.
        orders: The rows that are kept, in the columns of the output.
        cells: Cells that are not clean: lineage, column, defect class, raw value.
        kept: Places of the kept rows in `rows`, in the order of `orders`.
        starts: File name to the place of its first row in `rows`.
        counts: File name to its number of rows.
    """

    rows: pa.Table
    orders: pa.Table
    cells: pa.Table
    kept: np.ndarray
    starts: dict[str, int]
    counts: dict[str, int]

    def places(self, table: pa.Table) -> np.ndarray:
        """Return for every row of a table the place in `rows` that its lineage names; -1 when there is none."""
        files = table["source_file"].combine_chunks().dictionary_encode()
        names = files.dictionary.to_pylist()
        starts = np.array([self.starts.get(name, -1) for name in names] + [-1], np.int64)
        counts = np.array([self.counts.get(name, 0) for name in names] + [0], np.int64)
        file = pc.fill_null(files.indices, len(names)).to_numpy(zero_copy_only=False).astype(np.int64)
        row = pc.fill_null(table["source_row"].combine_chunks(), -1).to_numpy(zero_copy_only=False).astype(np.int64)
        valid = (row >= 0) & (row < counts[file])
        return np.where(valid, starts[file] + np.where(valid, row, 0), -1)

    def column(self, name: str) -> np.ndarray:
        """Return a column of `rows`."""
        return np.asarray(self.rows[name].to_numpy())


def read_truth(folder: Path) -> Truth:
    """Read what the generator knows of a data set."""
    rows = pq.read_table(folder / "rows.parquet")
    orders = pq.read_table(folder / "orders.parquet").cast(ORDERS)
    starts: dict[str, int] = {}
    counts: dict[str, int] = {}
    for place, name in enumerate(rows["source_file"].to_pylist()):
        starts.setdefault(name, place)
        counts[name] = counts.get(name, 0) + 1
    found = Truth(
        rows=rows,
        orders=orders,
        cells=pq.read_table(folder / "cells.parquet"),
        kept=np.empty(0, np.int64),
        starts=starts,
        counts=counts,
    )
    return Truth(rows=rows, orders=orders, cells=found.cells, kept=found.places(orders), starts=starts, counts=counts)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A candidate's result beside the truth.

    Attributes:
        truth: What is true.
        orders: The candidate's orders, in the expected schema.
        quarantine: The candidate's quarantine, in the expected schema.
    """

    truth: Truth
    orders: pa.Table
    quarantine: pa.Table

    @cached_property
    def order_places(self) -> np.ndarray:
        """The place in the truth's rows of each of the candidate's orders; -1 for a row that does not exist."""
        return self.truth.places(self.orders)

    @cached_property
    def quarantine_places(self) -> np.ndarray:
        """Likewise for the candidate's quarantine."""
        return self.truth.places(self.quarantine)

    @cached_property
    def listed(self) -> np.ndarray:
        """How often each input row is among the candidate's orders."""
        return _tally(self.order_places, self.truth.rows.num_rows)

    @cached_property
    def set_aside(self) -> np.ndarray:
        """How often each input row is in the candidate's quarantine."""
        return _tally(self.quarantine_places, self.truth.rows.num_rows)

    @cached_property
    def reasons(self) -> np.ndarray:
        """The candidate's reason for each input row; "" where there is none."""
        given = np.full(self.truth.rows.num_rows, "", object)
        known = self.quarantine_places >= 0
        words = pc.fill_null(self.quarantine["reason"], "").to_numpy()
        given[self.quarantine_places[known]] = words[known]
        return given

    @cached_property
    def given_up(self) -> np.ndarray:
        """The column for whose own defect each row that should be kept was set aside; "" for all others.

        Whoever misreads a kind of amount may set such rows aside, as out of range. That is wrong, and judged where the
        defect is; it says nothing about the dates and texts of these rows. The same holds for who says that a column
        was not repaired. Without a column it may have been any defect of the row: `ANY_COLUMN`.
        """
        truth, columns = self.truth, self.truth.cells["column"].to_numpy()
        places = truth.places(truth.cells)
        alone = (truth.column("fate") == "kept") & (self.set_aside > 0) & (self.listed == 0)
        found = np.full(truth.rows.num_rows, "", object)
        any_spoiled = np.zeros(truth.rows.num_rows, bool)
        any_spoiled[places[places >= 0]] = True
        found[alone & any_spoiled & (self.reasons == NOT_REPAIRED)] = ANY_COLUMN
        for reason, column in GIVEN_UP_FOR.items():
            spoiled = np.zeros(truth.rows.num_rows, bool)
            spoiled[places[(columns == column) & (places >= 0)]] = True
            found[alone & spoiled & (self.reasons == reason)] = column
        return found

    @cached_property
    def aligned(self) -> pa.Table:
        """The candidate's rows in the order of the truth's orders; all null where a row is not there."""
        first = np.full(self.truth.rows.num_rows, -1, np.int64)
        places = self.order_places[::-1]
        known = places >= 0
        first[places[known]] = np.arange(len(places))[::-1][known]  # the last one written is the first listed
        found = first[self.truth.kept]
        return self.orders.combine_chunks().take(pa.array(found, mask=found < 0))

    @cached_property
    def right(self) -> dict[str, np.ndarray]:
        """Column to whether the candidate's value is right, for every row of the truth's orders."""
        present = self.present
        return {name: equal_values(self.aligned[name], self.truth.orders[name], name) & present for name in VALUES}

    @cached_property
    def present(self) -> np.ndarray:
        """Whether the candidate kept each row of the truth's orders."""
        return np.asarray(self.listed[self.truth.kept] > 0)

    @cached_property
    def plain(self) -> np.ndarray:
        """Rows of the truth's orders that stand alone in files of the usual schema.

        Only these count for repairs, so that a flaw in finding duplicates or in reading a schema
        costs the checks that are named after it and no others.
        """
        rows = self.truth
        return np.asarray(((rows.column("group") == "") & ~rows.column("drifted"))[rows.kept])

    @cached_property
    def recall(self) -> float:
        """Share of the plain rows that the candidate kept, without those given up for a defect of their own."""
        return share(self.present[unless_most(self.plain, self.given_up[self.truth.kept] != "")])


def unless_most(chosen: np.ndarray, excused: np.ndarray) -> np.ndarray:
    """Return what is chosen and not excused; all that is chosen, where that would leave less than half."""
    left = chosen & ~excused
    return left if 2 * left.sum() >= chosen.sum() else chosen


def share(flags: np.ndarray) -> float:
    """Share of true values; 0 when there are none."""
    return float(flags.mean()) if len(flags) else 0.0


def _tally(places: np.ndarray, rows: int) -> np.ndarray:
    return np.bincount(places[places >= 0], minlength=rows)


def equal_values(found: pa.ChunkedArray, true: pa.ChunkedArray, name: str) -> np.ndarray:
    """Compare two columns row by row; two nulls are equal, and weights have a tolerance."""
    if name == "weight_g":
        return _close(found.to_numpy(), true.to_numpy())
    same = pc.fill_null(pc.equal(found, true), False).to_numpy()
    neither = pc.and_(pc.is_null(found), pc.is_null(true)).to_numpy()
    return np.asarray(same | neither, bool)


def _close(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    # Nulls have become NaN on both sides.
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(found - true) <= GRAMS
    return np.asarray(near | (np.isnan(found) & np.isnan(true)), bool)


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object that the generator wrote."""
    return dict(json.loads(path.read_text(encoding="utf-8")))

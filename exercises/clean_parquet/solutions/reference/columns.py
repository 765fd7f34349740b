"""Raw batches to arrays. Text is repaired once for each different value, not once for each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import repair
from rules import MOST_CENTS, MOST_QTY, NOTHING_NUMBERS, OTHER_NAMES, SHOPS

MEMORY = 200_000
"""How many different values a repair remembers before it starts again."""


class Memo:
    """A repair that remembers its answers, applied to whole columns."""

    def __init__(self, function: Callable[[Any], object], kind: pa.DataType) -> None:
        """Remember `function`, which returns values of `kind` or None."""
        self._function = function
        self._kind = kind
        self._known: dict[object, object] = {}

    def __call__(self, column: pa.Array) -> pa.Array:
        """Repair a text column."""
        if pa.types.is_dictionary(column.type) and len(column.dictionary) > len(column):
            column = column.cast(pa.string())  # a dictionary made for many batches
        encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
        if len(self._known) > MEMORY:
            self._known.clear()
        answers = [self._one(value) for value in encoded.dictionary.to_pylist()]
        answers.append(self._one(None))
        indices = pc.fill_null(encoded.indices, len(answers) - 1)
        return pa.array(answers, self._kind).take(indices)

    def _one(self, value: object) -> object:
        if value not in self._known:
            self._known[value] = self._function(value)
        return self._known[value]


grams = Memo(repair.grams, pa.float64())
status = Memo(repair.status, pa.string())
city = Memo(repair.city, pa.string())


@cache
def moment(shop: str) -> Memo:
    """Return the repair of a shop's moments; values are microseconds."""
    return Memo(partial(repair.moment, shop=shop), pa.int64())


@cache
def cents(shop: str) -> Memo:
    """Return the repair of a shop's amount texts; values are hundredths."""
    return Memo(partial(repair.cents, shop=shop), pa.int64())


class Batch:
    """One batch of an order file under canonical column names."""

    def __init__(self, batch: pa.RecordBatch, metadata: Mapping[bytes, bytes]) -> None:
        """Name the columns as RULES.md does.

        Args:
            batch: Rows as they stand in the file.
            metadata: The file's key-value metadata.
        """
        self.raw = batch
        self._columns = {OTHER_NAMES.get(name, name): batch.column(name) for name in batch.schema.names}
        self._in_cents = metadata.get(b"amount_unit") == b"cents"
        self._shop = metadata.get(b"shop", b"").decode()

    def __len__(self) -> int:
        """Number of rows."""
        return int(self.raw.num_rows)

    def take(self, rows: np.ndarray) -> Batch:
        """Return some of the rows."""
        fewer = Batch.__new__(Batch)
        fewer.raw = self.raw.take(pa.array(rows))
        fewer._columns = {name: column.take(pa.array(rows)) for name, column in self._columns.items()}
        fewer._in_cents, fewer._shop = self._in_cents, self._shop
        return fewer

    def text(self, name: str) -> pa.Array:
        """Return a text column; null in every row when it is absent."""
        column = self._columns.get(name)
        if column is None:
            return pa.nulls(len(self), pa.string())
        return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column

    def shop(self) -> pa.Array:
        """Return the shop of every row."""
        if "shop" in self._columns:
            return self.text("shop")
        return pa.array([self._shop] * len(self), pa.string())

    def by_shop(self, column: str, repairs: Callable[[str], Memo]) -> pa.Array:
        """Repair a column whose meaning depends on the shop; a file has one shop, but nothing relies on it."""
        shops = self.shop()
        names = [name for name in pc.unique(shops).to_pylist() if name in SHOPS]
        if len(names) == 1:
            return repairs(names[0])(self._columns[column])
        result = pa.nulls(len(self), pa.int64())
        for name in names:
            result = pc.if_else(pc.equal(shops, name), repairs(name)(self._columns[column]), result)
        return result

    def moment(self) -> pa.Array:
        """Return microseconds since 1970 UTC; null where the date is bad."""
        return self.by_shop("ordered_at", moment)

    def ingested(self) -> np.ndarray:
        """Return microseconds since 1970 UTC."""
        return self._columns["ingested_at"].cast(pa.int64()).to_numpy(zero_copy_only=False)

    def cents(self) -> pa.Array:
        """Return hundredths; null where the amount is bad."""
        column = self._columns["amount"]
        if pa.types.is_string(column.type) or pa.types.is_dictionary(column.type):
            return self.by_shop("amount", cents)
        values = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        found = np.round(values * (1 if self._in_cents else 100))
        bad = ~((found >= 1) & (found <= MOST_CENTS)) | np.isin(values, NOTHING_NUMBERS)
        return pa.array(np.where(bad, 0, found).astype(np.int64), mask=bad)

    def qty(self) -> pa.Array:
        """Return quantities; null where they are bad."""
        if "lines" in self._columns:
            lines = self._columns["lines"]
            counts = pc.struct_field(lines.flatten(), "qty")
            table = pa.table({"row": pc.list_parent_indices(lines), "qty": counts}).group_by("row").aggregate([("qty", "sum")])
            values = np.full(len(self), np.nan)
            values[table["row"].to_numpy()] = table["qty_sum"].cast(pa.float64()).to_numpy()
        else:
            values = self._columns["qty"].cast(pa.float64()).to_numpy(zero_copy_only=False)
        bad = ~((values >= 1) & (values <= MOST_QTY)) | (values % 1 != 0)
        return pa.array(np.where(bad, 0, values).astype(np.int32), mask=bad)

    def sku(self, current: Memo) -> pa.Array:
        """Return SKUs that are sold today."""
        if "lines" in self._columns:
            return current(pc.struct_field(pc.list_element(self._columns["lines"], 0), "sku"))
        return current(self._columns["sku"])

    def currency(self) -> pa.Array:
        """Return currencies; the shop's own where the file names none."""
        if "currency" in self._columns:
            return self.text("currency")
        return pa.array([SHOPS[shop].currency for shop in self.shop().to_pylist()], pa.string())

    def grams(self) -> pa.Array:
        """Return weights in grams; null where there is none."""
        column = self._columns.get("weight")
        if column is None:
            return pa.nulls(len(self), pa.float64())
        if not pa.types.is_floating(column.type):
            return grams(column)
        nothing = pc.is_in(column, pa.array(NOTHING_NUMBERS, pa.float64()))
        known = pc.if_else(nothing, pa.scalar(None, pa.float64()), column)
        if "weight_unit" not in self._columns:
            return known
        in_kilos = pc.fill_null(pc.equal(self.text("weight_unit"), "kg"), False)
        return pc.if_else(in_kilos, pc.round(pc.multiply(known, 1000.0), 6), known)

    def number(self) -> pa.Array:
        """Return order numbers as integers. Nearly all differ, so they are not remembered one by one."""
        bare = pc.replace_substring_regex(pc.utf8_trim(self.text("order_no"), " "), "(?i)^(ord-|#)", "")
        return bare.cast(pa.int64())

    def status(self) -> pa.Array:
        """Return one of the six statuses."""
        return status(self._columns["status"])

    def city(self) -> pa.Array:
        """Return clean city names."""
        return city(self._columns["city"]) if "city" in self._columns else pa.nulls(len(self), pa.string())

"""The values that the generator passes around: true orders, files and their habits, raw rows."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One state of an order as it truly is. Times are seconds since 1970 UTC, weights grams."""

    shop: str
    number: int
    second: int
    cents: int
    currency: str
    qty: int
    weight: int | None
    status: str
    city: str | None
    sku: str
    customer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHabits:
    """How one export file is written.

    Attributes:
        name: File name.
        shop: The shop whose export it is.
        amount: "text", "double", "cents" (flagged int64) or "units" (int64).
        qty: "int32", "int64" or "double".
        weight: "unit" (number and unit column), "grams" or "text".
        names: Canonical column name to the name in this file, where it differs.
        absent: Canonical columns that this file does not have.
        nested: SKU and quantity are in `lines`.
        rows: How many orders begin in this file.
    """

    name: str
    shop: str
    amount: str
    qty: str
    weight: str
    rows: int
    names: dict[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    nested: bool = False

    @property
    def drifted(self) -> bool:
        """Its schema is not the usual one; only check G1 looks at its rows."""
        return bool(self.names or self.absent or self.nested)

    @property
    def twin_key(self) -> tuple[str, str, str, str]:
        """Files with equal keys write an order in just the same way."""
        return (self.shop, self.amount, self.qty, self.weight)


@dataclass(slots=True, kw_only=True)
class Row:
    """One raw row, built up step by step.

    Attributes:
        order: What it truly says.
        file: Where it stands.
        ingested: Microseconds since 1970 UTC.
        cells: Raw value by canonical column.
        defects: Defect class by canonical column of the output; no entry means clean.
        reason: Why it belongs in quarantine, or "".
        group: "redelivery", "versions", "fallback", "pair" or "": what its key is shared for.
        group_id: Rows that share a key for the same reason have the same number.
        position: Row number in its file.
    """

    order: Order
    file: FileHabits
    ingested: int
    cells: dict[str, object]
    defects: dict[str, str]
    reason: str = ""
    group: str = ""
    group_id: int = -1
    position: int = -1

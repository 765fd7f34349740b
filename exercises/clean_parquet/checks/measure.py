"""Measures of a candidate's result: pure functions of a `Standing`, without boxes or files."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from tables import ANY_COLUMN, Standing, unless_most

from grader.checker.api import linear

CLASS_LO, CLASS_HI = 0.50, 0.98
RECALL_LO, RECALL_HI = 0.40, 0.80
HARM_LO, HARM_HI = 0.02, 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How many cells of some defect classes came out right.

    Attributes:
        right: Cells that are right.
        total: All cells of the classes.
        examples: A few wrong ones, in words.
    """

    right: int
    total: int
    examples: tuple[str, ...]

    @property
    def value(self) -> float:
        """Share of right cells, 0..1."""
        return self.right / self.total if self.total else 0.0

    @property
    def credit(self) -> float:
        """Share of the points."""
        return linear(self.value, CLASS_LO, CLASS_HI)

    def because(self, what: str) -> str:
        """Say it in one sentence."""
        wrong = self.total - self.right
        if not wrong:
            return f"All {thousands(self.total)} {what} are right."
        example = f" For example, {self.examples[0]}" if self.examples else ""
        return f"{thousands(wrong)} of {thousands(self.total)} {what} are wrong or missing.{example}"


def thousands(number: int) -> str:
    """Write a count with thin gaps between thousands."""
    return f"{number:,}".replace(",", "\u202f")


def accuracy(standing: Standing, *classes: str, drifted: bool = False) -> Accuracy:
    """Count the right cells of some defect classes on rows that should be kept.

    Rows that were given up for another defect of theirs are not looked at: one flaw costs one check.

    Args:
        standing: The candidate's result beside the truth.
        classes: Defect classes.
        drifted: Look at files with a schema of their own instead of the usual ones.
    """
    truth = standing.truth
    order_of = np.full(truth.rows.num_rows, -1, np.int64)
    order_of[truth.kept] = np.arange(len(truth.kept))
    alone = truth.column("group") == ""
    wanted = alone & (truth.column("drifted") == drifted)
    places = truth.places(truth.cells)
    known = places >= 0
    chosen = known & np.isin(truth.cells["defect"].to_numpy(), classes)
    chosen &= np.where(known, wanted[places] & (order_of[places] >= 0), False)
    columns = truth.cells["column"].to_numpy()
    given_up = standing.given_up[places]
    excused = (given_up != "") & (given_up != columns) & (given_up != ANY_COLUMN)
    spots = np.flatnonzero(unless_most(chosen, excused))
    orders, columns = order_of[places[spots]], columns[spots]
    right = np.zeros(len(spots), bool)
    for column in sorted(set(columns)):
        here = columns == column
        right[here] = standing.right[column][orders[here]]
    return Accuracy(
        right=int(right.sum()), total=len(spots), examples=_examples(standing, spots, orders, columns, right)
    )


def _examples(
    standing: Standing, spots: np.ndarray, orders: np.ndarray, columns: np.ndarray, right: np.ndarray
) -> tuple[str, ...]:
    # A value that is wrong tells more than a row that is not there.
    wrong = np.flatnonzero(~right)
    wrong = wrong[np.argsort(~standing.present[orders[wrong]], kind="stable")][:3]
    return tuple(_example(standing, int(spots[each]), int(orders[each]), str(columns[each])) for each in wrong)


def _example(standing: Standing, cell: int, order: int, column: str) -> str:
    truth = standing.truth
    raw = truth.cells["raw"][cell].as_py()
    where = f"{truth.cells['source_file'][cell].as_py()} row {truth.cells['source_row'][cell].as_py()}"
    expected = shown(truth.orders[column][order].as_py())
    if not standing.present[order]:
        return f"{where} ({column}, raw {shown(raw)}, should be {expected}) is not among the orders."
    return (
        f"{where}: {column} {shown(raw)} should be {expected}, but is {shown(standing.aligned[column][order].as_py())}."
    )


def shown(value: object) -> str:
    """Write a value for people, on one line and not too long."""
    text = "nothing" if value is None else f"“{value}”" if isinstance(value, str) else str(value)
    plain = (each.isprintable() and not unicodedata.combining(each) for each in text)
    clean = "".join(each if good else f"<U+{ord(each):04X}>" for each, good in zip(text, plain, strict=True))
    return clean if len(clean) <= 60 else clean[:59] + "…"


def recall_gate(standing: Standing) -> float:
    """Credit for doing no harm is given only where work was done: where most rows were kept."""
    return linear(standing.recall, RECALL_LO, RECALL_HI)


def gate_note(standing: Standing) -> str:
    """Say why credit is reduced, where it is."""
    if recall_gate(standing) == 1:
        return ""
    return f" Credit is reduced, because only {standing.recall:.0%} of the rows that should be kept are."


@dataclass(frozen=True, slots=True, kw_only=True)
class Harm:
    """Clean cells that were changed. `by_column` counts them by column."""

    changed: int
    total: int
    by_column: Mapping[str, int]

    @property
    def value(self) -> float:
        """Share of clean cells that were changed; 1 when there are none to look at."""
        return self.changed / self.total if self.total else 1.0

    @property
    def credit(self) -> float:
        """Share of the points, before the gate."""
        return linear(self.value, HARM_LO, HARM_HI)


def harm(standing: Standing) -> Harm:
    """Count the clean cells that were changed, on rows that were kept and should be."""
    truth = standing.truth
    rows = standing.plain & standing.present
    order_of = np.full(truth.rows.num_rows, -1, np.int64)
    order_of[truth.kept] = np.arange(len(truth.kept))
    places = order_of[truth.places(truth.cells)]
    columns = truth.cells["column"].to_numpy()
    changed: dict[str, int] = {}
    total = 0
    for column, right in standing.right.items():
        clean = rows.copy()
        dirty = places[(columns == column) & (places >= 0)]
        clean[dirty] = False
        total += int(clean.sum())
        changed[column] = int((clean & ~right).sum())
    return Harm(changed=sum(changed.values()), total=total, by_column=changed)


CLASS_TITLES: dict[str, tuple[str, ...]] = {
    "offset, epoch": ("offset", "epoch"),
    "local time": ("local",),
    "decimal comma": ("comma",),
    "currency, thousands": ("money_text",),
    "cents by metadata": ("cents", "units"),
    "kilograms": ("unit",),
    "words for nothing": ("nothing",),
    "synonyms, case": ("synonym",),
    "typing errors": ("typo",),
    "wrong decoding": ("mojibake",),
    "Unicode forms": ("unicode",),
    "order numbers": ("key",),
    "retired SKUs": ("alias",),
}
"""Defect classes as they are called in pictures."""


def class_profile(standing: Standing) -> dict[str, float]:
    """Return the share of right cells of every defect class."""
    return {title: accuracy(standing, *classes).value for title, classes in CLASS_TITLES.items()}

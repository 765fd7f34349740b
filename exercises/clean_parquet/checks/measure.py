"""Measures of a candidate's result: pure functions of a `Standing`, without boxes or files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from tables import REASONS, Standing, share

from grader.checker.api import linear

CLASS_LO, CLASS_HI = 0.50, 0.98
RECALL_LO, RECALL_HI = 0.40, 0.80
LEDGER_LO, LEDGER_HI = 0.97, 0.9995
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
    spots = np.flatnonzero(chosen)
    orders = order_of[places[spots]]
    columns = truth.cells["column"].to_numpy()[spots]
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
    clean = "".join(each if each.isprintable() else f"<U+{ord(each):04X}>" for each in text)
    return clean if len(clean) <= 60 else clean[:59] + "…"


def recall_gate(standing: Standing) -> float:
    """Credit for doing no harm is given only where work was done: where most rows were kept."""
    return linear(standing.recall, RECALL_LO, RECALL_HI)


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """How many groups of rows that share a key came out right."""

    right: int
    total: int

    @property
    def value(self) -> float:
        """Share of right groups, 0..1."""
        return self.right / self.total if self.total else 0.0

    @property
    def credit(self) -> float:
        """Share of the points."""
        return linear(self.value, CLASS_LO, CLASS_HI)


def group_members(standing: Standing, name: str) -> list[np.ndarray]:
    """Return the places of the rows of each group of one kind."""
    truth = standing.truth
    places = np.flatnonzero(truth.column("group") == name)
    if not len(places):
        return []
    ids = truth.column("group_id")[places]
    order = np.argsort(ids, kind="stable")
    return np.split(places[order], np.flatnonzero(np.diff(ids[order])) + 1)


def redelivered(standing: Standing) -> Groups:
    """Groups of equal deliveries of which exactly one row was kept."""
    groups = group_members(standing, "redelivery")
    return Groups(right=sum(int(standing.listed[group].sum()) == 1 for group in groups), total=len(groups))


def newest(standing: Standing) -> Groups:
    """Groups of states of which exactly the newest valid row was kept."""
    kept = standing.truth.column("fate") == "kept"
    groups = group_members(standing, "versions") + group_members(standing, "fallback")
    return Groups(right=sum(bool((standing.listed[group] == kept[group]).all()) for group in groups), total=len(groups))


def pairs_kept(standing: Standing) -> Groups:
    """Pairs of orders of two shops with the same number of which both rows were kept."""
    groups = group_members(standing, "pair")
    return Groups(right=sum(bool((standing.listed[group] == 1).all()) for group in groups), total=len(groups))


def deduplicates(standing: Standing) -> float:
    """Whether duplicates were looked for at all; keeping every row must not earn credit for keeping pairs."""
    return linear(max(redelivered(standing).value, newest(standing).value), 0.2, 0.6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """What became of the rows that belong in quarantine for one reason.

    Attributes:
        total: Rows that belong there.
        there: Of these, rows that are there.
        named: Of these, rows that are there with the right reason.
        kept: Of these, rows that are among the orders.
        precision: Share of the quarantine that belongs there, judged by rows without any defect.
        harmed: Rows without any defect that are in quarantine.
        untouched: Rows without any defect.
    """

    total: int
    there: int
    named: int
    kept: int
    precision: float
    harmed: int
    untouched: int

    @property
    def credit(self) -> float:
        """Half for being there, half for the right reason, times precision."""
        if not self.total:
            return 0.0
        parts = [linear(count / self.total, CLASS_LO, CLASS_HI) for count in (self.there, self.named)]
        return sum(parts) / 2 * self.precision


def quarantined(standing: Standing, reason: str) -> Quarantined:
    """Look at the rows that belong in quarantine for one reason."""
    truth = standing.truth
    plain = (truth.column("group") == "") & ~truth.column("drifted")
    fate, aside = truth.column("fate"), standing.set_aside > 0
    wanted = plain & (fate == "quarantined") & (truth.column("reason") == reason)
    untouched = plain & (fate == "kept") & ~truth.column("touched")
    # Untouched rows stand for all rows that should be kept: quarantine of these for other flaws is scored elsewhere.
    false_share = share(aside[untouched])
    false = false_share * int((plain & (fate == "kept")).sum())
    found = int((aside & plain & (fate == "quarantined")).sum())
    return Quarantined(
        total=int(wanted.sum()),
        there=int((aside & wanted).sum()),
        named=int((wanted & aside & (standing.reasons == reason)).sum()),
        kept=int((wanted & (standing.listed > 0)).sum()),
        precision=found / (found + false) if found else 0.0,
        harmed=int((aside & untouched).sum()),
        untouched=int(untouched.sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Every input row, counted once.

    Attributes:
        rows: Input rows.
        kept: Rows among the orders, once, and not in quarantine.
        aside: Rows in quarantine, once, and not among the orders.
        duplicate: Rows in neither whose order is kept by another row.
        lost: Rows in neither whose order is not kept at all.
        doubled: Rows in both tables, or twice in one.
        foreign: Output rows that name no input row.
    """

    rows: int
    kept: int
    aside: int
    duplicate: int
    lost: int
    doubled: int
    foreign: int

    @property
    def value(self) -> float:
        """Share of input rows that are accounted for; foreign rows count against it."""
        return max(0.0, 1 - (self.lost + self.doubled + self.foreign) / self.rows) if self.rows else 0.0

    @property
    def credit(self) -> float:
        """Share of the points, before the gate."""
        return linear(self.value, LEDGER_LO, LEDGER_HI)


def ledger(standing: Standing) -> Ledger:
    """Account for every input row, by the true keys of the rows that the candidate kept."""
    truth = standing.truth
    listed, aside = standing.listed, standing.set_aside
    keys = np.char.add(truth.column("shop").astype(str), truth.column("order_no").astype(str))
    codes = np.unique(keys, return_inverse=True)[1]
    covered = np.zeros(codes.max(initial=-1) + 1, bool)
    covered[codes[listed > 0]] = True
    absent = (listed == 0) & (aside == 0)
    duplicate = absent & covered[codes]
    foreign = int((standing.order_places < 0).sum() + (standing.quarantine_places < 0).sum())
    return Ledger(
        rows=len(codes),
        kept=int(((listed == 1) & (aside == 0)).sum()),
        aside=int(((listed == 0) & (aside == 1)).sum()),
        duplicate=int(duplicate.sum()),
        lost=int((absent & ~covered[codes]).sum()),
        doubled=int((listed + aside > 1).sum()),
        foreign=foreign,
    )


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


def leaked(standing: Standing, reason: str) -> tuple[int, int]:
    """Return how many rows that belong in quarantine for a reason are among the orders, and how many there are."""
    found = quarantined(standing, reason)
    return found.kept, found.total


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


def report_agreement(report: object, standing: Standing) -> dict[str, bool]:
    """Compare a candidate's report with the candidate's own tables and with the input.

    Returns:
        What was compared, to whether it agrees.
    """
    found = report if isinstance(report, dict) else {}
    rows_in = standing.truth.rows.num_rows
    rows_out, aside = standing.orders.num_rows, standing.quarantine.num_rows
    by_reason = _counts(found.get("by_reason"))
    reasons = _tally_words(standing.quarantine["reason"])
    return {
        "rows_in": _is_count(found.get("rows_in"), rows_in),
        "rows_out": _is_count(found.get("rows_out"), rows_out),
        "rows_quarantined": _is_count(found.get("rows_quarantined"), aside),
        "rows_duplicate": _is_count(found.get("rows_duplicate"), rows_in - rows_out - aside),
        "by_reason": by_reason is not None and {key: n for key, n in by_reason.items() if n} == reasons,
        "by_file": _by_file_agrees(found.get("by_file"), standing),
    }


def _is_count(value: object, expected: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == expected


def _counts(value: object) -> dict[str, int] | None:
    if not isinstance(value, dict) or not all(isinstance(each, int) for each in value.values()):
        return None
    return {str(name): int(count) for name, count in value.items()}


def _tally_words(column: pa.ChunkedArray) -> dict[str, int]:
    pairs = column.value_counts().to_pylist()
    return {str(pair["values"]): int(pair["counts"]) for pair in pairs}


def _by_file_agrees(value: object, standing: Standing) -> bool:
    if not isinstance(value, dict) or set(value) != set(standing.truth.counts):
        return False
    kept, aside = (_tally_words(table["source_file"]) for table in (standing.orders, standing.quarantine))
    for name, rows in standing.truth.counts.items():
        out, set_aside = kept.get(name, 0), aside.get(name, 0)
        expected = {
            "rows_in": rows,
            "rows_out": out,
            "rows_duplicate": rows - out - set_aside,
            "rows_quarantined": set_aside,
        }
        if value[name] != expected:
            return False
    return True


ALL_REASONS = frozenset({*REASONS, "not_repaired"})

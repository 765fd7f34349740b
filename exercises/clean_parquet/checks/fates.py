"""Measures of what became of whole rows: duplicates, quarantine, the ledger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from measure import CLASS_HI, CLASS_LO
from tables import Standing, share, unless_most

from grader.checker.api import linear

LEDGER_LO, LEDGER_HI = 0.97, 0.9995


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
    """Return the places of the rows of each group of one kind, but for groups of which a row was given up."""
    truth = standing.truth
    ids, named = truth.column("group_id"), truth.column("group") == name
    places = np.flatnonzero(unless_most(named, np.isin(ids, ids[named & (standing.given_up != "")])))
    if not len(places):
        return []
    order = np.argsort(ids[places], kind="stable")
    return np.split(places[order], np.flatnonzero(np.diff(ids[places][order])) + 1)


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
    """Orders whose number another shop uses too, and whether they were kept.

    Counted row by row: a program that takes two shops' orders for one keeps just half of them, which is
    where credit begins; one that loses rows for other reasons loses no more here than elsewhere.
    """
    pairs = standing.truth.column("group") == "pair"
    places = np.flatnonzero(unless_most(pairs, standing.given_up != ""))
    return Groups(right=int((standing.listed[places] == 1).sum()), total=len(places))


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


def leaked(standing: Standing, reason: str) -> tuple[int, int]:
    """Return how many rows that belong in quarantine for a reason are among the orders, and how many there are."""
    found = quarantined(standing, reason)
    return found.kept, found.total

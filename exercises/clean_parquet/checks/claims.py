"""What the shipped program does, for comparison with what its notebook says."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from fates import group_members
from measure import accuracy
from runs import ARGUMENTS, SECONDS
from tables import ORDERS, Standing

from grader.checker.api import SubmissionFailed
from grader.checker.command import Command

ENOUGH = 0.8
REPAIRS = 0.5


def which_state_wins(standing: Standing) -> str:
    """Return which valid state of an order the program keeps; "" when neither newest, first nor last fits."""
    truth = standing.truth
    valid, newest = truth.column("fate") != "quarantined", truth.column("fate") == "kept"
    fits = {"newest": 0, "first": 0, "last": 0}
    groups = group_members(standing, "versions")
    for group in groups:
        states = np.sort(group[valid[group]])  # places are in file order
        kept = states[standing.listed[states] > 0]
        if len(kept) == 1 and len(states) > 1:
            fits["newest"] += bool(newest[kept[0]])
            fits["first"] += kept[0] == states[0]
            fits["last"] += kept[0] == states[-1]
    best = max(fits, key=fits.__getitem__)
    return best if groups and fits[best] >= ENOUGH * len(groups) else ""


def repaired_distance(command: Command, probe: Path, standing: Standing) -> tuple[float, float]:
    """Return the range in which the largest edit distance lies at which the program repairs a status word.

    RULES.md promises words of at most one typing error. A program that stops at a probe with more of them breaks
    no rule; what it did with the main data set counts then.
    """
    known = 1.0 if accuracy(standing, "typo").value >= REPAIRS else 0.0
    run = command.run(ARGUMENTS, {"raw": probe / "raw"}, seconds=SECONDS)
    try:
        run.require_exit(0)
        orders = run.lenient_table("orders.parquet", ORDERS).table
    except SubmissionFailed:
        return known, known
    truth = pq.read_table(probe / "truth.parquet")
    found = dict(zip(orders["source_row"].to_pylist(), orders["status"].to_pylist(), strict=True))
    right: dict[int, list[bool]] = {}
    for row, distance, status in zip(*(truth[name].to_pylist() for name in truth.column_names), strict=True):
        right.setdefault(distance, []).append(found.get(row) == status)
    reached = 0
    while reached + 1 in right and np.mean(right[reached + 1]) >= REPAIRS:
        reached += 1
    return float(reached), math.inf if reached == max(right) else float(reached)

"""Data for the decision notebook: exports of six worlds, and a probe of what a program repairs.

In each world a share of the rows of its own is beyond repair. It differs from file to file around that share, so
that rows of one file are alike: an interval that takes rows for independent is too narrow.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from layout import plan_files
from orders import FileHabits, Row
from publish import write_raw
from rapidfuzz.distance import Levenshtein
from scenario import SHARES, first_row, make_rows, spoil_row
from vocabulary import REASONS, STATUSES, WORD_TO_STATUS
from world import World, chance, make_world, write_parquet

from grader.checker.decision_sets import Sample, write_decision_sets

ORDERS = 2_400
LOWEST_SHARE, STEP = 0.05, 0.03
SPREAD = 0.04
"""Standard deviation of a file's share around that of its world."""

DISTANCES, WORDS_EACH = (0, 1, 2, 3), 20


def write_decisions(seed: int, folder: Path) -> None:
    """Write the decision sets of a variant, and beside them the probe of status words."""

    @cache
    def world_of(number: int) -> Exports:
        return Exports(seed, number)

    write_decision_sets(folder, lambda number, attempt: world_of(number).sample(attempt))
    write_probe(seed, folder.with_name("probe"))


class Exports:
    """The exports of one world, before anything in them is beyond repair.

    Args:
        seed: The variant's seed.
        number: Number of the decision set.
    """

    def __init__(self, seed: int, number: int) -> None:
        """Draw the world and its rows; what is spoiled is drawn for each sample."""
        self.seed = chance(seed, f"decision:{number}").getrandbits(62)
        self.world = make_world(self.seed, customers=400, skus=80)
        shares = {**SHARES, "spoiled": 0.0, "fallback": 0.0}
        self.files, self.rows = make_rows(self.seed, "decision", self.world, ORDERS, shares)
        steps = list(range(6))
        chance(seed, "decision shares").shuffle(steps)
        self.share = LOWEST_SHARE + STEP * (steps[number] + chance(self.seed, "share").random() * 0.6)
        self.file = np.array([int(row.file.name[5:7]) for row in self.rows])

    def sample(self, attempt: int) -> Sample:
        """Draw which rows are beyond repair."""
        draw = np.random.default_rng([self.seed, attempt])
        strength = self.share * (1 - self.share) / SPREAD**2 - 1
        rates = draw.beta(self.share * strength, (1 - self.share) * strength, len(self.files))
        spoiled = draw.random(len(self.rows)) < rates[self.file]
        estimate, error = ratio_by_file(spoiled, self.file)
        return Sample(
            truth=self.share, estimate=estimate, error=error, write=lambda folder: self.write(folder, spoiled)
        )

    def write(self, folder: Path, spoiled: np.ndarray) -> None:
        """Write the exports with these rows beyond repair."""
        draw = chance(self.seed, "spoil")
        weights = [draw.uniform(0.5, 1.5) for _ in REASONS]
        for row, is_spoiled in zip(self.rows, spoiled, strict=True):
            if is_spoiled:
                spoil_row(draw, row, draw.choices(REASONS, weights)[0], self.world)
        write_raw(folder / "raw", self.seed, self.world, self.files, self.rows)


def ratio_by_file(flags: np.ndarray, file: np.ndarray) -> tuple[float, float]:
    """Return the share of flagged rows and its standard error, with files as the unit that repeats."""
    rows = np.bincount(file)
    flagged = np.bincount(file, flags)
    share = flagged.sum() / rows.sum()
    files = len(rows)
    residual = flagged - share * rows
    error = np.sqrt(files / (files - 1) * (residual**2).sum()) / rows.sum()
    return float(share), float(error)


def write_probe(seed: int, folder: Path) -> None:
    """Write one export whose status words have none to three typing errors, and which status each of them means.

    RULES.md promises at most one; what a program does with more is what its notebook states as operating point.
    """
    draw = chance(seed, "probe")
    world = make_world(seed, customers=300, skus=60)
    usual = [file for file in plan_files(draw, 24) if not file.drifted and file.amount == "text"]
    file = replace(draw.choice(usual), name="part-00.parquet", rows=len(DISTANCES) * WORDS_EACH)
    rows, truth = probe_rows(seed, file, world)
    write_raw(folder / "raw", seed, world, (file,), rows)
    write_parquet(pa.table(truth), folder / "truth.parquet")


def probe_rows(seed: int, file: FileHabits, world: World) -> tuple[list[Row], dict[str, list[object]]]:
    """Make the probe's rows, and the table of what they mean."""
    draw = chance(seed, "probe rows")
    numbers = draw.sample(range(1, 1_000_000), file.rows)
    rows = [first_row(draw, file, world, number) for number in numbers]
    distances = [distance for distance in DISTANCES for _ in range(WORDS_EACH)]
    draw.shuffle(distances)
    meant = [draw.choice(STATUSES) for _ in rows]
    for position, (row, distance, status) in enumerate(zip(rows, distances, meant, strict=True)):
        row.position = position
        row.order = replace(row.order, status=status)
        row.cells["status"] = mistyped(seed, position, status, distance)
    return rows, {"source_row": list(range(len(rows))), "distance": list(distances), "status": list(meant)}


def mistyped(seed: int, position: int, status: str, distance: int) -> str:
    """Replace letters until a word is just so far from its status and further from every other."""
    draw = chance(seed, f"mistyped:{position}")
    words = [word for word, means in WORD_TO_STATUS.items() if means == status and len(word) >= 7]
    while True:
        letters = list(draw.choice(words or [status]))
        for place in draw.sample(range(len(letters)), min(distance, len(letters))):
            letters[place] = chr(draw.randrange(ord("a"), ord("z") + 1))
        typed = "".join(letters)
        found = {word: Levenshtein.distance(typed, word) for word in WORD_TO_STATUS}
        nearest = min(found.values())
        near = {WORD_TO_STATUS[word] for word, each in found.items() if each <= nearest + 1}
        if nearest == distance and near == {status} and typed == typed.strip():
            return typed

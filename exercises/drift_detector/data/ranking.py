"""The quantity that the decision notebook estimates: the area under the ROC curve, its error, and data sets for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata
from tables_out import write_parquet
from world import World

from grader.checker.decision_sets import Sample, write_decision_sets

TRUTH_ROWS, TRUTH_BATCHES = 250_000, 4
_STEP = 0x9E3779B97F4A7C15  # spreads the seeds of the worlds


def area(score: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Return the area under the ROC curve and its standard error.

    E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, "Comparing the areas under two or more correlated receiver
    operating characteristic curves", Biometrics 44 (1988), 837-845: the variance of placements.
    """
    late, other = score[y == 1], score[y == 0]
    ranks = rankdata(np.concatenate([late, other]))
    above = (ranks[: late.size] - rankdata(late)) / other.size
    below = 1.0 - (ranks[late.size :] - rankdata(other)) / late.size
    error = np.sqrt(above.var(ddof=1) / late.size + below.var(ddof=1) / other.size)
    return float(above.mean()), float(error)


def true_area(world: World, batches: int = TRUTH_BATCHES) -> float:
    """Return the area for future rows of a world, from a million of them."""
    rng = np.random.default_rng([world.seed, 6])
    areas = []
    for _ in range(batches):
        rows = world.labelled(TRUTH_ROWS, rng)
        areas.append(area(rows["score"].to_numpy(), rows["y"].to_numpy())[0])
    return float(np.mean(areas))


def write_decision(seed: int, folder: Path, batches: int = TRUTH_BATCHES) -> None:
    """Write the data sets that the decision notebook is executed on, each of a world of its own."""
    worlds: dict[int, tuple[World, float]] = {}

    def draw(number: int, attempt: int) -> Sample:
        if number not in worlds:
            world = World((seed + (number + 1) * _STEP) % 2**63)
            worlds[number] = world, true_area(world, batches)
        world, truth = worlds[number]
        labels = world.reference_labels(attempt)
        estimate, error = area(labels["score"].to_numpy(), labels["y"].to_numpy())
        return Sample(
            truth=truth,
            estimate=estimate,
            error=error,
            write=lambda target: write_reference(world.reference(attempt), labels, target),
        )

    write_decision_sets(folder, draw)


def write_reference(reference: pd.DataFrame, labels: pd.DataFrame, folder: Path) -> None:
    """Write the two tables that a notebook finds in DATA_DIR, and a candidate in the kit."""
    write_parquet(reference, folder / "reference.parquet")
    write_parquet(labels, folder / "reference_labels.parquet")

"""Data for the decision notebook: artefacts and labelled rows of six other worlds.

Each has two versions of its own. What the notebook estimates, the share of late payers among the rows that the chosen
version approves, is known for both from far more rows than the notebook gets.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import featurize
import numpy as np
import pandas as pd
import train
from world import VERSIONS, World

from grader.checker.decision_sets import Quantity, Sample, write_decision_sets

HISTORY_ROWS = 6_000
POOL_ROWS, TRUTH_ROWS = 50_000, 150_000


def write_decisions(seed: int, folder: Path) -> None:
    """Write the decision sets of a variant."""

    @cache
    def process_of(number: int) -> Process:
        return Process(World(int(np.random.default_rng([seed, 7, number]).integers(2**62))))

    write_decision_sets(folder, lambda number, attempt: process_of(number).sample(attempt))


class Process:
    """One world with its two versions, and labelled rows that histories are drawn from.

    Args:
        world: The world.
    """

    def __init__(self, world: World) -> None:
        """Train both versions and score all rows once."""
        self.world = world
        self.models = train.train(world)
        for meta, model in self.models.values():
            train.set_threshold(world, meta, model)
        self.pool = _in_time(world.labelled(POOL_ROWS, np.random.default_rng([world.seed, 5]), "history"))
        future = world.labelled(TRUTH_ROWS, np.random.default_rng([world.seed, 8]), "history")
        self.approved = {version: self._approved(self.pool, version) for version in VERSIONS}
        self.truths = {
            version: float(future["late"].to_numpy()[self._approved(future, version)].mean()) for version in VERSIONS
        }

    def _approved(self, rows: pd.DataFrame, version: str) -> np.ndarray:
        meta, model = self.models[version]
        loaded = featurize.Artefacts(meta, self.world.fx, self.world.aggregates, model)
        return featurize.score(rows, loaded)["decision"].to_numpy() == "approve"

    def sample(self, attempt: int) -> Sample:
        """Draw a history."""
        draw = np.random.default_rng([self.world.seed, 9, attempt])
        chosen = np.sort(draw.choice(POOL_ROWS, HISTORY_ROWS, replace=False))
        late = self.pool["late"].to_numpy()[chosen]
        found = {version: self._quantity(late[self.approved[version][chosen]], version) for version in VERSIONS}
        first = found[VERSIONS[0]]
        return Sample(
            truth=first.truth,
            estimate=first.estimate,
            error=first.error,
            by_method=found,
            write=lambda folder: self.write(folder, chosen),
        )

    def _quantity(self, late: np.ndarray, version: str) -> Quantity:
        share = float(late.mean())
        return Quantity(
            truth=self.truths[version], estimate=share, error=float(np.sqrt(share * (1 - share) / len(late)))
        )

    def write(self, folder: Path, chosen: np.ndarray) -> None:
        """Write the artefacts, and these rows as history."""
        train.write_shared(folder, self.world)
        for version, (meta, model) in self.models.items():
            train.write_version(folder / version, meta, model)
        train.write_table(folder / "history.parquet", self.pool.iloc[chosen])


def _in_time(rows: pd.DataFrame) -> pd.DataFrame:
    order = pd.to_datetime(rows["ts"], utc=True, format="ISO8601").to_numpy()
    return rows.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)

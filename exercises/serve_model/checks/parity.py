"""Whether the service's numbers are those of the nightly batch, stratum by stratum."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from bench import MAIN, Bench, Stage, unanswered
from calls import Names, Row, batches, how, predict, prediction, probability, results, tally, text
from scipy.stats import spearmanr
from strata import as_text
from truth import artefacts, expected, threshold_rows

from grader.checker.api import linear
from grader.checker.http import Exchange, Request

CLOSE = 1e-6
SAME = 1e-12
LO, HI = 0.50, 0.98
ACTIVE_LO, ACTIVE_HI = 0.50, 0.75  # rank correlation: amount alone reaches .5, four right features of six .8
ROWS, FEW = 200, 16
SLOWER = ((0.5, 64), (0.1, 100))  # seconds of a request, rows; so few still tell a share within .06 or .05


@dataclass(frozen=True, kw_only=True)
class Parity:
    """Answers beside the truth.

    Attributes:
        stratum: What the rows are about.
        rows: What was asked.
        got: Probabilities answered; not a number where there is none.
        decided: Decisions answered.
        true: The right probabilities.
        decisions: The right decisions.
        own: The decisions that go with the probabilities answered.
        versions: Versions that answers name.
        failures: How requests without a prediction ended, counted.
    """

    stratum: str
    rows: Sequence[Row]
    got: np.ndarray
    decided: np.ndarray
    true: np.ndarray
    decisions: np.ndarray
    own: np.ndarray
    versions: tuple[str, ...] = ()
    failures: str = ""

    @property
    def close(self) -> np.ndarray:
        """Which rows are right."""
        return np.abs(self.got - self.true) <= CLOSE

    @property
    def value(self) -> float:
        """Share of rows that are right."""
        return float(np.mean(self.close)) if len(self.true) else 0.0

    @property
    def decided_right(self) -> np.ndarray:
        """Which rows are right and have the decision of the batch, or that of the probability answered.

        These differ only where another order of adding up changes the last bit of a probability at the threshold.
        """
        return self.close & ((self.decided == self.decisions) | (self.decided == self.own))

    @property
    def credit(self) -> float:
        """Share of the points."""
        return linear(self.value, LO, HI)

    @property
    def because(self) -> str:
        """Say it in one sentence."""
        wrong = int((~self.close).sum())
        if not wrong:
            return f"All {len(self.true)} {self.stratum} agree with the batch."
        answered = np.isfinite(self.got)
        told = f"{wrong} of {len(self.true)} {self.stratum} differ from the batch"
        if answered.any() and (~self.close & answered).any():
            told += f", by {np.mean(np.abs(self.got - self.true)[~self.close & answered]):.3f} on average"
        return f"{told}; {int((~answered).sum())} have no probability." if not answered.all() else f"{told}."

    def evidence(self) -> dict[str, object]:
        """Return a few rows that are wrong, and how requests failed."""
        facts: dict[str, object] = {f"{self.stratum}, right": f"{self.value:.1%}"}
        if self.failures:
            facts[f"{self.stratum}, no prediction"] = self.failures
        for place in np.flatnonzero(~self.close)[:2]:
            given = f"{self.got[place]:.8f}" if math.isfinite(self.got[place]) else "nothing"
            facts[f"{self.stratum}, row {place}"] = (
                f"{text(self.rows[place])}: {given} where the batch has {self.true[place]:.8f}"
            )
        return facts


def compare(
    stratum: str, rows: Sequence[Row], answers: Sequence[Mapping[str, Any]], truth: Any, threshold: float
) -> Parity:
    """Lay answers beside the truth (probabilities, decisions)."""
    true, decisions = truth
    got = np.array([probability(each) for each in answers], float)
    return Parity(
        stratum=stratum,
        rows=rows,
        got=got,
        decided=np.array([str(each.get("decision")) for each in answers], object),
        true=np.asarray(true, float),
        decisions=np.asarray(decisions, object),
        own=np.where(got >= threshold, "review", "approve").astype(object),
        versions=tuple(str(each.get("model_version")) for each in answers),
    )


def activity(parity: Parity) -> float:
    """Tell whether the model is used at all: 0 for a constant or a random answer, whatever its direction."""
    known = np.isfinite(parity.got)
    if known.mean() < 0.5 or len(np.unique(np.round(parity.got[known], 6))) < 3:
        return 0.0
    relation = abs(float(spearmanr(parity.got[known], parity.true[known]).statistic))
    return linear(relation, ACTIVE_LO, ACTIVE_HI)


class Strata:
    """The hidden rows, asked for once and kept.

    Args:
        bench: The service.
        world: What rows are drawn from.
        folder: Folder of the artefacts.
        draw: Gives random numbers for a purpose.
        names: Gives request ids.
    """

    def __init__(self, bench: Bench, world: Any, folder: Any, draw: Any, names: Names) -> None:
        self.bench = bench
        self.names = names
        self._world = world
        self._folder = folder
        self._draw = draw
        self._kept: dict[tuple[str, str], Parity] = {}

    def rows(self, stratum: str, count: int = ROWS, purpose: str = "") -> list[Row]:
        """Draw rows, each under an id of its own."""
        random = self._draw(f"{purpose}/{stratum}")
        drawn = self._world.rows(count, random, stratum)
        if stratum == "number_formats":
            drawn = [as_text(row, random) for row in drawn]
        return [self.names.rename(row) for row in drawn]

    def random(self, purpose: str) -> Any:
        """Return random numbers that are the same whenever this variant is graded."""
        return self._draw(purpose)

    def edge_rows(self, version: str) -> list[Row]:
        """Return the rows whose probability is the threshold, each under an id of its own."""
        return [self.names.rename(row) for row in threshold_rows(self._folder, version)]

    def truth(self, rows: Sequence[Row], version: str = "v1") -> Any:
        """Return what the batch says: probabilities, decisions."""
        return expected(self._folder, [json.loads(row) if isinstance(row, str) else row for row in rows], version)

    def of(self, stratum: str, words: str, stage: Stage = MAIN) -> Parity:
        """Return how the service answers the rows of a stratum, asked one by one."""
        key = (stratum, stage.name)
        if key not in self._kept:
            edge = stratum == "threshold"
            rows = self.edge_rows(stage.version) if edge else self.rows(stratum, purpose=stage.name)
            exchanges = self._asked([predict(row) for row in rows], stage)
            rows = rows[: len(exchanges)]
            answers = [prediction(each) for each in exchanges]
            threshold = float(artefacts(self._folder, stage.version).meta["threshold"])
            found = compare(words, rows, answers, self.truth(rows, stage.version), threshold)
            self._kept[key] = with_failures(found, exchanges)
        return self._kept[key]

    def _asked(self, requests: Sequence[Request], stage: Stage) -> list[Exchange]:
        """Send requests; of a slow service not all, and of one that predicts nothing none but a few.

        Returns:
            As many exchanges as count: what is not asked of a slow service does not, what would not be answered does.
        """
        found = self.bench.send(requests[:FEW], stage=stage)
        if not any(prediction(each) for each in found):
            return found + [unanswered(place) for place in range(len(found), len(requests))]
        each = float(np.median([exchange.seconds for exchange in found]))
        return found + self.bench.send(requests[FEW : rows_for(each)], stage=stage)

    @property
    def predicts(self) -> bool:
        """Whether any plain row got a probability."""
        return bool(np.isfinite(self.plain.got).any())

    @property
    def plain(self) -> Parity:
        """Rows without any trap, on which gates are built."""
        return self.of("plain", "plain rows")

    def in_batches(self, rows: Sequence[Row], size: int = 512) -> np.ndarray:
        """Return the probabilities that batches give for rows, in order."""
        exchanges = self.bench.send(batches(rows, size), concurrency=2, stage=MAIN)
        found: list[float] = []
        for start, exchange in zip(range(0, len(rows), size), exchanges, strict=True):
            part = rows[start : start + size]
            found += [probability(each) for each in results(exchange, len(part))]
        return np.array(found, float)


def rows_for(seconds: float) -> int:
    """Return how many rows of a stratum are asked of a service that takes so long for a request."""
    return next((rows for slow, rows in SLOWER if seconds > slow), ROWS)


def with_failures(parity: Parity, exchanges: Sequence[Exchange]) -> Parity:
    """Add how requests without a prediction ended."""
    return replace(parity, failures=tally(how(each) for each in exchanges if each.status != 200))

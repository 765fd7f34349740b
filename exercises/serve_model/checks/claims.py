"""Which version the shipped service serves and where its decision turns, for comparison with its notebook."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import featurize
import numpy as np
import pandas as pd
from bench import Bench, Stage
from calls import Names, predict, prediction, probability

from grader.checker.api import Reason, SubmissionFailed

ROWS_EACH = 40
FIELDS = ("ts", "tz", "amount", "currency", "income", "segment", "customer_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turning:
    """What a probe has shown.

    Attributes:
        version: The version that answered; "" when answers do not agree.
        threshold: The largest probability that was approved, and the smallest that went to review.
    """

    version: str
    threshold: tuple[float, float]


def probe(bench: Bench, names: Names, folder: Path, version: str) -> Turning:
    """Start the service on the notebook's artefacts and ask it about rows on both sides of the threshold.

    Args:
        bench: The candidate's service.
        names: Request ids.
        folder: The variant's folder.
        version: The version that the notebook chose.

    Raises:
        SubmissionFailed: It does not start, or answers nothing that can be read.
    """
    rows = near_threshold(folder / "decision" / "0", version)
    stage = Stage("the notebook's artefacts", folder="decision/0", version=version)
    requests = [predict({**row, "request_id": names.next()}) for row in rows]
    return turning([prediction(exchange) for exchange in bench.send(requests, stage=stage)])


def near_threshold(artefacts: Path, version: str) -> list[dict[str, object]]:
    """Return the rows of a history whose probabilities are nearest to the threshold, from both sides."""
    loaded = featurize.load(artefacts, version)
    history = pd.read_parquet(artefacts / "history.parquet")
    scored = featurize.score(history, loaded)["probability"].to_numpy()
    order = np.argsort(scored, kind="stable")
    place = int(np.searchsorted(scored[order], loaded.meta["threshold"]))
    chosen = history.iloc[order[max(0, place - ROWS_EACH) : place + ROWS_EACH]]
    rows = json.loads(chosen[list(FIELDS)].to_json(orient="records", double_precision=15))
    return [{**row, "customer_id": int(row["customer_id"])} for row in rows]


def turning(answers: list[dict[str, object]]) -> Turning:
    """Read where decisions turn.

    Raises:
        SubmissionFailed: No answer has a probability and a decision.
    """
    found: dict[object, list[float]] = {"approve": [], "review": []}
    for answer in answers:
        number, decision = probability(answer), answer.get("decision")
        if np.isfinite(number) and isinstance(decision, str) and decision in found:
            found[decision].append(number)
    if not any(found.values()):
        raise SubmissionFailed(Reason.NO_RESPONSE, "The service answers none of the requests near the threshold.")
    low, high = max(found["approve"], default=0.0), min(found["review"], default=1.0)
    versions = {str(answer["model_version"]) for answer in answers if "model_version" in answer}
    return Turning(version=versions.pop() if len(versions) == 1 else "", threshold=(min(low, high), max(low, high)))

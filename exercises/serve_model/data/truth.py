"""The right answers: requests scored by the offline path, as the checks compare with them."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import featurize
import numpy as np
import pandas as pd


@functools.lru_cache(maxsize=8)
def artefacts(folder: Path, version: str) -> featurize.Artefacts:
    """Load one version, once."""
    return featurize.load(folder, version)


def expected(folder: Path, rows: Sequence[Mapping[str, Any]], version: str) -> tuple[np.ndarray, np.ndarray]:
    """Score requests offline.

    Args:
        folder: A folder of artefacts: fx.json, customer_aggregates.parquet, v1/, v2/.
        rows: Bodies of /v1/predict.
        version: The version to score with.

    Returns:
        Probabilities (float64) and decisions ("approve" or "review"), in the order of the rows.
    """
    scored = featurize.score(frame(rows), artefacts(folder, version))
    return scored["probability"].to_numpy(), scored["decision"].to_numpy()


def features(folder: Path, rows: Sequence[Mapping[str, Any]], version: str) -> pd.DataFrame:
    """The features that the offline path computes, in the order of `meta["features"]`."""
    loaded = artefacts(folder, version)
    return featurize.featurize(frame(rows), loaded.meta, loaded.fx, loaded.aggregates)


def from_features(folder: Path, logged: Sequence[Mapping[str, float]], version: str) -> np.ndarray:
    """Probabilities for features by name, as a prediction log holds them."""
    loaded = artefacts(folder, version)
    table = pd.DataFrame(list(logged))[loaded.meta["features"]].astype("float64")
    return featurize.late_probability(loaded, table)


def decision(probability: float, folder: Path, version: str) -> str:
    """The decision that goes with a probability, exactly."""
    return "review" if probability >= artefacts(folder, version).meta["threshold"] else "approve"


def threshold_rows(folder: Path, version: str) -> list[dict[str, Any]]:
    """Requests whose probability is the threshold itself, to the last bit (hidden data only)."""
    text = (folder.parent / f"threshold_{version}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Requests as a table with the types that the batch job reads."""
    table = pd.DataFrame(list(rows))
    return table.astype({"amount": "float64", "income": "float64", "customer_id": "int64"})

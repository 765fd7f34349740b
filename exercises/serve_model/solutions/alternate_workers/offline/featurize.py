"""The nightly batch job: how raw rows become features and probabilities. What it computes is the truth.

    python offline/featurize.py artifacts v1 rows.jsonl

prints one line of JSON per row. A folder of artefacts holds fx.json, customer_aggregates.parquet and, per version,
a folder with meta.json and the model's file.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Artefacts:
    """Everything that one version needs for scoring."""

    meta: dict[str, Any]
    fx: dict[str, float]
    aggregates: pd.DataFrame
    model: Any


def load(folder: Path, version: str) -> Artefacts:
    """Read one version below a folder of artefacts."""
    meta = json.loads((folder / version / "meta.json").read_text(encoding="utf-8"))
    fx = json.loads((folder / "fx.json").read_text(encoding="utf-8"))
    aggregates = pd.read_parquet(folder / "customer_aggregates.parquet")
    return Artefacts(meta, fx["eur_per_unit"], aggregates, _load_model(folder / version / meta["file"], meta["format"]))


def _load_model(path: Path, kind: str) -> Any:
    if kind == "sklearn-joblib":
        import joblib

        return joblib.load(path)
    import xgboost

    return xgboost.Booster({"nthread": 1}, model_file=str(path))


def normalise(segment: str) -> str:
    """Write a segment as the category map does."""
    text = unicodedata.normalize("NFKC", segment).casefold()
    return re.sub("[ \t\r\n_-]+", " ", text).strip(" ")


def featurize(
    rows: pd.DataFrame, meta: Mapping[str, Any], fx: Mapping[str, float], aggregates: pd.DataFrame
) -> pd.DataFrame:
    """Turn raw rows into features: float64 columns in the order that the model was trained with."""
    utc = pd.to_datetime(rows["ts"], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    hour, weekday = local_hour_and_weekday(utc, rows["tz"])
    income = rows["income"].astype("float64").fillna(meta["medians"]["income"])
    columns = {
        "log_amount": np.log(rows["amount"].astype("float64")) + np.log(rows["currency"].map(fx).astype("float64")),
        "local_hour": hour,
        "local_weekday": weekday,
        "income": income.clip(*meta["income_range"]),
        "segment": _segment_code(rows["segment"], meta),
        "customer_value": value_as_of(utc, rows["customer_id"], aggregates).fillna(meta["medians"]["customer_value"]),
    }
    return pd.DataFrame(columns)[meta["features"]].astype("float64")


def local_hour_and_weekday(utc: pd.Series, zones: pd.Series) -> tuple[pd.Series, pd.Series]:
    hour = pd.Series(0, index=utc.index)
    weekday = pd.Series(0, index=utc.index)
    for zone, places in utc.groupby(zones).groups.items():
        local = utc.loc[places].dt.tz_convert(str(zone))
        hour.loc[places] = local.dt.hour
        weekday.loc[places] = local.dt.day_of_week
    return hour, weekday


def _segment_code(segments: pd.Series, meta: Mapping[str, Any]) -> pd.Series:
    codes, merged = meta["segments"], meta["merged_segments"]
    found = {}
    for segment in segments.unique():
        name = normalise(segment)
        found[segment] = codes.get(merged.get(name, name), meta["unseen_segment"])
    return segments.map(found)


def value_as_of(utc: pd.Series, customers: pd.Series, aggregates: pd.DataFrame) -> pd.Series:
    """The newest value of a customer that is not dated after the row; null where there is none."""
    left = pd.DataFrame({"ts": utc, "customer_id": customers.astype("int64"), "place": range(len(utc))})
    right = aggregates.sort_values("as_of", kind="stable")
    joined = pd.merge_asof(
        left.sort_values("ts", kind="stable"), right, left_on="ts", right_on="as_of", by="customer_id"
    )
    return pd.Series(joined.sort_values("place")["value"].to_numpy(), index=utc.index)


def late_probability(artefacts: Artefacts, features: pd.DataFrame) -> np.ndarray:
    """Probability that the customer pays late; `classes` says what the model's columns stand for."""
    values = features.to_numpy()
    classes: Sequence[str] = artefacts.meta["classes"]
    if artefacts.meta["format"] == "sklearn-joblib":
        return artefacts.model.predict_proba(values)[:, classes.index("late")]
    second = artefacts.model.inplace_predict(values).astype("float64")  # XGBoost gives that of the second class
    return second if classes.index("late") == 1 else 1.0 - second


def decide(probabilities: np.ndarray, threshold: float) -> np.ndarray:
    """The decision for each probability."""
    return np.where(probabilities >= threshold, "review", "approve")


def score(rows: pd.DataFrame, artefacts: Artefacts) -> pd.DataFrame:
    """Score raw rows: columns probability and decision, in the order of the rows."""
    features = featurize(rows, artefacts.meta, artefacts.fx, artefacts.aggregates)
    probability = late_probability(artefacts, features)
    decision = decide(probability, artefacts.meta["threshold"])
    return pd.DataFrame({"probability": probability, "decision": decision}, index=rows.index)


def main(folder: str, version: str, path: str) -> None:
    """Score a file of raw rows, one JSON object a line."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    rows = pd.DataFrame([json.loads(line) for line in lines])
    scored = score(rows, load(Path(folder), version)).assign(request_id=rows["request_id"])
    sys.stdout.write("".join(f"{json.dumps(row)}\n" for row in scored.to_dict("records")))


if __name__ == "__main__":
    main(*sys.argv[1:])

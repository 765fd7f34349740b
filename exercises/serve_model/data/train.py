"""Trains the two versions and writes them as artefacts."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import featurize
import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from sklearn.ensemble import GradientBoostingClassifier
from strata import as_requests
from world import VERSIONS, World

TRAINING_ROWS = 16_000
REVIEWED = {"v1": 0.24, "v2": 0.21}  # share of rows above the threshold, about
THRESHOLD_ROWS = 200


def train(world: World) -> dict[str, tuple[dict[str, Any], Any]]:
    """Train both versions: version to meta (without file and hash) and model."""
    rows = world.labelled(TRAINING_ROWS, np.random.default_rng([world.seed, 3]), "training")
    order = np.argsort(pd.to_datetime(rows["ts"], utc=True, format="ISO8601").to_numpy(), kind="stable")
    rows = rows.iloc[order].reset_index(drop=True)
    made = {}
    for version in VERSIONS:
        seen = rows.iloc[: len(rows) * 6 // 10] if version == "v1" else rows
        meta = _meta(world, version, seen)
        made[version] = meta, _fit(meta, featurize.featurize(seen, meta, world.fx, world.aggregates), seen["late"])
    return made


def _meta(world: World, version: str, rows: pd.DataFrame) -> dict[str, Any]:
    coding = world.coding[version]
    utc = pd.to_datetime(rows["ts"], utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    values = featurize.value_as_of(utc, rows["customer_id"], world.aggregates)
    low, high = rows["income"].quantile([0.002, 0.998]).round(-2)
    return {
        "version": version,
        "format": "sklearn-joblib" if version == "v1" else "xgboost-ubj",
        "features": list(coding.features),
        "classes": list(coding.classes),
        "threshold": 0.5,
        "medians": {"income": float(rows["income"].median()), "customer_value": float(values.median())},
        "income_range": [float(low), float(high)],
        "segments": coding.segments,
        "merged_segments": world.merged,
        "unseen_segment": coding.unseen_segment,
    }


def _fit(meta: dict[str, Any], features: pd.DataFrame, late: pd.Series) -> Any:
    """Fit on bare arrays: the model does not know names, so the order of columns is meta's business alone."""
    values, target = (
        features.to_numpy(),
        np.where(late == 1, meta["classes"].index("late"), meta["classes"].index("ok")),
    )
    if meta["format"] == "sklearn-joblib":
        model = GradientBoostingClassifier(
            n_estimators=140, max_depth=4, learning_rate=0.1, min_samples_leaf=15, subsample=0.7, random_state=7
        )
        model.fit(values, target)
        for tree in model.estimators_.ravel():
            clear_padding(tree)
        return model
    parameters = {
        "objective": "binary:logistic", "max_depth": 5, "eta": 0.09, "min_child_weight": 6, "subsample": 0.7,
        "lambda": 1.0, "tree_method": "hist", "max_bin": 256, "nthread": 1, "seed": 7,
    }  # fmt: skip
    return xgboost.train(parameters, xgboost.DMatrix(values, label=target, nthread=1), num_boost_round=160)


def clear_padding(tree: Any) -> None:
    """Zero the unused bytes between the fields of a tree's nodes, which hold whatever was in memory before."""
    state = tree.tree_.__getstate__()
    nodes = np.zeros(state["nodes"].shape, dtype=state["nodes"].dtype)
    for field in nodes.dtype.names:
        nodes[field] = state["nodes"][field]
    tree.tree_.__setstate__(state | {"nodes": nodes})


def set_threshold(world: World, meta: dict[str, Any], model: Any) -> list[dict[str, Any]]:
    """Choose a probability that rows really have as threshold; returns rows that have it to the last bit."""
    loaded = featurize.Artefacts(meta, world.fx, world.aggregates, model)
    draw = np.random.default_rng([world.seed, 4, len(meta["version"]), int(meta["version"][1:])])
    sample = world.table(2_000, draw, "mixed")
    scored = np.sort(featurize.score(sample, loaded)["probability"].to_numpy())
    share = 1 - REVIEWED[meta["version"]]
    usual = world.table(1_500, draw, "plain")
    probability = featurize.score(usual, loaded)["probability"].to_numpy()
    base = usual.iloc[[int(np.argmin(np.abs(probability - scored[int(share * len(scored))])))]]
    meta["threshold"] = float(featurize.score(base, loaded)["probability"].iloc[0])
    return _at_threshold(world, loaded, base, draw)


def _at_threshold(
    world: World, loaded: featurize.Artefacts, base: pd.DataFrame, draw: np.random.Generator
) -> list[dict[str, Any]]:
    """Vary what the model cannot see: minutes, small changes of amount and income, ids."""
    many = base.loc[base.index.repeat(THRESHOLD_ROWS * 5)].reset_index(drop=True)
    size = len(many)
    hour = str(base["ts"].iloc[0])[:14]
    minutes, seconds = draw.integers(0, 60, size), draw.integers(0, 60, size)
    many["ts"] = [f"{hour}{minute:02d}:{second:02d}Z" for minute, second in zip(minutes, seconds, strict=True)]
    many["request_id"] = [f"r-{each:016x}" for each in draw.integers(0, 2**62, size)]
    moved = np.round(many["amount"] + draw.normal(0, 0.2, size), 2)
    many["amount"] = np.where(draw.random(size) < 0.8, moved, many["amount"]).clip(min=0.01)
    same = featurize.score(many, loaded)["probability"].to_numpy() == loaded.meta["threshold"]
    return as_requests(many[same].head(THRESHOLD_ROWS))


def write_version(folder: Path, meta: dict[str, Any], model: Any) -> None:
    """Write one version: the model's file, and meta.json with its hash."""
    folder.mkdir(parents=True)
    path = folder / ("model.joblib" if meta["format"] == "sklearn-joblib" else "model.ubj")
    if meta["format"] == "sklearn-joblib":
        joblib.dump(model, path, compress=0)
    else:
        path.write_bytes(bytes(model.save_raw("ubj")))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    meta = {"version": meta["version"], "file": path.name, "sha256": digest} | meta
    (folder / "meta.json").write_text(json.dumps(meta, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_shared(folder: Path, world: World) -> None:
    """Write what the versions share: rates and aggregates."""
    folder.mkdir(parents=True, exist_ok=True)
    rates = {"base": "EUR", "eur_per_unit": world.fx}
    (folder / "fx.json").write_text(json.dumps(rates, indent=2) + "\n", encoding="utf-8")
    write_table(folder / "customer_aggregates.parquet", world.aggregates)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as Parquet with its columns alone: nothing of how it was held in memory, and by what."""
    bare = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(bare, path, compression="zstd")

"""Generate a variant of `serve_model`: what candidates see, and what their services are graded on.

public   artifacts/             v1/, v2/, fx.json, customer_aggregates.parquet, and history.parquet for the notebook
         offline/featurize.py   the batch job: the definition of truth
         examples.jsonl         500 requests with what v1 answers
hidden   artifacts/             the same for another world
         slow/                  v1 takes a second or more to load
         corrupt/               v1 is sound, a byte of v2's model is not what it was
         threshold_v1.jsonl, threshold_v2.jsonl   requests whose probability is the threshold
         decision/              what the notebook gets in six other worlds, see decision.py
"""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import train
import truth
from decision import write_decisions
from world import VERSIONS, World

EXAMPLES = 500
HISTORY_ROWS = 6_000
SLOW_TREES = 5_000


def generate(seed: int, split: str, destination: Path) -> None:
    """Write one split of a variant; the same seed gives the same bytes.

    Args:
        seed: The variant's seed.
        split: "public" or "hidden".
        destination: Folder to write into; made if it is not there.

    Raises:
        ValueError: Another split is asked for.
    """
    if split not in ("public", "hidden"):
        raise ValueError(f"there is no split {split!r}; it is 'public' or 'hidden'")
    destination.mkdir(parents=True, exist_ok=True)
    world = World(seed, late_first=split == "hidden")
    models = train.train(world)
    at_threshold = {version: train.set_threshold(world, *models[version]) for version in VERSIONS}
    _write_artefacts(destination / "artifacts", world, models)
    _write_history(destination / "artifacts" / "history.parquet", world)
    if split == "public":
        offline = destination / "offline"
        offline.mkdir(exist_ok=True)
        shutil.copyfile(Path(__file__).with_name("featurize.py"), offline / "featurize.py")
        _write_examples(destination, world)
        return
    for version, rows in at_threshold.items():
        _write_lines(destination / f"threshold_{version}.jsonl", rows)
    _write_slow(destination, world, models)
    _write_corrupt(destination)
    write_decisions(seed, destination / "decision")


def _write_artefacts(folder: Path, world: World, models: dict[str, tuple[dict[str, Any], Any]]) -> None:
    train.write_shared(folder, world)
    for version, (meta, model) in models.items():
        train.write_version(folder / version, meta, model)


def _write_history(path: Path, world: World) -> None:
    """Labelled rows, in the order of time."""
    rows = world.labelled(HISTORY_ROWS, np.random.default_rng([world.seed, 5]), "history")
    order = pd.to_datetime(rows["ts"], utc=True, format="ISO8601").to_numpy()
    train.write_table(path, rows.iloc[np.argsort(order, kind="stable")])


def _write_examples(destination: Path, world: World) -> None:
    rows = world.rows(EXAMPLES, np.random.default_rng([world.seed, 6]), "mixed")
    probabilities, decisions = truth.expected(destination / "artifacts", rows, "v1")
    scored = zip(rows, probabilities, decisions, strict=True)
    lines = [{"request": row, "probability": float(p), "decision": str(decision)} for row, p, decision in scored]
    _write_lines(destination / "examples.jsonl", lines)


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def _write_slow(destination: Path, world: World, models: dict[str, tuple[dict[str, Any], Any]]) -> None:
    """The same model in very many trees, each with a fraction of the weight, so that it takes long to read."""
    meta, model = models["v1"]
    large = copy.copy(model)
    times = SLOW_TREES // len(model.estimators_)
    trees = [tree for tree in model.estimators_ for _ in range(times)]
    large.estimators_ = np.array([[copy.deepcopy(tree[0])] for tree in trees], dtype=object)
    for tree in large.estimators_.ravel():
        train.clear_padding(tree)
    large.n_estimators_ = large.n_estimators = len(trees)
    large.learning_rate = model.learning_rate / times
    _write_artefacts(destination / "slow", world, {"v1": (meta, large), "v2": models["v2"]})


def _write_corrupt(destination: Path) -> None:
    folder = destination / "corrupt"
    shutil.copytree(destination / "artifacts", folder, ignore=shutil.ignore_patterns("history.parquet"))
    path = folder / "v2" / "model.ubj"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x20
    path.write_bytes(bytes(content))

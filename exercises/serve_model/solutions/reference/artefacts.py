"""Loading and verifying versions. A snapshot holds all that an answer needs, so that switching is one assignment."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from features import Featurizer, Values

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
Model = Callable[[Sequence[Sequence[float]]], list[float]]


class NotLoadable(Exception):
    """A version is not there, or not what its meta.json says."""


@dataclass(frozen=True)
class Snapshot:
    """One version, ready to serve."""

    version: str
    names: tuple[str, ...]
    featurize: Featurizer
    late: Model
    threshold: float


class Library:
    """A folder of artefacts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._values: Values | None = None

    def load(self, version: str) -> Snapshot:
        """Load a version and try it once.

        Raises:
            NotLoadable: It is not there, damaged, or does not predict.
        """
        if not NAME.fullmatch(version):
            raise NotLoadable(f"there is no version {version!r}")
        try:
            return self._load(version)
        except NotLoadable:
            raise
        except Exception as error:  # whatever a damaged file makes a library raise
            raise NotLoadable(f"version {version!r} cannot be loaded: {error!r}") from error

    def _load(self, version: str) -> Snapshot:
        folder = self._folder / version
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        content = (folder / meta["file"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != meta["sha256"]:
            raise NotLoadable(f"version {version!r} is damaged: its hash is not that of meta.json")
        fx = json.loads((self._folder / "fx.json").read_text(encoding="utf-8"))["eur_per_unit"]
        if self._values is None:
            self._values = _read_values(self._folder / "customer_aggregates.parquet")
        snapshot = Snapshot(
            version=version,
            names=tuple(meta["features"]),
            featurize=Featurizer(meta, fx, self._values),
            late=_read_model(content, meta),
            threshold=meta["threshold"],
        )
        snapshot.late([[0.0] * len(snapshot.names)])
        return snapshot


def _read_values(path: Path) -> Values:
    import pyarrow
    from pyarrow import parquet

    table = parquet.read_table(path).sort_by([("customer_id", "ascending"), ("as_of", "ascending")])
    customers = table["customer_id"].to_pylist()
    moments = table["as_of"].cast(pyarrow.timestamp("us", "UTC")).cast("int64").to_pylist()
    values: dict[int, tuple[list[int], list[float]]] = {}
    for customer, moment, value in zip(customers, moments, table["value"].to_pylist(), strict=True):
        dated = values.setdefault(customer, ([], []))
        dated[0].append(moment)
        dated[1].append(value)
    return values


def _read_model(content: bytes, meta: dict[str, Any]) -> Model:
    """Make a function from features to probabilities of paying late."""
    import numpy as np

    column = meta["classes"].index("late")
    if meta["format"] == "sklearn-joblib":
        import joblib

        model = joblib.load(io.BytesIO(content))
        return lambda rows: model.predict_proba(np.array(rows))[:, column].tolist()
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(content))

    def late(rows: Sequence[Sequence[float]]) -> list[float]:
        second = booster.inplace_predict(np.array(rows)).astype("float64")
        return (second if column == 1 else 1.0 - second).tolist()

    return late

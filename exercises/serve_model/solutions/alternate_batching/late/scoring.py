"""Versions of the model, and the features of a row: what offline/featurize.py computes, without pandas.

numpy, pyarrow, scikit-learn and xgboost are imported where they are used, because that happens in a thread
while /health already answers.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import re
import unicodedata
from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from late.validation import CURRENCIES, Row

COLUMNS = ("log_amount", "local_hour", "local_weekday", "income", "segment", "customer_value")
CACHED_SEGMENTS, CACHED_LENGTH = 4096, 64

Prepared = tuple[float, float, list[float]]  # amount, log of the rate, features with a hole for log_amount


class Corrupt(Exception):
    """A version that cannot be served."""


def normalise(segment: str) -> str:
    """Write a segment as the category map does. Copied from offline/featurize.py, which imports pandas."""
    text = unicodedata.normalize("NFKC", segment).casefold()
    return re.sub("[ \t\r\n_-]+", " ", text).strip(" ")


class Aggregates:
    """Values of customers over time."""

    def __init__(self, path: Path) -> None:
        import numpy as np
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(path, columns=["customer_id", "as_of", "value"], use_threads=False)
        customers = table["customer_id"].to_numpy().astype(np.int64)
        as_of = table["as_of"].cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64()).to_numpy()
        values = table["value"].cast(pa.float64()).to_numpy()
        order = np.lexsort((as_of, customers))  # stable: among equal dates the last row of the table wins, as in the batch
        customers, as_of, values = customers[order], as_of[order], values[order]
        found, first = np.unique(customers, return_index=True)
        bounds = [*first.tolist(), len(customers)]
        self._span = dict(zip(found.tolist(), zip(bounds[:-1], bounds[1:], strict=True), strict=True))
        self._as_of = array("q", as_of.tobytes())
        self._values = array("d", values.tobytes())

    def value(self, customer_id: int, micros: int) -> float | None:
        """The newest value that is not dated after the row; None where there is none, or it is null."""
        span = self._span.get(customer_id)
        if span is None:
            return None
        place = bisect_right(self._as_of, micros, *span) - 1
        if place < span[0]:
            return None
        value = self._values[place]
        return None if math.isnan(value) else value


class Shared:
    """What all versions need from MODEL_DIR."""

    def __init__(self, folder: Path) -> None:
        import numpy as np

        rates = json.loads((folder / "fx.json").read_text(encoding="utf-8"))["eur_per_unit"]
        self.log_rates = {currency: float(np.log(np.float64(rates[currency]))) for currency in CURRENCIES}
        self.aggregates = Aggregates(folder / "customer_aggregates.parquet")


class Version:
    """A version that was verified and loaded. It never changes, so that a reference to it is a consistent whole."""

    def __init__(self, name: str, meta: dict[str, Any], shared: Shared, late: Callable[[Any], Any]) -> None:
        self.name = name
        self.threshold = float(meta["threshold"])
        self.features: list[str] = list(meta["features"])
        self._columns = [COLUMNS.index(feature) for feature in self.features]
        self._log_amount = self.features.index("log_amount") if "log_amount" in self.features else None
        self._income = float(meta["medians"]["income"])
        self._value = float(meta["medians"]["customer_value"])
        self._low, self._high = map(float, meta["income_range"])
        self._codes = {str(key): float(code) for key, code in meta["segments"].items()}
        self._merged: dict[str, str] = dict(meta["merged_segments"])
        self._unseen = float(meta["unseen_segment"])
        self._shared, self._late = shared, late
        self._segments: dict[str, float] = {}

    def prepare(self, row: Row) -> Prepared:
        """Everything but the logarithm of the amount, which is taken for all rows at once."""
        income = self._income if row.income is None else row.income
        value = self._shared.aggregates.value(row.customer_id, row.micros)
        columns = (
            0.0,
            float(row.hour),
            float(row.weekday),
            min(max(income, self._low), self._high),
            self._segment(row.segment),
            self._value if value is None else value,
        )
        return row.amount, self._shared.log_rates[row.currency], [columns[at] for at in self._columns]

    def _segment(self, segment: str) -> float:
        code = self._segments.get(segment)
        if code is None:
            name = normalise(segment)
            code = self._codes.get(self._merged.get(name, name), self._unseen)
            if len(segment) <= CACHED_LENGTH and len(self._segments) < CACHED_SEGMENTS:
                self._segments[segment] = code
        return code

    def score(self, rows: Sequence[Prepared]) -> tuple[list[list[float]], list[float]]:
        """Features and probabilities of paying late; each row's are the same whatever else is scored with it."""
        import numpy as np

        amounts, rates, features = zip(*rows, strict=True)
        values = np.array(features, dtype=np.float64)
        if self._log_amount is not None:
            values[:, self._log_amount] = np.log(np.array(amounts, dtype=np.float64)) + np.array(rates)
        return values.tolist(), self._late(values).tolist()


def load(folder: Path, name: str, shared: Shared) -> Version:
    """Verify and load a version.

    Raises:
        Corrupt: meta.json or the model's file is missing, unreadable, or not what it should be.
    """
    try:
        meta = json.loads((folder / name / "meta.json").read_text(encoding="utf-8"))
        file = meta["file"]
        if Path(file).name != file:
            raise Corrupt("the model's file does not lie beside meta.json")
        content = (folder / name / file).read_bytes()  # read once: what is hashed is what is loaded
        if hashlib.sha256(content).hexdigest() != meta["sha256"].lower():
            raise Corrupt("the model's file has another hash than meta.json says")
        late = _model(content, meta["format"], meta["classes"])
        version = Version(name, meta, shared, late)
        _try(version)
    except Corrupt:
        raise
    except Exception as error:  # whatever broken files make json, joblib or xgboost raise
        raise Corrupt(f"{type(error).__name__}: {error}") from error
    return version


def _model(content: bytes, kind: str, classes: list[str]) -> Callable[[Any], Any]:
    """A function from an array of features to the probability of paying late."""
    place = classes.index("late")
    if kind == "sklearn-joblib":
        import joblib

        model = joblib.load(io.BytesIO(content))
        return lambda values: model.predict_proba(values)[:, place]
    if kind == "xgboost-ubj":
        import xgboost

        booster = xgboost.Booster({"nthread": 1}, model_file=bytearray(content))

        def late(values: Any) -> Any:
            second = booster.inplace_predict(values).astype("float64")  # that of the second class
            return second if place == 1 else 1.0 - second

        return late
    raise Corrupt(f"unknown format {kind!r}")


def _try(version: Version) -> None:
    """Score two rows, so that a model of another shape is found now; this also warms everything up."""
    rows = [
        Row("", 0, 12, 3, 100.0, "EUR", None, "", -1, b""),
        Row("", 2_000_000_000_000_000, 0, 6, 1e-300, "JPY", -1e300, "x", 0, b""),
    ]
    for probability in version.score([version.prepare(row) for row in rows])[1]:
        if not 0 <= probability <= 1:
            raise Corrupt(f"gives {probability} as a probability")

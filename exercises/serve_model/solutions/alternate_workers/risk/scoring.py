"""One version of the model, and its features as offline/featurize.py computes them, with numpy instead of pandas."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import math
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from risk.validate import CURRENCIES, Scorable


class Corrupt(Exception):
    """A version that cannot be served; the text says why."""


class Shared:
    """What all versions need: rates, and the customers' values by date."""

    def __init__(self, folder: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        rates = json.loads((folder / "fx.json").read_text(encoding="utf-8"))["eur_per_unit"]
        names = [name for name in CURRENCIES if name in rates]
        self.log_rate = dict(zip(names, np.log(np.array([float(rates[name]) for name in names])).tolist(), strict=True))

        table = pq.read_table(folder / "customer_aggregates.parquet", columns=["customer_id", "as_of", "value"])
        customer = table["customer_id"].cast(pa.int64()).to_numpy()
        kind = pa.timestamp("us", tz="UTC") if getattr(table.schema.field("as_of").type, "tz", None) else pa.timestamp("us")
        as_of = table["as_of"].cast(kind, safe=False).cast(pa.int64()).to_numpy()
        value = table["value"].cast(pa.float64()).to_numpy(zero_copy_only=False)
        # One sorted key for (customer, date): the rank of the customer times the number of dates, plus the rank of
        # the date. Ranks rather than microseconds, so that nothing can overflow.
        self._customers, of_customer = np.unique(customer, return_inverse=True)
        self._dates, of_date = np.unique(as_of, return_inverse=True)
        self._stride = len(self._dates) + 1
        keys = of_customer * self._stride + of_date + 1
        order = np.argsort(keys, kind="stable")  # of equal dates the last in the file counts, as in the batch
        self._keys, self._values = keys[order], value[order]

    def value_as_of(self, microseconds: np.ndarray, customers: np.ndarray) -> np.ndarray:
        """The newest value of each customer that is not dated after the row; NaN where there is none."""
        if not len(self._keys):
            return np.full(len(customers), np.nan)
        rank = np.searchsorted(self._customers, customers)
        rank[rank == len(self._customers)] = 0
        known = self._customers[rank] == customers
        first = rank * self._stride
        place = np.searchsorted(self._keys, first + np.searchsorted(self._dates, microseconds, "right"), "right") - 1
        known &= (place >= 0) & (self._keys[place] > first)
        return np.where(known, self._values[place], np.nan)


# -- segments ------------------------------------------------------------------------------------------------------

_BETWEEN = re.compile("[ \t\r\n_-]+")


def normalise(segment: str) -> str:
    """Write a segment as the category map does (the batch's own rule, letter by letter)."""
    return _BETWEEN.sub(" ", unicodedata.normalize("NFKC", segment).casefold()).strip(" ")


def _longest_run_of_marks(text: str) -> int:
    longest = run = 0
    for letter in text:
        run = run + 1 if unicodedata.combining(letter) else 0
        longest = max(longest, run)
    return longest


class Segments:
    """Codes of segments; remembers short ones, within bounds."""

    def __init__(self, meta: dict[str, Any]) -> None:
        self._codes = {str(name): float(code) for name, code in meta["segments"].items()}
        self._merged = {str(name): str(other) for name, other in meta["merged_segments"].items()}
        self._unseen = float(meta["unseen_segment"])
        self._marks = 64 + max(map(len, [*self._codes, *self._merged]), default=0)
        self._seen: dict[str, float] = {}

    def code(self, segment: str) -> float:
        """The number for a segment."""
        found = self._seen.get(segment)
        if found is None:
            found = self._code(segment)
            if len(segment) <= 64:
                if len(self._seen) >= 4096:
                    self._seen.clear()
                self._seen[segment] = found
        return found

    def _code(self, segment: str) -> float:
        # Sorting a run of combining marks takes quadratic time: a megabyte of them would block a worker for minutes.
        # Normalising keeps a run (but for a few marks that melt into the letter), so it can be no known segment.
        if len(segment) > 1000 and not segment.isascii() and _longest_run_of_marks(segment) > self._marks:
            return self._unseen
        name = normalise(segment)
        return self._codes.get(self._merged.get(name, name), self._unseen)


# -- versions ------------------------------------------------------------------------------------------------------

_PROBE: Scorable = (1_735_732_800_000_000, 12, 2, 100.0, "EUR", None, "", 0)


class Version:
    """A version that was verified, loaded, and tried on one row.

    Raises:
        Corrupt: It cannot be served.
    """

    def __init__(self, folder: Path, name: str, shared: Shared) -> None:
        self._shared = shared
        try:
            self._read(folder / name)
            chance = self.score([_PROBE])[0][0]
            if not 0.0 <= chance <= 1.0:
                raise Corrupt(f"gives {chance} as a probability")
        except Corrupt:
            raise
        except Exception as error:  # whatever a broken file makes its library raise
            raise Corrupt(f"{type(error).__name__}: {error}") from error

    def _read(self, folder: Path) -> None:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        self.features = [str(name) for name in meta["features"]]
        self.threshold = float(meta["threshold"])
        self._late = list(meta["classes"]).index("late")
        self._median_income = float(meta["medians"]["income"])
        self._median_value = float(meta["medians"]["customer_value"])
        self._lowest, self._highest = map(float, meta["income_range"])
        self._segments = Segments(meta)
        if len(meta["classes"]) != 2 or not math.isfinite(self.threshold):
            raise Corrupt("classes or threshold of meta.json make no sense")
        if Path(meta["file"]).name != meta["file"]:
            raise Corrupt("the model's file is not beside meta.json")
        content = (folder / meta["file"]).read_bytes()  # read once: what is verified is what is loaded
        if not hmac.compare_digest(hashlib.sha256(content).hexdigest(), str(meta["sha256"]).strip().lower()):
            raise Corrupt("the model's file has another hash than meta.json says")
        if meta["format"] == "sklearn-joblib":
            import joblib

            self._model = joblib.load(io.BytesIO(content))
            if getattr(self._model, "n_jobs", 1) != 1:
                self._model.n_jobs = 1
            self._predict = self._by_sklearn
        elif meta["format"] == "xgboost-ubj":
            import xgboost

            self._model = xgboost.Booster({"nthread": 1})
            self._model.load_model(bytearray(content))
            self._predict = self._by_xgboost
        else:
            raise Corrupt(f"unknown format {meta['format']!r}")

    def _by_sklearn(self, values: np.ndarray) -> np.ndarray:
        return self._model.predict_proba(values)[:, self._late]

    def _by_xgboost(self, values: np.ndarray) -> np.ndarray:
        second = self._model.inplace_predict(values).astype("float64")
        return second if self._late == 1 else 1.0 - second

    def featurize(self, rows: Sequence[Scorable]) -> np.ndarray:
        """Features in the order of the model's columns, one row each."""
        microseconds, hour, weekday, amount, currency, income, segment, customer = zip(*rows, strict=True)
        rate = self._shared.log_rate
        value = self._shared.value_as_of(np.array(microseconds, dtype=np.int64), np.array(customer, dtype=np.int64))
        earned = np.array([self._median_income if each is None else each for each in income])
        columns = {
            "log_amount": lambda: np.log(np.array(amount)) + np.array([rate[each] for each in currency]),
            "local_hour": lambda: hour,
            "local_weekday": lambda: weekday,
            "income": lambda: np.minimum(np.maximum(earned, self._lowest), self._highest),
            "segment": lambda: [self._segments.code(each) for each in segment],
            "customer_value": lambda: np.where(np.isnan(value), self._median_value, value),
        }
        values = np.empty((len(rows), len(self.features)))
        for place, name in enumerate(self.features):
            values[:, place] = columns[name]()
        return values

    def score(self, rows: Sequence[Scorable]) -> list[tuple[float, bool, str]]:
        """For each row: the probability of paying late, whether to review, and the features as JSON for the log."""
        values = self.featurize(rows)
        chances = self._predict(values).tolist()
        threshold, names = self.threshold, self.features
        return [
            (chance, chance >= threshold, json.dumps(dict(zip(names, given, strict=True))))
            for chance, given in zip(chances, values.tolist(), strict=True)
        ]

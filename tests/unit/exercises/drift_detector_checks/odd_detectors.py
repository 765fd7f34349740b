"""Detectors that break the contract in one way each, on top of a simple one that keeps it."""

from __future__ import annotations

import math
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

NUMBERS = ("amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items")
TEXTS = ("device", "country", "payment", "segment")


class Simple:
    """Compares means, and shares of levels, with those of all hours; it keeps the contract."""

    def __init__(self, alpha: float = 0.05, seed: int = 0) -> None:
        self.alpha = alpha
        self.total, self.windows = 0.0, 0

    def fit(self, reference: pd.DataFrame, labels: pd.DataFrame) -> None:
        hours = reference["event_ts"].dt.hour
        self.hourly = {name: reference[name].groupby(hours).mean().to_numpy() for name in NUMBERS}
        self.means = {name: (float(reference[name].mean()), float(reference[name].std())) for name in NUMBERS}
        self.shares = {name: reference[name].value_counts(normalize=True).to_dict() for name in TEXTS}
        self.gap = float((labels["y"] - labels["score"]).mean())

    def _strengths(self, window: pd.DataFrame) -> dict[str, float]:
        if not len(window):
            raise ValueError("an empty window")
        for name in (*NUMBERS, *TEXTS, "event_ts"):
            if name not in window.columns:
                raise ValueError(f"no column {name}")
        if not pd.api.types.is_datetime64_any_dtype(window["event_ts"]):
            raise ValueError("event_ts is no time")
        found = {}
        for name in NUMBERS:
            values = window[name].to_numpy(dtype=float)
            values = values[~np.isnan(values)]
            mean, spread = self.means[name]
            found[name] = abs(values.mean() - mean) / spread * math.sqrt(len(values)) if len(values) else 0.0
        for name in TEXTS:
            seen, rows = Counter(window[name].tolist()), len(window)
            far = [
                abs(seen[level] / rows - share) / math.sqrt(share * (1 - share) / rows)
                for level, share in self.shares[name].items()
            ]
            found[name] = float(norm.isf(min(1.0, len(far) * 2 * norm.sf(max(far))) / 2))
        return {name: min(max(value, 0.0), 37.0) for name, value in found.items()}

    def check(self, window: pd.DataFrame) -> object:
        scores = self._strengths(window)
        p = min(1.0, len(scores) * 2 * float(norm.sf(max(scores.values()))))
        return {"drift": p <= self.alpha, "p_value": p, "scores": scores, "n": len(window)}

    def update(self, window: pd.DataFrame) -> object:
        self._strengths(window)
        far, hours = 0.0, window["event_ts"].dt.hour.to_numpy()
        for name in NUMBERS:
            gaps = window[name].to_numpy(dtype=float) - self.hourly[name][hours]
            gaps = gaps[~np.isnan(gaps)]
            far = max(far, abs(gaps.mean()) / self.means[name][1] * math.sqrt(len(gaps)) if len(gaps) else 0.0)
        self.total = max(0.0, self.total + far - 2.6)
        return {"alarm": self.total > 2.0}

    def feedback(self, rows: pd.DataFrame) -> object:
        if not len(rows) or "y" not in rows.columns:
            raise ValueError("no labels")
        gaps = rows["y"] - rows["score"] - self.gap
        p = float(2 * norm.sf(abs(gaps.mean()) / gaps.std() * math.sqrt(len(rows))))
        return {"concept_drift": p <= self.alpha, "p_value": p}

    def save(self, path: str) -> None:
        Path(path).write_bytes(pickle.dumps(self.__dict__))

    def load(self, path: str) -> None:
        self.__dict__.update(pickle.loads(Path(path).read_bytes()))


class _Spoiled(Simple):
    def _changed(self, answer: dict[str, object]) -> object:
        raise NotImplementedError

    def check(self, window: pd.DataFrame) -> object:
        return self._changed(super().check(window))


class NanP(_Spoiled):
    def _changed(self, answer):
        return answer | {"p_value": math.nan}


class NoDrift(_Spoiled):
    def _changed(self, answer):
        return {name: value for name, value in answer.items() if name != "drift"}


class Contradicts(_Spoiled):
    def _changed(self, answer):
        return answer | {"drift": not answer["drift"]}


class UnknownScores(_Spoiled):
    def _changed(self, answer):
        return answer | {"scores": answer["scores"] | {"hour": 1.0}}


class InfiniteScores(_Spoiled):
    def _changed(self, answer):
        return answer | {"scores": answer["scores"] | {"amount": math.inf}}


class WrongCount(_Spoiled):
    def _changed(self, answer):
        return answer | {"n": float(answer["n"]) + 0.5}


class AnswersFrame(_Spoiled):
    def _changed(self, answer):
        return pd.DataFrame([answer["scores"]])


class Raises(Simple):
    def check(self, window):
        raise KeyError("an exception where none is allowed")


class OddAlarms(Simple):
    def update(self, window):
        return {"alarm": "no"}


class OddFeedback(Simple):
    def feedback(self, rows):
        return None


class Never(Simple):
    def check(self, window):
        return {"drift": False, "p_value": 1.0, "scores": dict.fromkeys((*NUMBERS, *TEXTS), 0.0), "n": len(window)}

    def update(self, window):
        return {"alarm": False}

    def feedback(self, rows):
        return {"concept_drift": False, "p_value": 1.0}


class QuietWhenSmall(_Spoiled):
    def _changed(self, answer):
        return answer | {"drift": False, "p_value": 1.0} if answer["n"] < 100 else answer


class NumbersOnly(Simple):
    def _strengths(self, window):
        return super()._strengths(window) | dict.fromkeys(TEXTS, 0.0)


class Always(Simple):
    def check(self, window):
        return {"drift": True, "p_value": 0.0, "scores": dict.fromkeys((*NUMBERS, *TEXTS), 1.0), "n": len(window)}

    def update(self, window):
        return {"alarm": True}

    def feedback(self, rows):
        return {"concept_drift": True, "p_value": 0.0}


class CannotFit(Simple):
    def fit(self, reference, labels):
        raise RuntimeError("not today")


class Forgetful(Simple):
    def save(self, path):
        Path(path).write_bytes(pickle.dumps(self.__dict__ | {"total": 0.0}))


class Remembers(Simple):
    def check(self, window):
        answer = super().check(window)
        self.total += max(answer["scores"].values())
        return answer


class Absorbs(Simple):
    seen = 0

    def check(self, window):
        answer = super().check(window)
        self.seen += 1
        p_value = answer["p_value"] / (1 + 1e-6 * self.seen)
        return answer | {"p_value": p_value, "drift": p_value <= self.alpha}


class FixedAlpha(Simple):
    def __init__(self, alpha: float = 0.05, seed: int = 0) -> None:
        super().__init__(0.05, seed)


class InOrder(Simple):
    def check(self, window):
        answer = super().check(window)
        p = answer["p_value"] * (0.9 if window["amount"].iloc[0] < window["amount"].iloc[-1] else 1.0)
        return answer | {"p_value": p, "drift": p <= self.alpha}


def _own(found: dict[str, object]) -> list[tuple[str, type]]:
    return [(name, each) for name, each in found.items() if isinstance(each, type) and not name.startswith("_")]


DETECTORS = [(name, each) for name, each in _own(globals()) if each.__module__ == __name__]

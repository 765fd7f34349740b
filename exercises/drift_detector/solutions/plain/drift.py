"""Matched tests: each window is compared with reference rows of the same hours of the week.

Kolmogorov-Smirnov for numbers, chi-square for categories, Bonferroni over the ten features.
"""

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

NUMERIC = ["amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items"]
CATEGORICAL = ["device", "country", "payment", "segment"]
FEATURES = NUMERIC + CATEGORICAL
MOST = 2500  # reference rows in one comparison


def clean(window):
    missing = [name for name in ["event_ts", *FEATURES] if name not in window.columns]
    if missing:
        raise ValueError(f"missing columns: {missing}")
    if len(window) == 0:
        raise ValueError("empty window")
    frame = pd.DataFrame({name: pd.to_numeric(window[name]).astype(float).to_numpy() for name in NUMERIC})
    for name in CATEGORICAL:
        frame[name] = window[name].astype(object).fillna("(null)").astype(str).to_numpy()
    stamps = pd.to_datetime(window["event_ts"], utc=True)
    frame["slot"] = stamps.dt.hour.to_numpy() + 24 * (stamps.dt.day_of_week.to_numpy() >= 5)
    return frame


class DriftDetector:
    def __init__(self, alpha=0.05, seed=0):
        self.alpha = alpha
        self.seed = seed

    def fit(self, reference, labels):
        frame = clean(reference)
        order = np.random.default_rng(self.seed).permutation(len(frame))
        self.reference = frame.iloc[order].reset_index(drop=True)
        self.slots = self.reference["slot"].to_numpy()
        self.edges = np.quantile(labels["score"], [0.2, 0.4, 0.6, 0.8])
        bins = np.searchsorted(self.edges, labels["score"])
        self.rates = labels["y"].groupby(bins).mean().to_numpy()
        self.counts = labels["y"].groupby(bins).size().to_numpy()

    def matched(self, frame):
        return self.reference[np.isin(self.slots, frame["slot"].unique())].iloc[:MOST]

    def p_values(self, frame):
        beside = self.matched(frame)
        p = {}
        for name in NUMERIC:
            here = frame[name].dropna()
            p[name] = stats.ks_2samp(here, beside[name].dropna(), method="asymp").pvalue if len(here) else 1.0
        for name in CATEGORICAL:
            table = pd.concat([frame[name].value_counts(), beside[name].value_counts()], axis=1).fillna(0)
            p[name] = stats.chi2_contingency(table.to_numpy()).pvalue if len(table) > 1 else 1.0
        return p

    def check(self, window):
        frame = clean(window)
        p = self.p_values(frame)
        p_value = float(min(1.0, min(p.values()) * len(p)))
        scores = {name: float(-np.log10(max(each, 1e-300))) for name, each in p.items()}
        return {"drift": p_value <= self.alpha, "p_value": p_value, "scores": scores, "n": len(frame)}

    def update(self, window):
        return {"alarm": self.check(window)["p_value"] <= 0.1 / 40}

    def feedback(self, rows):
        clean(rows)
        bins = np.searchsorted(self.edges, pd.to_numeric(rows["score"]))
        late = pd.to_numeric(rows["y"]).to_numpy()
        square, used = 0.0, 0
        for bin_, (rate, count) in enumerate(zip(self.rates, self.counts)):
            here = late[bins == bin_]
            if len(here):
                square += (here.mean() - rate) ** 2 / (rate * (1 - rate) * (1 / len(here) + 1 / count))
                used += 1
        p_value = float(stats.chi2.sf(square, used)) if used else 1.0
        return {"concept_drift": p_value <= self.alpha, "p_value": p_value}

    def save(self, path):
        Path(path).write_bytes(pickle.dumps(self.__dict__))

    def load(self, path):
        self.__dict__.update(pickle.loads(Path(path).read_bytes()))

"""One world: the process that checkouts come from, drawn from a seed, and every way in which it can drift.

A draw takes the same random numbers whatever the drift, so that two windows of equal generators differ in nothing but
the drift itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any

import numpy as np
import pandas as pd
from world_margins import CONTINUOUS, NULLABLE, NUMERIC, Bimodal, draw_margins
from world_outcome import CONCEPTS, balanced, draw_outcome
from world_tables import CATEGORICAL, ArrowTables, Category, Rows, draw_ids, frame, id_texts

__all__ = ["CATEGORICAL", "CONCEPTS", "FEATURES", "KINDS", "NUMERIC", "SIZES", "World"]

FEATURES = (*NUMERIC, *CATEGORICAL)

KINDS = ("mean", "scale", "shape", "category", "level", "missing", "pair", "diffuse", "segment", "unit")
SIZES: dict[str, tuple[float, float, float]] = {
    "mean": (0.1, 0.2, 0.4),  # latent standard deviations
    "scale": (1.1, 1.2, 1.4),  # factor on the latent
    "shape": (0.6, 0.75, 0.9),  # distance of two humps; mean and variance stay
    "category": (0.3, 0.6, 1.0),  # log odds of one level
    "level": (0.004, 0.01, 0.03),  # share of rows with a level that the reference never had
    "missing": (0.03, 0.06, 0.12),  # added to the share of nulls
    "pair": (0.15, 0.30, 0.50),  # taken from the strong correlation; margins stay
    "diffuse": (0.06, 0.12, 0.20),  # latent standard deviations, all six numeric features
    "segment": (0.5, 1.0, 2.0),  # latent standard deviations, in one country of about 8 %
    "unit": (0.01, 0.02, 0.05),  # share of rows in another unit
}
GROSS = {"mean": 1.0, "category": 2.0}

REFERENCE_ROWS = 40_000
WEEKS = 8
WEEKS_AFTER = 12  # windows come from the twelve weeks after the reference
SLICE_HOURS = 4.0
STREAM_ROWS = 200
_HOUR = 3_600_000_000
_WEEK = 168 * _HOUR

_POOLS = {
    "device": ("android", "ios", "desktop", "tablet", "smart_tv", "kiosk", "partner_api"),
    "country": ("AT", "BE", "CZ", "DE", "DK", "ES", "FI", "FR", "IE", "IT", "NL", "NO", "PL", "PT", "SE", "SK"),
    "payment": ("invoice", "card", "debit", "instalments", "wallet", "gift_card", "bank_transfer", "cash_on_delivery"),
    "segment": tuple(f"{letter}{number}" for letter in "KLMNPQRS" for number in range(1, 6)),
}
_SHARES = {
    "device": np.array([0.38, 0.30, 0.20, 0.12]),
    "country": np.array([0.26, 0.20, 0.15, 0.11, 0.08, 0.075, 0.065, 0.06]),
    "payment": np.array([0.33, 0.26, 0.20, 0.13, 0.08]),
    "segment": 1.0 / np.arange(5.0, 25.0),
}
_UNITS = {"amount": 100.0, "distance_km": 1000.0, "session_min": 60.0}
_SEGMENT_SHARE = 0.08


class World:
    """Everything that a seed decides, and draws from it.

    Args:
        seed: Any non-negative integer.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        rng = np.random.default_rng([seed, 1])
        self._start = _draw_start(rng)
        self._margins = draw_margins(rng)
        self._draw_rhythm(rng)
        self._draw_copula(rng)
        self._categories = {name: _draw_category(rng, name, name in self._rhythmic) for name in CATEGORICAL}
        self._null_rates = {"account_age_d": rng.uniform(0.03, 0.11, 4), "discount": rng.uniform(0.02, 0.09, 4)}
        self._draw_targets(rng)
        self._tables: Callable[..., Any] = partial(frame, self._categories)
        self._outcome = draw_outcome(rng)
        rows = self._rows(self._reference_stamps(rng, 20_000), rng)
        rate = rng.uniform(0.16, 0.22)
        self._outcome = balanced(self._outcome, rate, rows.seen, rows.codes["device"], rows.codes["country"])

    def _draw_rhythm(self, rng: np.random.Generator) -> None:
        self._daily, self._phase, self._weekend = np.zeros(6), rng.uniform(0, 24, 6), np.zeros(6)
        self._daily[rng.choice(6, 3, replace=False)] = rng.uniform(0.25, 0.40, 3)
        self._weekend[rng.choice(6, 2, replace=False)] = rng.uniform(0.15, 0.30, 2) * rng.choice([-1.0, 1.0], 2)
        self._rhythmic = set(rng.choice(CATEGORICAL, 2, replace=False))

    def _draw_copula(self, rng: np.random.Generator) -> None:
        matrix = rng.uniform(0.05, 0.12, (6, 6)) * rng.choice([-1.0, 1.0], (6, 6))
        order = [NUMERIC.index(name) for name in rng.permutation([*CONTINUOUS, "basket_items"])]
        strong = tuple(sorted(order[:2]))
        moderate = order[2], int(rng.choice([*order[3:], NUMERIC.index("discount")]))
        matrix[strong] = rng.uniform(0.55, 0.65)
        matrix[min(moderate), max(moderate)] = rng.uniform(0.30, 0.40)
        upper = np.triu(matrix, 1)
        self._strong, self._copula = strong, upper + upper.T + np.eye(6)
        self._factors = {loss: self._factor(loss) for loss in (0.0, *SIZES["pair"])}

    def _factor(self, loss: float) -> np.ndarray:
        copula = self._copula.copy()
        copula[self._strong] -= loss
        copula[self._strong[::-1]] -= loss
        return np.linalg.cholesky(copula)

    def _draw_targets(self, rng: np.random.Generator) -> None:
        self._category_column = str(rng.choice(["device", "country", "payment"]))
        self._category_level = int(np.argmin(np.abs(self._categories[self._category_column].shares - 0.2)))
        self._segment_level = int(np.argmin(np.abs(self._categories["country"].shares - _SEGMENT_SHARE)))
        self._targets: dict[str, tuple[str, ...]] = {
            "mean": (str(rng.choice([*CONTINUOUS, "basket_items"])),),
            "scale": (str(rng.choice(CONTINUOUS)),),
            "shape": (str(rng.choice(CONTINUOUS)),),
            "category": (self._category_column,),
            "level": (str(rng.choice(CATEGORICAL)),),
            "missing": (str(rng.choice(NULLABLE)),),
            "pair": tuple(NUMERIC[place] for place in self._strong),
            "diffuse": NUMERIC,
            "segment": (str(rng.choice([*CONTINUOUS, "basket_items"])),),
            "unit": (str(rng.choice(sorted(_UNITS))),),
        }
        self._signs = rng.choice([-1.0, 1.0], 6)
        self._bimodal = {distance: Bimodal.at(distance) for distance in SIZES["shape"]}
        # The feedback's covariate shift moves a feature that matters for the label.
        self._covariate_sign = float(rng.choice([-1.0, 1.0]))

    def target(self, kind: str) -> tuple[str, ...]:
        """Return the feature or features that drift in this kind, in the order of the data dictionary."""
        return self._targets[kind]

    def country_of_segment(self) -> str:
        """Return the country that the kind "segment" is about."""
        return str(self._categories["country"].levels[self._segment_level])

    @cached_property
    def in_arrow(self) -> World:
        """The same world, whose windows, streams and labelled rows are Arrow tables: for many of them."""
        world = copy.copy(self)
        world._tables = ArrowTables(self._categories)
        return world

    # Tables

    def reference(self, draw: int = 0) -> pd.DataFrame:
        """Return the reference: 40 000 rows over 8 whole weeks, sorted by time; `draw` tells one draw from another."""
        rng = np.random.default_rng([self.seed, 2, draw])
        rows = self._rows(self._reference_stamps(rng, REFERENCE_ROWS), rng)
        return frame(self._categories, rows, draw_ids(np.random.default_rng([self.seed, 3, draw]), REFERENCE_ROWS))

    def reference_labels(self, draw: int = 0) -> pd.DataFrame:
        """Return row_id, score and y of every reference row."""
        rng = np.random.default_rng([self.seed, 2, draw])
        rows = self._rows(self._reference_stamps(rng, REFERENCE_ROWS), rng)
        ids = draw_ids(np.random.default_rng([self.seed, 3, draw]), REFERENCE_ROWS)
        return pd.DataFrame({"row_id": id_texts(ids), "score": rows.score, "y": self._labels(rows, None)})

    def labelled(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """Return score and y of future rows without drift; the truth of the decision notebook comes from many."""
        stamps = _stamps(rng, self._start + WEEKS * _WEEK, WEEKS_AFTER * 168.0, n)
        rows = self._rows(stamps, rng)
        return pd.DataFrame({"score": rows.score, "y": self._labels(rows, None)})

    def pooled(
        self, n: int, rng: np.random.Generator, kind: str | None = None, size: float | None = None
    ) -> pd.DataFrame:
        """Return a window whose rows are spread over one week."""
        return self._window(self._rows(self._week_stamps(rng, n), rng, kind, size), rng)

    def slice(
        self, n: int, rng: np.random.Generator, kind: str | None = None, size: float | None = None
    ) -> pd.DataFrame:
        """Return a window of four contiguous hours of a random day."""
        day = self._start + (WEEKS * 7 + int(rng.integers(WEEKS_AFTER * 7))) * 24 * _HOUR
        begin = day + int(rng.uniform(0.0, 24.0 - SLICE_HOURS) * _HOUR)
        stamps = _stamps(rng, begin, SLICE_HOURS, n)
        return self._window(self._rows(stamps, rng, kind, size), rng)

    def gross(self, n: int, rng: np.random.Generator, mode: str = "pooled", kind: str | None = None) -> pd.DataFrame:
        """Return a window that nobody may miss: one numeric feature or one level is far off.

        Args:
            n: Rows.
            rng: Random numbers.
            mode: "pooled" or "slice".
            kind: "mean" or "category"; drawn when it is not given.
        """
        drawn = str(rng.choice(sorted(GROSS)))
        chosen = kind or drawn
        make = self.pooled if mode == "pooled" else self.slice
        return make(n, rng, chosen, GROSS[chosen])

    def feedback(self, n: int, rng: np.random.Generator, kind: str | None = None) -> pd.DataFrame:
        """Return labelled rows of one week: a window's columns and y.

        Args:
            n: Rows.
            rng: Random numbers.
            kind: One of CONCEPTS. "covariate" and "country" change the inputs and leave P(y | x) alone.
        """
        if kind not in CONCEPTS:
            raise ValueError(f"there is no concept drift {kind!r}")
        drawn = 4 * n if kind == "label_shift" else n
        rows = self._rows(self._week_stamps(rng, drawn), rng, kind if kind in ("covariate", "country") else None)
        labels = self._labels(rows, kind)
        ids = draw_ids(rng, drawn)
        if kind == "label_shift":  # half of the zeros leave: the odds of y double, and P(x | y) stays
            kept = np.flatnonzero((labels == 1) | (rng.random(drawn) < 0.5))
            places = np.sort(rng.choice(kept, n, replace=False))
            rows, ids, labels = rows.at(places), ids[places], labels[places]
        return self._tables(rows, ids, labels)

    def stream(
        self, n_windows: int, rng: np.random.Generator, shift: float = 0.0, start: int = 0
    ) -> Iterator[pd.DataFrame]:
        """Yield consecutive windows of 200 rows, each about seven hours long.

        Args:
            n_windows: How many.
            rng: Random numbers.
            shift: Shift of the feature of kind "mean", in latent standard deviations.
            start: First window that is shifted; those before are clean.
        """
        hours = STREAM_ROWS * WEEKS * 168 / REFERENCE_ROWS
        begin = self._start + WEEKS * _WEEK + int(rng.uniform(0.0, 168.0) * _HOUR)
        for place in range(n_windows):
            stamps = _stamps(rng, begin + int(place * hours * _HOUR), hours, STREAM_ROWS)
            kind = "mean" if shift and place >= start else None
            yield self._window(self._rows(stamps, rng, kind, shift), rng)

    def _window(self, rows: Rows, rng: np.random.Generator) -> Any:
        return self._tables(rows, draw_ids(rng, rows.stamps.size))

    # Draws

    def _reference_stamps(self, rng: np.random.Generator, n: int) -> np.ndarray:
        return _stamps(rng, self._start, WEEKS * 168.0, n)

    def _week_stamps(self, rng: np.random.Generator, n: int) -> np.ndarray:
        week = WEEKS + int(rng.integers(WEEKS_AFTER))
        return _stamps(rng, self._start + week * _WEEK, 168.0, n)

    def _rows(
        self, stamps: np.ndarray, rng: np.random.Generator, kind: str | None = None, size: float | None = None
    ) -> Rows:
        n = stamps.size
        amount = float(size or 0.0)
        noise = rng.standard_normal((6, n))
        uniform = rng.random((len(CATEGORICAL) + 4, n))
        hours = (stamps - self._start) / _HOUR
        codes = self._codes(hours, uniform[:4], kind, amount)
        latent = self._latent(noise, codes["country"], kind, amount) + self._rhythm(hours)
        values = self._margins.of(latent)
        seen = self._margins.seen(latent, values)
        if kind == "unit":
            name = self._targets["unit"][0]
            values[NUMERIC.index(name)][uniform[4] < amount] *= _UNITS[name]
        for row, name in zip(uniform[5:7], NULLABLE, strict=True):
            rate = self._null_rates[name][np.minimum(codes["device"], 3)]
            added = amount if kind == "missing" and name == self._targets["missing"][0] else 0.0
            null = row < rate + added
            values[NUMERIC.index(name)][null] = np.nan
            seen[NUMERIC.index(name)][null] = 0.0
        if kind == "level":
            name = self._targets["level"][0]
            codes[name][uniform[4] < amount] = self._categories[name].levels.size - 1
        device, country = np.minimum(codes["device"], 3), np.minimum(codes["country"], 7)
        score = self._outcome.score(seen, device, country)
        return Rows(stamps=stamps, values=values, seen=seen, codes=codes, score=score, fate=uniform[7])

    def _rhythm(self, hours: np.ndarray) -> np.ndarray:
        turn = np.cos((hours[None, :] - self._phase[:, None]) * (2 * np.pi / 24)) * self._daily[:, None]
        weekend = (hours // 24) % 7 >= 5  # the reference starts on a Monday
        return turn + self._weekend[:, None] * weekend

    def _latent(self, noise: np.ndarray, country: np.ndarray, kind: str | None, size: float) -> np.ndarray:
        latent = self._factors[size if kind == "pair" else 0.0] @ noise
        if kind == "diffuse":
            return latent + size * self._signs[:, None]
        if kind == "covariate":
            latent[self._outcome.strongest] += 0.4 * self._covariate_sign
        if kind not in ("mean", "scale", "shape", "segment"):
            return latent
        row = NUMERIC.index(self._targets[kind][0])
        if kind == "mean":
            latent[row] += size * self._signs[row]
        elif kind == "scale":
            latent[row] *= size
        elif kind == "shape":
            latent[row] = self._bimodal[size](latent[row])
        else:
            latent[row] += size * self._signs[row] * (country == self._segment_level)
        return latent

    def _codes(self, hours: np.ndarray, uniform: np.ndarray, kind: str | None, size: float) -> dict[str, np.ndarray]:
        codes = {}
        for row, name in zip(uniform, CATEGORICAL, strict=True):
            category = self._categories[name]
            logits = category.logits
            if kind == "category" and name == self._category_column:
                logits = logits + size * (np.arange(logits.size) == self._category_level)
            if kind == "country" and name == "country":
                largest = np.argmax(np.abs(self._outcome.country) * (category.shares > 0.1))
                logits = logits + 1.2 * (np.arange(logits.size) == largest)
            codes[name] = _choose(logits, category, hours, row)
        return codes

    def _labels(self, rows: Rows, concept: str | None) -> np.ndarray:
        chance = self._outcome.probability(rows.seen, rows.codes["device"], rows.codes["country"], concept)
        return (rows.fate < chance).astype(np.int64)


def _draw_start(rng: np.random.Generator) -> int:
    """Draw the Monday that the reference starts on, in microseconds since 1970."""
    first = datetime(2025, 1, 6, tzinfo=UTC).timestamp()
    return int(first * 1_000_000) + int(rng.integers(40)) * _WEEK


def _draw_category(rng: np.random.Generator, name: str, rhythmic: bool) -> Category:
    pool = rng.permutation(np.array(_POOLS[name], dtype=object))
    shares = _SHARES[name] * np.exp(rng.uniform(-0.04, 0.04, _SHARES[name].size))
    loads = rng.permutation(np.linspace(-1.0, 1.0, shares.size))
    amplitude = rng.uniform(0.25, 0.40) if rhythmic else 0.0
    return Category(
        levels=pool[: shares.size + 1],
        logits=np.log(shares / shares.sum()),
        daily=loads / np.sqrt(np.mean(loads**2)) * amplitude,
        phase=float(rng.uniform(0, 24)),
    )


def _choose(logits: np.ndarray, category: Category, hours: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    if not category.daily.any():
        shares = np.cumsum(np.exp(logits))
        return np.searchsorted(shares[:-1], uniform * shares[-1], side="right")
    turn = np.cos((hours - category.phase) * (2 * np.pi / 24))
    odds = np.cumsum(np.exp(logits[:, None] + category.daily[:, None] * turn), axis=0)
    return (odds[:-1] <= uniform * odds[-1]).sum(axis=0)


def _stamps(rng: np.random.Generator, begin: int, hours: float, n: int) -> np.ndarray:
    return begin + np.sort((rng.random(n) * hours * _HOUR).astype(np.int64))

"""Numeric features: how a standard normal latent becomes a value, and what of it can be seen again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

NUMERIC = ("amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items")
CONTINUOUS = ("amount", "distance_km", "session_min", "account_age_d")
NULLABLE = ("account_age_d", "discount")

# Values are read from tables over this grid: an exact quantile function costs a thousand times more.
_GRID = np.linspace(-8.0, 8.0, 6401)
_STEP = 400.0


@dataclass(frozen=True, slots=True)
class Margins:
    """Tables of the six quantile functions over the latent grid.

    Attributes:
        values: 6 x grid; the value of each feature at each latent.
        zero_below: The latent under which `discount` is exactly 0.
        typical: For each number of items, the mean latent of rows that have it; what a count tells.
    """

    values: np.ndarray
    zero_below: float
    typical: np.ndarray

    def of(self, latent: np.ndarray) -> np.ndarray:
        """Turn latents (6 x rows) into values (6 x rows)."""
        place = np.clip((latent + 8.0) * _STEP, 0.0, _GRID.size - 1.001)
        left = place.astype(np.int64)
        rest = place - left
        rows = np.arange(len(NUMERIC))[:, None]
        values = self.values[rows, left] * (1.0 - rest) + self.values[rows, left + 1] * rest
        values[4][latent[4] < self.zero_below] = 0.0
        values[5] = np.floor(values[5])
        return values

    def seen(self, latent: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Return what the values tell of the latents, so that labels depend on nothing unseen."""
        seen = latent.copy()
        np.maximum(seen[4], self.zero_below, out=seen[4])
        seen[5] = self.typical[np.minimum(values[5].astype(np.int64), self.typical.size - 1)]
        return seen


def draw_margins(rng: np.random.Generator) -> Margins:
    """Draw the parameters of one world's margins."""
    low, high = special.ndtr(_GRID), special.ndtr(-_GRID)  # both tails exact
    zero_share = rng.uniform(0.27, 0.33)
    amount = np.exp(rng.uniform(3.4, 4.4) + rng.uniform(0.75, 1.0) * _GRID)
    distance = _both_tails(stats.gamma(rng.uniform(1.2, 2.5), scale=rng.uniform(3.0, 9.0)), low, high)
    session = _both_tails(stats.weibull_min(rng.uniform(1.1, 1.7), scale=rng.uniform(4.0, 12.0)), low, high)
    age = _both_tails(stats.gamma(rng.uniform(1.1, 1.8), scale=rng.uniform(200.0, 450.0)), low, high)
    beta = stats.beta(rng.uniform(1.5, 3.0), rng.uniform(5.0, 9.0))
    discount = beta.isf(np.clip(high / (1.0 - zero_share), 0.0, 1.0))
    shape, mean = rng.uniform(1.5, 3.5), rng.uniform(1.5, 3.0)
    items = stats.nbinom(shape, shape / (shape + mean))
    basket = 1.0 + _both_tails(items, low, high)
    typical = _typical_latent(items)
    return Margins(
        values=np.vstack([amount, distance, session, age, discount, basket]),
        zero_below=float(special.ndtri(zero_share)),
        typical=typical,
    )


def _both_tails(law: object, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    return np.where(_GRID < 0, law.ppf(low), law.isf(high))  # type: ignore[attr-defined]


def _typical_latent(items: object) -> np.ndarray:
    """Mean of a standard normal between the cuts of each count; counts start at 1."""
    counts = np.arange(0, 200)
    cuts = special.ndtri(np.clip(items.cdf(counts), 1e-300, 1.0 - 1e-12))  # type: ignore[attr-defined]
    below = np.concatenate([[-np.inf], cuts[:-1]])
    mass = np.maximum(special.ndtr(cuts) - special.ndtr(below), 1e-12)
    density = (np.exp(-(below**2) / 2) - np.exp(-(cuts**2) / 2)) / np.sqrt(2 * np.pi)
    return np.concatenate([[0.0], np.clip(density / mass, -4.0, 4.0)])


@dataclass(frozen=True, slots=True)
class Bimodal:
    """The shape drift: two humps at `+-distance`, with the mean and variance of a standard normal.

    It is a monotone map of the latent, so ranks, and with them the copula, stay what they were.
    """

    latent: np.ndarray
    mapped: np.ndarray

    @classmethod
    def at(cls, distance: float) -> Bimodal:
        """Tabulate the map for humps at this distance."""
        spread = np.sqrt(1.0 - distance**2)
        grid = np.linspace(-7.0, 7.0, 4001)
        left, right = (grid + distance) / spread, (grid - distance) / spread
        below = special.log_ndtr(left), special.log_ndtr(right)
        above = special.log_ndtr(-left), special.log_ndtr(-right)
        mass = np.where(grid < 0, np.logaddexp(*below), np.logaddexp(*above)) - np.log(2.0)
        normal = np.where(grid < 0, special.ndtri_exp(mass), -special.ndtri_exp(mass))
        return cls(latent=normal, mapped=grid)

    def __call__(self, latent: np.ndarray) -> np.ndarray:
        """Map standard normal latents."""
        return np.interp(latent, self.latent, self.mapped)

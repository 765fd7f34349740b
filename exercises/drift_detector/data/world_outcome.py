"""Labels and the model's score: a logistic law of what can be seen, and a model that is a little wrong about it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

CONCEPTS = (None, "covariate", "country", "intercept_s", "intercept_l", "slope_half", "slope_reversed", "label_shift")

_INTERCEPTS = {"intercept_s": 0.3, "intercept_l": 0.6}
_SLOPES = {"slope_half": 0.5, "slope_reversed": -1.0}


@dataclass(frozen=True, slots=True)
class Outcome:
    """P(y = 1 | x) = logistic(base + slopes . seen + device + country), and the score that imitates it.

    Attributes:
        score_gap: By how much the score's mean is off the base rate. Seen in 1000 labels at once, in every world:
            whoever compares labels with the score, and not with what the reference shows about it, is wrong always.
        strongest: Index of the numeric feature with the strongest slope.
        balance: For each slope drift, what keeps the base rate where it was.
    """

    base: float
    slopes: np.ndarray
    device: np.ndarray
    country: np.ndarray
    score_base: float
    score_gap: float
    score_shrink: float
    score_slopes: np.ndarray
    strongest: int
    balance: dict[str, float]

    def _signal(self, seen: np.ndarray, device: np.ndarray, country: np.ndarray) -> np.ndarray:
        return self.slopes @ seen + self.device[device] + self.country[country]

    def score(self, seen: np.ndarray, device: np.ndarray, country: np.ndarray) -> np.ndarray:
        """Return the model's score of each row."""
        logit = self.score_base + self._score_signal(seen, device, country)
        return special.expit(np.clip(logit, -12.0, 12.0))

    def _score_signal(self, seen: np.ndarray, device: np.ndarray, country: np.ndarray) -> np.ndarray:
        return self.score_shrink * self._signal(seen, device, country) + self.score_slopes @ seen

    def probability(
        self, seen: np.ndarray, device: np.ndarray, country: np.ndarray, concept: str | None = None
    ) -> np.ndarray:
        """Return P(y = 1 | x), changed as the concept drift says."""
        logit = self.base + self._signal(seen, device, country) + _INTERCEPTS.get(concept or "", 0.0)
        if concept in _SLOPES:
            lost = (1.0 - _SLOPES[concept]) * self.slopes[self.strongest]
            logit = logit - lost * seen[self.strongest] + self.balance[concept]
        return special.expit(logit)


def draw_outcome(rng: np.random.Generator) -> Outcome:
    """Draw one world's label law and score model; the base rate is set later, see `balanced`."""
    slopes = rng.uniform(0.10, 0.35, 6) * rng.choice([-1.0, 1.0], 6)
    strongest = int(rng.integers(3))  # a feature that is never null and never tied
    slopes[strongest] = rng.uniform(0.9, 1.05) * rng.choice([-1.0, 1.0])
    wrong = np.zeros(6)
    wrong[rng.choice(6, 2, replace=False)] = rng.choice([-1.0, 1.0], 2) * rng.uniform(0.10, 0.18, 2)
    return Outcome(
        base=0.0,
        slopes=slopes,
        device=_centred(rng.uniform(-0.4, 0.4, 4)),
        country=_centred(rng.uniform(-0.6, 0.6, 8)),
        score_base=0.0,
        score_gap=float(rng.uniform(0.030, 0.045) * rng.choice([-1.0, 1.0])),
        score_shrink=float(rng.choice([rng.uniform(0.8, 0.9), rng.uniform(1.1, 1.2)])),
        score_slopes=wrong,
        strongest=strongest,
        balance=dict.fromkeys(_SLOPES, 0.0),
    )


def balanced(outcome: Outcome, rate: float, seen: np.ndarray, device: np.ndarray, country: np.ndarray) -> Outcome:
    """Set the base so that these rows have the wanted rate, the score's so that its mean is off as it shall be.

    The balances are set so that slope drifts keep the rate.
    """
    signal = outcome._signal(seen, device, country)
    base = _intercept(signal, rate)
    balance = {}
    for name, factor in _SLOPES.items():
        changed = signal - (1.0 - factor) * outcome.slopes[outcome.strongest] * seen[outcome.strongest]
        balance[name] = _intercept(changed, rate) - base
    score_base = _intercept(outcome._score_signal(seen, device, country), rate + outcome.score_gap)
    return replace(outcome, base=base, score_base=score_base, balance=balance)


def _centred(values: np.ndarray) -> np.ndarray:
    return values - values.mean()


def _intercept(signal: np.ndarray, rate: float) -> float:
    low, high = -10.0, 10.0
    for _ in range(50):
        middle = (low + high) / 2
        if special.expit(middle + signal).mean() < rate:
            low = middle
        else:
            high = middle
    return (low + high) / 2

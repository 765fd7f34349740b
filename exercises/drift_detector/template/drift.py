"""A start: it keeps the form of the contract and detects nothing. brief.md has the rules."""

import pickle
from pathlib import Path

FEATURES = (
    "amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items",
    "device", "country", "payment", "segment",
)  # fmt: skip


class DriftDetector:
    """Decides whether windows differ from the reference.

    Args:
        alpha: Rate of false alarms per window.
        seed: For whatever is random.
    """

    def __init__(self, alpha: float = 0.05, seed: int = 0) -> None:
        self.alpha = alpha
        self.seed = seed

    def fit(self, reference, labels) -> None:
        """Learn what is normal."""

    def check(self, window) -> dict:
        """Decide about one window."""
        p_value = 1.0
        scores = dict.fromkeys(FEATURES, 0.0)
        return {"drift": p_value <= self.alpha, "p_value": p_value, "scores": scores, "n": len(window)}

    def update(self, window) -> dict:
        """Take the next window of a stream."""
        return {"alarm": False}

    def feedback(self, rows) -> dict:
        """Decide from labelled rows whether P(y | x) has changed."""
        p_value = 1.0
        return {"concept_drift": p_value <= self.alpha, "p_value": p_value}

    def save(self, path: str) -> None:
        """Write everything that `load` needs."""
        Path(path).write_bytes(pickle.dumps(self.__dict__))

    @classmethod
    def load(cls, path: str) -> "DriftDetector":
        """Return the detector that was saved."""
        detector = cls()
        detector.__dict__.update(pickle.loads(Path(path).read_bytes()))  # noqa: S301 - your own file
        return detector

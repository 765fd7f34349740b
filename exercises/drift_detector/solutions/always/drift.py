"""Says drift to everything."""

import json
from pathlib import Path

FEATURES = ["amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items",
            "device", "country", "payment", "segment"]


class DriftDetector:
    def __init__(self, alpha=0.05, seed=0):
        self.alpha = alpha

    def fit(self, reference, labels):
        pass

    def check(self, window):
        scores = {name: float(len(FEATURES) - place) for place, name in enumerate(FEATURES)}
        return {"drift": True, "p_value": 0.0, "scores": scores, "n": len(window)}

    def update(self, window):
        return {"alarm": True}

    def feedback(self, rows):
        return {"concept_drift": True, "p_value": 0.0}

    def save(self, path):
        Path(path).write_text(json.dumps(self.alpha))

    @classmethod
    def load(cls, path):
        return cls(alpha=json.loads(Path(path).read_text()))

"""Keeps a name of its own for the column of labels; fitting ends in a KeyError."""


class DriftDetector:
    def __init__(self, alpha=0.05, seed=0):
        self.alpha = alpha

    def fit(self, reference, labels):
        self.rate = labels["label"].mean()

    def check(self, window):
        return {"drift": False, "p_value": 1.0, "scores": {}, "n": len(window)}

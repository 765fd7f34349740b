"""A detector on top of a package that is not there."""

import alibi_detect
from alibi_detect.cd import TabularDrift


class DriftDetector:
    def __init__(self, alpha=0.05, seed=0):
        self.alpha = alpha

    def fit(self, reference, labels):
        self.inner = TabularDrift(reference.drop(columns=["row_id", "event_ts"]).to_numpy(), p_val=self.alpha)
        self.version = alibi_detect.__version__

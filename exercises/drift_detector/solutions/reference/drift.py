"""The detector: the contract of the brief, on top of evidence, its null distribution, labels and a stream."""

import pickle
from pathlib import Path

import numpy as np
from concept import Concept, read_labelled
from evidence import Evidence
from nulls import Nulls
from stream import Stream
from tables import FEATURES, number, read


class DriftDetector:
    def __init__(self, alpha=0.05, seed=0):
        self.alpha = float(alpha)
        self.seed = int(seed)

    def fit(self, reference, labels):
        columns = read(reference, also=("row_id",))
        rng = np.random.default_rng(self.seed)
        self.evidence = Evidence(columns)
        self.nulls = Nulls(self.evidence, columns, rng)
        self.stream = Stream(self.evidence, self.nulls, rng)
        self.concept = self._fit_concept(reference, labels, rng)
        del self.evidence.reference_rows, self.nulls.segments, self.nulls.segment_places

    def _fit_concept(self, reference, labels, rng):
        labels = labels[["row_id", "score", "y"]]
        joined = reference.drop(columns=["score", "y"], errors="ignore").merge(labels, on="row_id")
        columns = read(joined)
        return Concept(self.evidence.measures, columns, number(joined, "score"), number(joined, "y"), rng)

    def _measure(self, window):
        columns = read(window)
        rows = self.evidence.measures.rows(columns)
        return rows.mean(axis=0), self.evidence.rhythm.window(columns.hours), columns.n

    def check(self, window):
        means, place, n = self._measure(window)
        error = self.evidence.rhythm.error(place[None])
        evidence = self.evidence.of(means[None], place[None], np.array([float(n)]), error)
        strongest = self.evidence.strongest(evidence)
        p = float(min(1.0, np.exp(self.nulls.log_p(strongest, n)[0])))
        return {"drift": p <= self.alpha, "p_value": p, "scores": self._scores(evidence[0], n), "n": n}

    def _scores(self, evidence, n):
        """Score a feature by its strongest evidence, each kind of evidence relative to what it is without drift."""
        scores = dict.fromkeys(FEATURES, 0.0)
        ordinary = self.nulls.relative(np.zeros(len(self.evidence.families)), n)
        for below, members in zip(ordinary, self.evidence.members):
            for place in members:
                for name in self.evidence.owners[place]:
                    scores[name] = max(scores[name], float(evidence[place] + below) + 10.0)
        return scores

    def update(self, window):
        means, place, n = self._measure(window)
        return {"alarm": bool(self.stream.update(self.evidence, self.nulls, means, place, n))}

    def feedback(self, rows):
        columns, score, y = read_labelled(rows)
        p = self.concept.p_value(columns, score, y)
        return {"concept_drift": p <= self.alpha, "p_value": p}

    def save(self, path):
        Path(path).write_bytes(pickle.dumps(self.__dict__))

    @classmethod
    def load(cls, path):
        detector = cls()
        detector.__dict__.update(pickle.loads(Path(path).read_bytes()))
        return detector

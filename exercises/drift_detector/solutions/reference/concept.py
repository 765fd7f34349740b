"""Is P(y | x) what it was? A score test of calibration, corrected for what the model always got wrong.

The reference's labels give a recalibrated probability: logistic in the score's logit and in all features. New labels are
tested for what is left over: its sum, and its slopes on the score and on the six numbers. A changed mix of inputs moves
none of these. The error of the recalibration is part of the variance.
"""

import numpy as np
from nulls import Table
from scipy import special
from tables import number, read

SIMULATED = 20_000


class Concept:
    def __init__(self, measures, columns, score, y, rng):
        self.measures = measures
        design = self._design(columns, score)
        self.weights, information = fit_logistic(design, y)
        self.inverse = np.linalg.pinv(information)
        fitted = special.expit(design @ self.weights)
        tested = design[:, : self.tested]
        spread = (tested.T * (fitted * (1 - fitted))) @ tested / len(y)
        scale = np.sqrt(np.diag(spread))
        correlation = spread / np.outer(scale, scale)
        draws = rng.multivariate_normal(np.zeros(self.tested), correlation, SIMULATED)
        square = np.einsum("ij,jk,ik->i", draws, np.linalg.inv(correlation), draws)
        self.table = Table(self._strongest(draws[:, 0] ** 2, square))

    tested = 8  # one, the score's logit, six numbers

    def _design(self, columns, score):
        logit = special.logit(np.clip(score, 1e-6, 1 - 1e-6))
        scores = self.measures.normal(columns.numeric)
        null = np.isnan(scores)
        codes = self.measures.coded(columns.words)
        parts = [np.ones(columns.n), logit, *np.where(null, 0.0, scores)]
        parts += [gone.astype(float) for gone, rate in zip(null, self.measures.null_rate) if rate]
        for column, words in list(zip(codes, self.measures.codes))[:3]:
            parts += [(column == code).astype(float) for code in range(1, len(words))]
        return np.vstack(parts).T

    @staticmethod
    def _strongest(first, square):
        """Evidence for a changed level, for a level and slopes together; whichever is stronger."""
        one = -np.log(np.maximum(special.chdtrc(1, first), 1e-300))
        all_of_them = -np.log(np.maximum(special.chdtrc(Concept.tested, square), 1e-300))
        return np.maximum(one, all_of_them)

    def p_value(self, columns, score, y):
        design = self._design(columns, score)
        fitted = special.expit(design @ self.weights)
        weighted = design.T * (fitted * (1 - fitted))
        tested = design[:, : self.tested]
        left = tested.T @ (y - fitted)
        cross = weighted[: self.tested] @ design
        variance = cross[:, : self.tested] + cross @ self.inverse @ cross.T
        variance += np.eye(self.tested) * (1e-9 * np.trace(variance) + 1e-12)
        square = left @ np.linalg.solve(variance, left)
        found = self._strongest(left[0] ** 2 / variance[0, 0], square)
        return float(min(1.0, np.exp(self.table.log_p(found))))


def fit_logistic(design, y, rounds=12):
    """Return weights and information of a logistic regression, with a trace of ridge for columns that say nothing."""
    weights = np.zeros(design.shape[1])
    weights[1] = 1.0
    ridge = np.eye(design.shape[1]) * 1e-3
    information = ridge
    for _ in range(rounds):
        fitted = special.expit(design @ weights)
        information = (design.T * (fitted * (1 - fitted))) @ design + ridge
        step = np.linalg.solve(information, design.T @ (y - fitted))
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights, information


def read_labelled(frame):
    """Read labelled rows: columns, score, y."""
    columns = read(frame, also=("score", "y"))
    score, y = number(frame, "score"), number(frame, "y")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("y holds something other than 0 and 1")
    if np.isnan(score).any():
        raise ValueError("score holds nulls")
    return columns, score, y

"""A classifier two-sample test on rows of the same hours."""

import numpy as np
from scipy import stats
from sklearn.tree import DecisionTreeClassifier
from tables import FEATURES


class Classifier:
    def __init__(self, measures, columns, seed):
        self.measures, self.seed = measures, seed
        order = np.random.default_rng(seed).permutation(columns.n)
        self.rows = self.table(columns)[order]
        self.slots = self.slot(columns)[order]

    def table(self, columns):
        return np.vstack([columns.numeric, self.measures.coded(columns.words)]).T

    @staticmethod
    def slot(columns):
        return np.floor(columns.hours % 24) + 24 * (columns.hours >= 120)

    def compare(self, columns):
        here = self.table(columns)
        slots = self.slot(columns)
        beside = self.rows[np.isin(self.slots, np.unique(slots))][: 2 * len(here)]
        if len(beside) < 2 or len(here) < 4:
            return 1.0, dict.fromkeys(FEATURES, 0.0)
        rows, side = np.vstack([here, beside]), np.repeat([1, 0], [len(here), len(beside)])
        order = np.lexsort(np.nan_to_num(rows, nan=-1.0).T)
        rows, side = rows[order], side[order]
        fold = np.random.default_rng(self.seed).permutation(len(rows)) % 2
        z, weights = 0.0, np.zeros(len(FEATURES))
        for part in (0, 1):
            tree = DecisionTreeClassifier(max_depth=4, min_samples_leaf=10, class_weight="balanced", random_state=0)
            tree.fit(rows[fold == part], side[fold == part])
            weights += tree.feature_importances_
            tested = fold != part
            guess = tree.predict_proba(rows[tested])[:, 1]
            z += zed(guess[side[tested] == 1], guess[side[tested] == 0])
        return float(stats.norm.sf(z / np.sqrt(2))), dict(zip(FEATURES, map(float, weights)))


def zed(one, two):
    ranks = stats.rankdata(np.concatenate([one, two]))
    area = ranks[: len(one)].sum() - len(one) * (len(one) + 1) / 2
    mean, total = len(one) * len(two) / 2, len(one) + len(two)
    _, ties = np.unique(np.concatenate([one, two]), return_counts=True)
    spread = len(one) * len(two) / 12 * (total + 1 - (ties**3 - ties).sum() / (total * (total - 1)))
    return (area - mean) / np.sqrt(max(spread, 1e-9))

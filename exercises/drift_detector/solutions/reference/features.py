"""Measures of a row whose means tell every kind of drift that is looked for.

Families of measures: place and spread of each number, its shape, cuts of its distribution, far tails, nulls, levels of
each category, levels and nulls that the reference never had, correlation of each pair, and numbers within one country.
Numbers are taken as normal scores of the reference, so nothing depends on units or heavy tails.
"""

from itertools import combinations

import numpy as np
from rhythm import exact
from scipy import special
from tables import CATEGORICAL, FEATURES, NUMERIC

CUTS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
TAIL = 0.001
PAIRS = tuple(combinations(range(6), 2))
COUNTRY = CATEGORICAL.index("country")
SHAPE_TURNS = 2.25


class Measures:
    """A list of families; `family`, `owners` and `levels_of` describe the columns that `rows` returns."""

    def __init__(self, columns):
        self.values, self.scores = [], []
        for numbers in columns.numeric:
            seen = np.sort(numbers[~np.isnan(numbers)])
            places = np.arange(2 * seen.size + 1)
            self.values.append(seen)
            self.scores.append(special.ndtri((places + 1) / (2 * seen.size + 2)))
        self.codes = [{word: code for code, word in enumerate(sorted(set(words) - {None}, key=str))}
                      for words in columns.words]
        scores = self.normal(columns.numeric)
        self.mean_of = [np.nanmean(each) if np.isfinite(each).any() else 0.0 for each in scores]
        self._choose_cuts(scores)
        self.correlations = [self._correlation(scores, i, j) for i, j in PAIRS]
        with_nulls = np.isnan(columns.numeric).mean(axis=1)
        self.null_rate = [rate if rate > 0.0005 else 0.0 for rate in with_nulls]
        self.family, self.owners = [], []
        self._describe()

    def normal(self, numeric):
        """Return normal scores (6 x n), NaN for null."""
        rows = []
        for numbers, seen, table in zip(numeric, self.values, self.scores):
            place = np.searchsorted(seen, numbers, "left") + np.searchsorted(seen, numbers, "right")
            rows.append(np.where(np.isnan(numbers), np.nan, table[np.minimum(place, table.size - 1)]))
        return np.vstack(rows)

    def coded(self, words):
        """Return codes (4 x n); a level that the reference never had is -1."""
        return np.array([[codes.get(word, -1) for word in column] for codes, column in zip(self.codes, words)])

    def _choose_cuts(self, scores):
        self.cuts, self.below, self.tails = [], [], []
        for each in scores:
            seen = each[~np.isnan(each)]
            cuts = np.unique(np.quantile(seen, CUTS)) if seen.size else np.array([])
            below = np.array([(seen <= cut).mean() for cut in cuts])
            keep = below < 0.975
            self.cuts.append(cuts[keep])
            self.below.append(below[keep])
            self.tails.append(tuple(np.quantile(seen, (TAIL, 1 - TAIL))) if seen.size else (-9.0, 9.0))

    def _correlation(self, scores, i, j):
        both = ~np.isnan(scores[i]) & ~np.isnan(scores[j])
        if both.sum() < 10:
            return 0.0, 1.0, 1.0
        one, two = scores[i][both], scores[j][both]
        return float(np.corrcoef(one, two)[0, 1]), max(float(one.std()), 1e-6), max(float(two.std()), 1e-6)

    def _describe(self):
        def add(family, *owners):
            self.family.append(family)
            self.owners.append(owners)

        for family in ("place", "spread", "shape"):
            for name in NUMERIC:
                add(family, name)
        for name, cuts in zip(NUMERIC, self.cuts):
            for _ in cuts:
                add("cut", name)
        for name, rate in zip(NUMERIC, self.null_rate):
            if rate:
                add("null", name)
        for name, codes in zip(CATEGORICAL, self.codes):
            for _ in codes:
                add("level", name)
        for i, j in PAIRS:
            add("pair", NUMERIC[i], NUMERIC[j])
        for _ in self.codes[COUNTRY]:
            for name in NUMERIC:
                add("country", name)
        for name in NUMERIC:
            add("tail", name)
            add("tail", name)
        for name in FEATURES:
            add("novel", name)
        self.family = np.array(self.family)

    def rows(self, columns):
        """Return the measures of each row (n x K); a null adds nothing to what its values are compared by."""
        scores = self.normal(columns.numeric)
        null = np.isnan(scores)
        codes = self.coded(columns.words)
        here = [np.where(gone, 0.0, each - mean) for each, mean, gone in zip(scores, self.mean_of, null)]
        parts = [*here]
        parts += [np.where(gone, 0.0, each**2 - 1.0) for each, gone in zip(scores, null)]
        parts += [np.where(gone, 0.0, np.cos(SHAPE_TURNS * each)) for each, gone in zip(scores, null)]
        parts = self._centred(parts, null)
        for each, cuts, below in zip(scores, self.cuts, self.below):
            known = ~np.isnan(each)
            parts += [known * ((each <= cut) - share) for cut, share in zip(cuts, below)]
        parts += [gone.astype(float) for gone, rate in zip(null, self.null_rate) if rate]
        for column, words in zip(codes, self.codes):
            parts += [(column == code).astype(float) for code in range(len(words))]
        parts += [self._pair(here, null, pair, known) for pair, known in zip(PAIRS, self.correlations)]
        for code in range(len(self.codes[COUNTRY])):
            inside = codes[COUNTRY] == code
            parts += [inside * each for each in here]
        for each, (low, high) in zip(scores, self.tails):
            parts += [(each < low).astype(float), (each > high).astype(float)]
        parts += [gone * (rate == 0.0) for gone, rate in zip(null, self.null_rate)]
        parts += [(column < 0).astype(float) for column in codes]
        return exact(np.vstack(parts).T)

    def _centred(self, parts, null):
        """Centre spread and shape over the values that are there, so that more nulls do not move their means."""
        if not hasattr(self, "centres"):
            self.centres = [part[~gone].mean() if (~gone).any() else 0.0 for part, gone in zip(parts[6:], [*null, *null])]
        rest = [np.where(gone, 0.0, part - centre) for part, centre, gone in zip(parts[6:], self.centres, [*null, *null])]
        return parts[:6] + rest

    @staticmethod
    def _pair(here, null, pair, known):
        """The influence of a row on the correlation of two numbers: indifferent to their means and spreads."""
        i, j = pair
        r, one, two = known
        a, b = here[i] / one, here[j] / two
        return np.where(null[i] | null[j], 0.0, a * b - r * (a**2 + b**2) / 2)

"""From the means of a window to evidence: minus the logarithm of a p-value, for every measure."""

import numpy as np
from features import Measures
from rhythm import Rhythm
from scipy import special
from tables import CATEGORICAL, NUMERIC

COUNTED = ("tail", "novel")
TINY = 1e-300


class Evidence:
    """Fitted on the reference; the same code serves one window and thousands of resampled ones."""

    def __init__(self, columns):
        self.measures = Measures(columns)
        rows = self.measures.rows(columns)
        self.rhythm = Rhythm(columns.hours, rows)
        self.reference_rows = rows.astype(np.float32)
        self.n = columns.n
        family = self.measures.family
        self.linear = ~np.isin(family, COUNTED)
        self.counted = np.flatnonzero(~self.linear)
        self.novel = family[self.counted] == "novel"
        self.places = np.flatnonzero(family == "place")
        rest = self.rhythm.rest[:, self.places]
        self.inverse_place = np.linalg.pinv(np.corrcoef(rest, rowvar=False))
        self.level_columns = {name: np.array([place for place, (kind, owners) in enumerate(zip(
            family, self.measures.owners)) if kind == "level" and owners == (name,)], dtype=int) for name in CATEGORICAL}
        self.names = [*family, "all places", *["levels"] * len(CATEGORICAL)]
        self.owners = [*self.measures.owners, (), *[(name,) for name in CATEGORICAL]]
        self.families = sorted(set(self.names))
        self.members = [np.flatnonzero(np.array(self.names) == name) for name in self.families]
        del self.rhythm.rest

    def of(self, means, place, n, error):
        """Return evidence (m x tests) for m windows.

        means: m x K means of the measures. place: m x BASIS means of the basis. n: rows of each. error: variance of
        the expectation, in units of one row's.
        """
        expected, variance = self.rhythm.expect(place)
        noise = (1.0 / n + error)[:, None]
        deviation = (means - expected) / np.sqrt(variance * noise)
        normal = straighten(deviation, self.rhythm.skew * np.sqrt(noise))
        evidence = -np.log(2.0) - special.log_ndtr(-np.abs(normal))
        evidence[:, self.counted] = self._counts(means, expected, n, error)
        return np.hstack([evidence, self._all_places(deviation), self._levels(means, expected, noise)])

    def _counts(self, means, expected, n, error):
        """Evidence of more rows than the reference's own count predicts, that count being uncertain itself."""
        counts = np.rint(means[:, self.counted] * n[:, None])
        effective = np.where(self.novel, self.n, 1.0 / np.maximum(error, 1.0 / self.n)[:, None])
        usual = np.maximum(expected[:, self.counted], 0.25 * self.reference_share)
        before = np.where(self.novel, 1.0, usual * effective + 0.5)
        share = n[:, None] / (n[:, None] + effective)
        chance = special.betainc(np.maximum(counts, 1.0), before, share)
        return np.where(counts >= 1, -np.log(np.maximum(chance, TINY)), 0.0)

    @property
    def reference_share(self):
        return self.rhythm.average @ self.rhythm.means[:, self.counted]

    def _all_places(self, deviation):
        """Evidence of a shift of all numbers together."""
        part = deviation[:, self.places]
        square = np.einsum("ij,jk,ik->i", part, self.inverse_place, part)
        return log_chi2(square, len(NUMERIC))[:, None]

    def _levels(self, means, expected, noise):
        """Evidence of a changed mix of levels, all levels of a category together."""
        columns = []
        for places in self.level_columns.values():
            usual = np.maximum(expected[:, places], 1e-4)
            square = ((means[:, places] - usual) ** 2 / (usual * noise)).sum(axis=1)
            columns.append(log_chi2(square, max(len(places) - 1, 1)))
        return np.stack(columns, axis=1)

    def strongest(self, evidence):
        """Return the strongest evidence of each family (m x families)."""
        return np.stack([evidence[:, members].max(axis=1) for members in self.members], axis=1)


def log_chi2(square, degrees):
    """Return minus the logarithm of the upper tail of chi-square; far out by its leading term."""
    tail = special.chdtrc(degrees, square)
    far = square / 2 - (degrees / 2 - 1) * np.log(np.maximum(square, 1.0) / 2) + special.gammaln(degrees / 2)
    return np.where(tail > TINY, -np.log(np.maximum(tail, TINY)), far)


def straighten(deviation, skew):
    """Turn a standardised sum of skewed terms into a normal deviate.

    E. B. Wilson and M. M. Hilferty, "The distribution of chi-square", PNAS 17 (1931), 684-688.
    """
    safe = np.where(np.abs(skew) < 1e-4, 1e-4, skew)
    return 6.0 / safe * (np.cbrt(np.maximum(safe * deviation / 2 + 1.0, 1e-6)) - 1.0) + safe / 6.0

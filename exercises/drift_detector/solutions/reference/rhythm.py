"""What the hour of the week explains, for any number of measures at once.

A least-squares fit on three daily harmonics and a weekend with a daily rhythm of its own. For a window the expectation
of every mean, its variance and the error of the fit itself all follow from one vector: the mean of the basis over the
window's rows. So a window of any hours is compared with what the reference shows for these very hours.
"""

import numpy as np

BASIS = 10


def basis(hours):
    """Return n x BASIS; a row without a time gets NaN, which `Rhythm` replaces by the average hour."""
    turn = hours * (2 * np.pi / 24)
    first = np.vstack([np.cos(turn), np.sin(turn)])
    weekend = np.where(np.isnan(hours), np.nan, hours >= 120.0)
    rows = [np.ones_like(hours), *first]
    for harmonic in (2, 3):
        rows += [np.cos(harmonic * turn), np.sin(harmonic * turn)]
    rows += [weekend, weekend * first[0], weekend * first[1]]
    return exact(np.vstack(rows).T)


def exact(values):
    """Round so that sums have no rounding error: the order of a window's rows must not show, not in the last digit."""
    return np.rint(values * 2.0**24) / 2.0**24


class Rhythm:
    def __init__(self, hours, measures):
        """Fit the rhythm of measures (n x K)."""
        design = basis(hours)
        self.average = np.nanmean(design, axis=0)
        design = self.known(design)
        self.inverse = np.linalg.inv(design.T @ design)
        self.means = self.inverse @ (design.T @ measures)
        rest = measures - design @ self.means
        self.variance = np.maximum((rest**2).mean(axis=0), 1e-9)
        self.variances = self.inverse @ (design.T @ rest**2)
        self.skew = (rest**3).mean(axis=0) / self.variance**1.5
        self.rest = rest

    def known(self, design):
        return np.where(np.isnan(design), self.average, design)

    def window(self, hours):
        """Return the mean of the basis over a window's rows."""
        return self.known(basis(hours)).mean(axis=0)

    def expect(self, place):
        """Return mean and variance per row for mean bases (m x BASIS)."""
        variance = np.clip(place @ self.variances, 0.3 * self.variance, 3.0 * self.variance)
        return place @ self.means, variance

    def error(self, place):
        """Return the variance of a fitted expectation, in units of the variance of one row."""
        return np.einsum("ij,jk,ik->i", place, self.inverse, place)

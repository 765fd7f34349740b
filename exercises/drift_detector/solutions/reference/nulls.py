"""What the strongest evidence looks like without drift, for windows of any size: resampled from the reference.

Families share alpha evenly: each one's evidence is taken relative to what it reaches without drift in one window of a
hundred. The p-value of a window is the share of resampled windows whose strongest family is stronger. Nothing is
assumed about how the tests depend on each other.
"""

import numpy as np
from rhythm import basis
from scipy import sparse

SIZES = (1, 3, 10, 30, 60, 120, 200, 400, 600, 800, 1000)
WINDOWS = 2000
BATCH = 100
# alpha is a bound. At 0.05 a table of 2000 windows has a standard error of a tenth; and on fresh data p-values came out
# a tenth too small, since the windows of the table come from the very rows that the measures were fitted on.
CAUTION = float(np.log(1.2))
STREAM_ROWS = 200
STREAM_SEGMENTS = slice(7, 11)  # rows 200-400, 400-600, ... of each resampled window


class Nulls:
    def __init__(self, evidence, columns, rng):
        sums, places = self._resample(evidence, columns, rng)
        self.offsets, self.tables = [], []
        for step, size in enumerate(SIZES):
            n = np.full(WINDOWS, float(size))
            means, place = sums[:, : step + 1].sum(axis=1) / size, places[:, : step + 1].sum(axis=1) / size
            found = evidence.strongest(evidence.of(means, place, n, np.zeros(WINDOWS)))
            # Evidence of counts is often nothing at all; it may not count for more than one test's would.
            offset = np.maximum(np.quantile(found, 0.99, axis=0), -np.log(0.01))
            self.offsets.append(offset)
            self.tables.append(Table((found - offset).max(axis=1)))
        self.segments = sums[:, STREAM_SEGMENTS].reshape(-1, sums.shape[2])
        self.segment_places = places[:, STREAM_SEGMENTS].reshape(-1, places.shape[2])

    @staticmethod
    def _resample(evidence, columns, rng):
        """Return sums of the measures and of the basis over the rows that each size adds to the one before."""
        design = evidence.rhythm.known(basis(columns.hours)).astype(np.float32)
        both = np.hstack([evidence.reference_rows, design])
        begins = np.array([0, *SIZES[:-1]])
        sums = np.empty((WINDOWS, len(SIZES), both.shape[1]))
        for first in range(0, WINDOWS, BATCH):
            # A sparse matrix of which row goes into which sum: much faster than gathering the rows.
            rows = rng.integers(0, columns.n, BATCH * SIZES[-1])
            ends = np.append((np.arange(BATCH)[:, None] * SIZES[-1] + begins).ravel(), rows.size)
            shape = (BATCH * len(SIZES), columns.n)
            chosen = sparse.csr_matrix((np.ones(rows.size, np.float32), rows, ends), shape=shape)
            sums[first : first + BATCH] = (chosen @ both).reshape(BATCH, len(SIZES), -1)
        width = evidence.reference_rows.shape[1]
        return sums[:, :, :width], sums[:, :, width:]

    def _bracket(self, n):
        logs = np.log(SIZES)
        place = np.clip(np.interp(np.log(n), logs, np.arange(len(SIZES))), 0, len(SIZES) - 1)
        low = min(int(place), len(SIZES) - 2)
        return low, place - low

    def relative(self, strongest, n):
        """Return evidence of families above their offsets, for windows of n rows."""
        low, part = self._bracket(n)
        return strongest - (self.offsets[low] * (1 - part) + self.offsets[low + 1] * part)

    def log_p(self, strongest, n):
        """Return log p-values of windows of n rows from the strongest evidence of their families (m x families)."""
        low, part = self._bracket(n)
        one = self.tables[low].log_p((strongest - self.offsets[low]).max(axis=-1))
        two = self.tables[low + 1].log_p((strongest - self.offsets[low + 1]).max(axis=-1))
        return np.minimum(0.0, one * (1 - part) + two * part + CAUTION)


class Table:
    """An upper-tail distribution: empirical, with an exponential tail where few values lie."""

    def __init__(self, values, tail=0.02):
        self.values = np.sort(values)
        count = values.size
        self.log_tail = np.log((count - np.arange(count) - 0.5) / count)
        self.edge = float(np.quantile(values, 1 - tail))
        self.log_edge = np.log(tail)
        over = self.values[self.values > self.edge] - self.edge
        self.slope = float(np.clip(1.0 / max(over.mean() if over.size else 1.0, 1e-9), 0.6, 1.1))

    def log_p(self, values):
        inside = np.interp(values, self.values, self.log_tail, left=0.0)
        return np.where(values > self.edge, self.log_edge - self.slope * (values - self.edge), inside)

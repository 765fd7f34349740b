"""A monitor that pools evidence: the last 1, 2, 4 ... 32 windows together, against one calibrated threshold."""

import numpy as np
from nulls import STREAM_ROWS

SPANS = (1, 2, 4, 8, 16, 32)
WINDOWS = 40
STREAMS = 500
FALSE_ALARMS = 0.075  # of clean runs of 40 windows; one in ten is allowed


class Stream:
    def __init__(self, evidence, nulls, rng):
        self.threshold = self._calibrate(evidence, nulls, rng)
        self.sums, self.places, self.sizes = [], [], []

    @staticmethod
    def _calibrate(evidence, nulls, rng):
        """Return the log p-value that clean runs of 40 windows of 200 rows undercut as rarely as wanted."""
        order = rng.integers(0, len(nulls.segments), (STREAMS, WINDOWS))
        lowest = np.zeros(STREAMS)
        sums = np.cumsum(nulls.segments[order], axis=1)
        places = np.cumsum(nulls.segment_places[order], axis=1)
        for span in SPANS:
            n = float(span * STREAM_ROWS)
            rows = np.full(STREAMS, n)
            for end in range(span - 1, WINDOWS):
                before = end - span
                means = (sums[:, end] - (sums[:, before] if before >= 0 else 0.0)) / n
                place = (places[:, end] - (places[:, before] if before >= 0 else 0.0)) / n
                found = evidence.strongest(evidence.of(means, place, rows, np.zeros(STREAMS)))
                lowest = np.minimum(lowest, nulls.log_p(found, n))
        return float(np.quantile(lowest, FALSE_ALARMS))

    def update(self, evidence, nulls, means, place, n):
        self.sums.append(means * n)
        self.places.append(place * n)
        self.sizes.append(float(n))
        del self.sums[: -SPANS[-1]], self.places[: -SPANS[-1]], self.sizes[: -SPANS[-1]]
        lowest = 0.0
        for span in SPANS:
            if span > len(self.sizes):
                break
            total = sum(self.sizes[-span:])
            pooled = np.sum(self.sums[-span:], axis=0)[None] / total
            hours = np.sum(self.places[-span:], axis=0)[None] / total
            error = evidence.rhythm.error(hours)
            found = evidence.strongest(evidence.of(pooled, hours, np.array([total]), error))
            lowest = min(lowest, float(nulls.log_p(found, total)[0]))
        return lowest <= self.threshold

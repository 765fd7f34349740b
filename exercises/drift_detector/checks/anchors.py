"""How many windows are asked, and between which measures credit grows. All of it is hidden from candidates.

The upper anchor of a false-alarm rate is the 99.5 % quantile of the binomial distribution at the promised rate: a
detector that keeps its promise loses nothing by bad luck.
"""

from __future__ import annotations

ALPHA = 0.05
PLAIN_ROWS, FEW_ROWS, MANY_ROWS, STREAM_ROWS, FEEDBACK_ROWS = 500, 60, 2000, 200, 1000

CLEAN_PLAIN, CLEAN_FEW, CLEAN_MANY = 400, 200, 100  # windows without drift
PER_SIZE = 20  # drifted windows per kind, size and mode
CLEAR_WINDOWS = 10  # windows of clear drift per kind, where none of group B can be taken

# Rates at which false alarms cost all points, and at which they cost none.
ALARMS = {"A1": (0.25, 0.08), "A2": (0.25, 0.10), "A3": (0.25, 0.08), "A4": (0.25, 0.13)}
# The gate of power and attribution. It begins later than the loss of A1 and A3 itself: a rate of .09 costs its own
# check a little, and not every check of group B.
VALIDITY = (0.25, 0.10)
# Drift that any test of numbers and of categories notices, and that a fixed cut-off of the population stability index
# mostly does not: that would have to be .2, and here it is about .16 and .07. Silence counts as far as it is noticed:
# fully for whoever notices most of it, by five eighths for whoever looks at numbers alone.
CLEAR = {"mean": 0.4, "category": 0.6}
ACTIVITY = (0.25, 0.65)
LABEL_ACTIVITY = (0.5, 0.9)
POWER_LO, POWER_SHARE, POWER_GAP = 0.08, 0.85, 0.10
ATTRIBUTION_HI = 0.90

LABELS = {
    "clean": 200,
    "covariate": 100,
    "country": 100,
    "intercept_s": 60,
    "intercept_l": 60,
    "label_shift": 60,
    "slope_half": 60,
    "slope_reversed": 60,
}
LABEL_ALARMS = (0.25, 0.10)
INTERCEPT, SLOPE = (0.15, 0.70), (0.45, 0.90)

STREAM_WINDOWS, CLEAN_STREAMS, DRIFT_STREAMS = 40, 60, 20
SMALL_SHIFT, LARGE_SHIFT = 0.2, 0.35  # latent SD of the mean
STREAM_ALARMS = (0.50, 0.22)
DELAYS = {SMALL_SHIFT: (18.0, 8.0), LARGE_SHIFT: (7.0, 3.0)}  # windows until the alarm: no credit, full credit

ALIVE = (0.4, 0.7)  # share of the largest drift noticed, less the share of false alarms
SECOND_ALPHAS = (0.01, 0.15, 0.20)
TIMED_BLOCKS, TIMED_WINDOWS = 4, 26
TIME_RATIO = (20.0, 4.0)
# The reference is unusually fast; beside it, honest methods would look slow that nobody waits for.
LEAST_REFERENCE = 0.010  # CPU seconds of a check that the reference counts with at least
MEDIAN_SECONDS = 0.5
MEMORY = (2.0e9, 1.5e9)

FIT_SECONDS = 60.0  # as the brief says; what takes longer costs F7
# Wall seconds until a call is given up. A busy machine is no fault of a submission's, so they are far beyond what it
# may take.
FIT_PATIENCE = 240.0
CALL_SECONDS = 10.0
BATCH = 128  # windows in memory at a time
RUN_SECONDS = 240.0  # for one stream
# For all calls of a stage, see `Budget`: what the limit of the median allows on two cores, and a third more.
PANEL_SECONDS, STREAM_SECONDS, FEEDBACK_SECONDS = 800.0, 700.0, 250.0

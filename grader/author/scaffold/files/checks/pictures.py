"""The picture of typical values."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.figure import Figure
from measures import TYPICAL_LO, Said, Truth

DOT, BAND, LINE = "#1f5fa8", "#dfe7f1", "#555555"


def values_beside_truth(said: Mapping[str, Said], truth: Mapping[str, Truth]) -> Figure:
    """Draw every shop as a dot: right value across, the submission's upwards; inside the band there is credit."""
    pairs = [(each.typical, said[name].typical) for name, each in truth.items()]
    shown = [(right, value) for right, value in pairs if math.isfinite(value) and value > 0]
    ends = (0.7 * min(right for right, _ in pairs), 1.4 * max(right for right, _ in pairs))
    figure = Figure(figsize=(4.2, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.fill_between(ends, [e * (1 - TYPICAL_LO) for e in ends], [e * (1 + TYPICAL_LO) for e in ends], color=BAND)
    axes.plot(ends, ends, color=LINE, linewidth=0.8)
    axes.scatter([right for right, _ in shown], [value for _, value in shown], color=DOT, s=22, zorder=3)
    axes.set(xscale="log", yscale="log", xlim=ends, xlabel="right, in euros", ylabel="said, in euros")
    return figure

"""Pictures for the score sheet. Each repeats what the text of its check says, at a glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

MINE, OTHER, QUIET, INK, BAND = "#0b6aa8", "#c2701c", "#c9ced6", "#2b3038", "#eef0f3"
WIDTH = 6.6


def parity_dots(profile: Mapping[str, float], lo: float, hi: float) -> Figure:
    """Draw the share of rows of every stratum that agree with the batch, on one axis."""
    figure = Figure(figsize=(WIDTH, 0.27 * len(profile) + 0.8))
    axes = figure.add_subplot()
    places = range(len(profile))
    values = [100 * value for value in profile.values()]
    axes.axvspan(100 * lo, 100 * hi, color=BAND, linewidth=0)
    axes.hlines(places, 0, values, color=QUIET, linewidth=1)
    axes.plot(values, places, "o", color=MINE, markersize=6, clip_on=False)
    for place, value in zip(places, values, strict=True):
        axes.text(104, place, f"{value:.0f} %", va="center", fontsize=8, color=INK)
    axes.set_yticks(list(places), list(profile))
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel("rows that agree with the batch, % (shaded: from no points to all points)", fontsize=8, color=INK)
    _quiet(axes)
    return figure


def latency_curves(candidate: Sequence[float], reference: Sequence[float]) -> Figure:
    """Draw which share of the requests was answered within how many milliseconds."""
    figure = Figure(figsize=(WIDTH, 2.6))
    axes = figure.add_subplot()
    sides = ((candidate, MINE, "submission", "-"), (reference, OTHER, "reference (dashed)", "--"))
    for place, (seconds, colour, name, style) in enumerate(sides):
        times = np.sort(1000 * np.asarray([each for each in seconds if np.isfinite(each)], float))
        if not len(times):
            continue
        shares = 100 * np.arange(1, len(times) + 1) / len(seconds)
        axes.step(times, shares, where="post", color=colour, linewidth=1.6, linestyle=style)
        words = f"{name}: half within {np.interp(50, shares, times):.0f} ms"
        if shares[-1] >= 95:
            late = float(times[np.searchsorted(shares, 95)])
            axes.plot([late], [95], "o", color=colour, markersize=5)
            words += f", 95 % within {late:.0f} ms"
        axes.text(0.99, 0.2 - 0.13 * place, words, fontsize=8, color=colour, ha="right", transform=axes.transAxes)
    axes.set_xscale("log")
    axes.set_xlim(right=3 * axes.get_xlim()[1])  # room for the words
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_ylim(0, 101)
    axes.set_xlabel("milliseconds until the answer, log scale", fontsize=8, color=INK)
    axes.set_ylabel("requests, %", fontsize=8, color=INK)
    _quiet(axes)
    return figure


def paired_dots(candidate: Sequence[float], reference: Sequence[float], label: str) -> Figure:
    """Draw one value per block for both services, on one axis."""
    figure = Figure(figsize=(WIDTH, 1.3))
    axes = figure.add_subplot()
    for place, (values, colour, mark) in enumerate(((candidate, MINE, "o"), (reference, OTHER, "D"))):
        shown = [value for value in values if np.isfinite(value)]
        axes.plot(shown, [place] * len(shown), mark, color=colour, markersize=6, alpha=0.75)
    axes.set_yticks([0, 1], ["submission", "reference"])
    axes.set_ylim(1.6, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel(label, fontsize=8, color=INK)
    _quiet(axes)
    return figure


def memory_line(requests: Sequence[int], megabytes: Sequence[float], full: float, none: float) -> Figure:
    """Draw how much memory was added after how many requests."""
    figure = Figure(figsize=(WIDTH, 2.0))
    axes = figure.add_subplot()
    axes.plot(requests, megabytes, "o-", color=MINE, linewidth=1.6, markersize=4)
    axes.text(requests[-1], megabytes[-1], f" {megabytes[-1]:.0f} MB", fontsize=8, color=MINE, va="center")
    for value, words in ((full, "all points"), (none, "no points")):
        axes.axhline(value, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.text(requests[0], value, words, fontsize=8, color=INK, va="bottom")
    axes.set_ylim(min(0.0, *megabytes), max(none, *megabytes) * 1.15)
    axes.set_xlabel("requests answered", fontsize=8, color=INK)
    axes.set_ylabel("memory added, MB", fontsize=8, color=INK)
    _quiet(axes)
    return figure


def _quiet(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    axes.tick_params(axis="both", labelsize=8, colors=INK, length=0)

"""Pictures for the score sheet. Each repeats at a glance what the text of its check says.

The two colours are told apart by readers with any of the common colour blindnesses (blue and orange of M. Okabe and
K. Ito, "Color Universal Design", 2008), and no picture relies on colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import anchors
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from measures import Share
from timing import Timing
from watch import Watched, of_shift

if TYPE_CHECKING:
    from powers import Curve

OWN, ALARM, OTHER = "#0072B2", "#D55E00", "#8a909a"
PALE, DRIFTED, INK = "#eceef1", "#c3c8d0", "#2b3038"
SMALL = 8
MODE_STYLES = {"pooled": ("-", "o", "all week"), "slice": ((0, (4, 2)), "s", "four hours")}


def alarm_rates(shares: Mapping[str, Share], promised: float, *, clear: int | None = None) -> Figure:
    """Draw rates with their exact intervals, beside the promised one.

    Args:
        shares: Name to the rate.
        promised: The promised rate.
        clear: How many rates from the top should be low; the others should be high. All, unless given.
    """
    figure = Figure(figsize=(6.6, 0.34 * len(shares) + 0.75))
    axes = figure.add_subplot()
    for place, share in enumerate(shares.values()):
        low, high = share.interval
        over = (clear is None or place < clear) and low > promised
        colour = ALARM if over else OWN
        axes.plot([100 * low, 100 * high], [place, place], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot([100 * share.value], [place], marker="o", markersize=5, color=colour, clip_on=False)
        axes.text(101.5, place, f"{share.count} of {share.total}", va="center", fontsize=SMALL, color=INK)
    axes.axvline(100 * promised, color=INK, linewidth=1, linestyle=(0, (2, 2)))
    axes.text(100 * promised + 0.8, -0.75, f"promised: {promised:.0%}", fontsize=SMALL, color=INK, va="center")
    axes.set_yticks(range(len(shares)), list(shares))
    axes.set_ylim(len(shares) - 0.5, -1.1)
    axes.set_xlim(0, 100)
    axes.set_xlabel("alarms, %", fontsize=SMALL, color=INK)
    _quiet(axes)
    return figure


def label_rates(shares: Mapping[str, Share], promised: float, silent: int) -> Figure:
    """Draw the alarms of `feedback`: the first `silent` kinds should raise few, the others many."""
    return alarm_rates(shares, promised, clear=silent)


def power_curves(curves: Mapping[str, Mapping[str, Curve]]) -> Figure:
    """Draw detection by size of drift: kind to mode to curve.

    Many kinds get a panel each; one kind gets a panel for each mode.
    """
    panels = list(curves.items())
    if len(panels) == 1:
        panels = [(MODE_STYLES[mode][2], {mode: each}) for mode, each in panels[0][1].items()]
    columns = min(5, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(6.6, 1.75 * rows + 0.35), layout="constrained")
    grid = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for place, (axes, (name, modes)) in enumerate(zip(grid.flat, panels, strict=True)):
        for mode, each in modes.items():
            _curve(axes, each, mode, label=place == 0)
        axes.set_title(name, fontsize=SMALL, color=INK, pad=3)
        axes.set_ylim(-4, 104)
        axes.set_yticks([0, 50, 100])
        _quiet(axes)
    grid[0, 0].set_ylabel("detected, %", fontsize=SMALL, color=INK)
    styles = "; solid: all week, dashed: four hours" if len(curves) > 1 else ""
    figure.supxlabel(f"size of drift (blue: this detector, grey: reference{styles})", fontsize=SMALL, color=INK)
    return figure


def _curve(axes: Axes, curve: Curve, mode: str, *, label: bool) -> None:
    style, marker, _ = MODE_STYLES[mode]
    sizes = list(curve.found)
    places = range(len(sizes))
    reference = [100 * curve.reference[size] for size in sizes]
    own = [100 * share.value for share in curve.found.values()]
    axes.plot(places, reference, color=OTHER, linestyle=style, linewidth=1.2, marker=marker, markersize=3)
    axes.plot(places, own, color=OWN, linestyle=style, linewidth=1.8, marker=marker, markersize=4)
    axes.set_xticks(places, [f"{size:g}" for size in sizes])
    axes.set_xlim(-0.3, len(sizes) - 0.7)


def attribution_bars(found: Mapping[str, Share], by_chance: float) -> Figure:
    """Draw the share of right attributions by kind of drift."""
    figure = Figure(figsize=(6.6, 0.27 * len(found) + 0.8))
    axes = figure.add_subplot()
    values = [100 * share.value for share in found.values()]
    axes.barh(list(found), [100.0] * len(found), color=PALE, height=0.6)
    axes.barh(list(found), values, color=OWN, height=0.6)
    for place, value in enumerate(values):
        axes.text(101.5, place, f"{value:.0f} %", va="center", fontsize=SMALL, color=INK)
    axes.axvline(100 * by_chance, color=INK, linewidth=1, linestyle=(0, (2, 2)))
    axes.text(100 * by_chance + 0.8, -0.75, "by chance", fontsize=SMALL, color=INK, va="center")
    axes.set_ylim(len(found) - 0.5, -1.1)
    axes.set_xlim(0, 110)
    axes.set_xlabel("largest size: the drifted feature has the largest score, %", fontsize=SMALL, color=INK)
    _quiet(axes)
    return figure


def stream_alarms(watched: Sequence[Watched], windows: int) -> Figure:
    """Draw when each stream raised alarms; one row of cells for each stream, in three blocks."""
    shifts = (0.0, anchors.SMALL_SHIFT, anchors.LARGE_SHIFT)
    blocks = [of_shift(watched, shift) for shift in shifts]
    heights = [max(len(block), 1) for block in blocks]
    figure = Figure(figsize=(6.6, 4.4), layout="constrained")
    rows = figure.subplots(len(blocks), 1, sharex=True, height_ratios=heights)
    for axes, shift, block in zip(rows, shifts, blocks, strict=True):
        ordered = sorted(block, key=lambda each: each.stream.onset)
        _strips(axes, ordered, windows)
        name = "no drift" if not shift else f"shift of\n{shift:g} SD"
        axes.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=SMALL, color=INK)
        axes.set_yticks([])
        _quiet(axes)
    rows[-1].set_xlabel(
        "window (orange: alarm; grey: drift present, in silence; black: no valid answer)", fontsize=SMALL, color=INK
    )
    return figure


def _strips(axes: Axes, block: Sequence[Watched], windows: int) -> None:
    for row, each in enumerate(block):
        flags = [reading.flag for reading in each.alarms[:windows]]
        axes.broken_barh([(0, windows)], (row, 0.86), color=PALE)
        if each.stream.shift:
            axes.broken_barh([(each.stream.onset, windows - each.stream.onset)], (row, 0.86), color=DRIFTED)
        for state, colour in ((True, ALARM), (None, INK)):
            axes.broken_barh(spells(flags, state), (row, 0.86), color=colour)
    axes.set_ylim(max(len(block), 1), 0)
    axes.set_xlim(0, windows)


def spells(flags: Sequence[bool | None], state: bool | None) -> list[tuple[int, int]]:
    """Return begin and length of every run of a state."""
    places = [place for place, flag in enumerate(flags) if flag is state]
    begins = [place for place in places if place - 1 not in places]
    ends = [place for place in places if place + 1 not in places]
    return [(begin, end - begin + 1) for begin, end in zip(begins, ends, strict=True)]


def time_blocks(timing: Timing) -> Figure:
    """Draw the CPU time of a check, block by block."""
    figure = Figure(figsize=(6.6, 1.25))
    axes = figure.add_subplot()
    pairs = (("reference", timing.reference, OTHER), ("this detector", timing.own, OWN))
    for place, (_, seconds, colour) in enumerate(pairs):
        values = [1000 * each for each in seconds]
        axes.plot(values, [place] * len(values), marker="o", markersize=5, linestyle="", color=colour, alpha=0.8)
        axes.text(max(values), place, f"  {np.median(values):.1f} ms", va="center", fontsize=SMALL, color=INK)
    axes.set_yticks([0, 1], [name for name, _, _ in pairs])
    axes.set_ylim(-0.6, 1.6)
    axes.set_xlim(0, 1300 * max(*timing.own, *timing.reference))
    axes.set_xlabel("CPU time of a check, ms; a point is a block of windows", fontsize=SMALL, color=INK)
    _quiet(axes)
    return figure


def _quiet(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#c9ced6")
    axes.tick_params(axis="both", labelsize=SMALL, colors=INK, length=0)

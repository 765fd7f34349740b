"""Pictures for the score sheet. Each repeats what the text of its check says, at a glance."""

from __future__ import annotations

from collections.abc import Mapping

from fates import Ledger
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from measure import thousands

GOOD, MIDDLE, BAD, QUIET, INK = "#2f7d5b", "#d19a2a", "#b8433f", "#c9ced6", "#2b3038"
GB = 1e9


def accuracy_bars(profile: Mapping[str, float]) -> Figure:
    """Draw the share of right cells of every defect class."""
    figure = Figure(figsize=(6.6, 0.29 * len(profile) + 0.7))
    axes = figure.add_subplot()
    names, values = list(profile), [100 * value for value in profile.values()]
    axes.barh(names, [100.0] * len(names), color="#eef0f3", height=0.62)
    axes.barh(names, values, color=[_colour(value) for value in values], height=0.62)
    for place, value in enumerate(values):
        axes.text(101.5, place, f"{value:.0f} %", va="center", fontsize=8, color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 110)
    axes.set_xlabel("cells of the class that came out right, %", fontsize=8, color=INK)
    _quiet(axes)
    return figure


def _colour(value: float) -> str:
    return GOOD if value >= 98 else MIDDLE if value >= 50 else BAD


def ledger_waterfall(ledger: Ledger) -> Figure:
    """Draw where the input rows went."""
    steps = [
        ("kept", ledger.kept, GOOD),
        ("duplicates", ledger.duplicate, QUIET),
        ("quarantined", ledger.aside, MIDDLE),
        ("counted twice", ledger.doubled, BAD),
        ("lost", ledger.lost, BAD),
    ]
    figure = Figure(figsize=(6.6, 2.3))
    axes = figure.add_subplot()
    axes.barh(["rows in"], [ledger.rows], color=INK, height=0.62)
    axes.text(ledger.rows * 1.01, 0, thousands(ledger.rows), va="center", fontsize=8, color=INK)
    left = 0
    for place, (name, count, colour) in enumerate(steps, start=1):
        axes.barh([name], [count], left=left, color=colour, height=0.62)
        axes.text(
            max(left + count, 0) + ledger.rows * 0.01, place, thousands(count), va="center", fontsize=8, color=INK
        )
        left += count
    axes.invert_yaxis()
    axes.set_xlim(0, max(ledger.rows, left) * 1.12 + 1)
    axes.set_xlabel("rows", fontsize=8, color=INK)
    _quiet(axes)
    return figure


def memory_bar(peak: float, full: float, none: float) -> Figure:
    """Draw peak memory between the anchors, all in bytes."""
    peak, full, none = peak / GB, full / GB, none / GB
    figure = Figure(figsize=(6.6, 1.1))
    axes = figure.add_subplot()
    colour = GOOD if peak <= full else MIDDLE if peak < none else BAD
    axes.barh([""], [peak], color=colour, height=0.5)
    for value, label in ((full, "full points"), (none, "no points")):
        axes.axvline(value, color=INK, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(value, 0.42, f" {label} ", ha="right", va="bottom", fontsize=8, color=INK)
    axes.text(peak, 0, f" {peak:.2f} GB", va="center", fontsize=8, color=INK)
    axes.set_xlim(0, max(peak, none) * 1.2)
    axes.set_ylim(-0.4, 0.75)
    axes.set_xlabel("peak memory at 3 million rows, GB", fontsize=8, color=INK)
    _quiet(axes)
    return figure


def quarantine_bars(found: Mapping[str, tuple[int, int, int]], harmed: int, untouched: int) -> Figure:
    """Draw what became of the rows that belong in quarantine, and of clean rows.

    Args:
        found: Reason to rows there with the right reason, rows there with another one, rows in all.
        harmed: Clean rows in quarantine.
        untouched: Clean rows.
    """
    figure = Figure(figsize=(6.6, 2.1))
    axes = figure.add_subplot()
    for name, (named, there, total) in found.items():
        parts = [(named, GOOD), (there - named, MIDDLE), (total - there, QUIET)]
        _stack(axes, name.replace("_", " "), [(100 * count / max(total, 1), colour) for count, colour in parts])
    _stack(
        axes,
        "clean rows",
        [(100 * harmed / max(untouched, 1), BAD), (100 - 100 * harmed / max(untouched, 1), "#eef0f3")],
    )
    axes.invert_yaxis()
    axes.set_xlim(0, 100)
    axes.set_xlabel(
        "green: right reason; amber: another reason; grey: not there; red: clean rows set aside, %", fontsize=8
    )
    _quiet(axes)
    return figure


def _stack(axes: Axes, name: str, parts: list[tuple[float, str]]) -> None:
    left = 0.0
    for width, colour in parts:
        axes.barh([name], [width], left=left, color=colour, height=0.62)
        left += width


def _quiet(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    axes.tick_params(axis="both", labelsize=8, colors=INK, length=0)

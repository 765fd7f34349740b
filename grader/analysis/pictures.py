"""Pictures of a cohort, or of a ladder, as SVG, drawn with matplotlib."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas

from grader.analysis.items import Item

_STYLE: Any = {
    "svg.hashsalt": "grader",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
}
_BLUE, _RED = "#1d5c85", "#a1262b"
BARS, FEW_ITEMS = 20, 12


def histogram(values: Sequence[float], label: str, span: tuple[float, float] | None = None) -> str:
    """Return how values are spread."""
    with rc_context(_STYLE):
        canvas, axes = _canvas(2.6)
        axes.hist(np.asarray(values), bins=bar_edges(values, span), color=_BLUE, edgecolor="white")
        axes.set_xlabel(label)
        axes.set_ylabel("candidates")
        return _svg(canvas)


def bar_edges(values: Sequence[float], span: tuple[float, float] | None = None) -> list[float]:
    """Return where the bars of a histogram begin and end: twenty over a span, else none narrower than one unit."""
    low, high = span or (min(values), max(values))
    width = max(1.0, (high - low) / BARS)
    bars = BARS if span else math.floor((high - low) / width) + 1
    return [low + width * place for place in range(bars + 1)]


def item_map(items: Sequence[Item]) -> str:
    """Return checks by difficulty and discrimination; those that need a person are red.

    Where there are many, only those are named, so that names do not lie upon each other.
    """
    few = len(items) <= FEW_ITEMS
    with rc_context(_STYLE):
        canvas, axes = _canvas(4)
        known = [item for item in items if item.difficulty is not None and item.discrimination is not None]
        for colour, some in _by_colour(known):
            axes.plot(*zip(*map(_place, some), strict=True), "o", color=colour)
        for item in known:
            if few or item.flags:
                axes.annotate(item.check, _place(item), xytext=(4, 3), textcoords="offset points")
        axes.axhline(0.2, color="grey", linewidth=0.8, linestyle="--")
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("mean share earned (right is easy)")
        axes.set_ylabel("agreement with the rest (up is good)")
        return _svg(canvas)


def difficulties(items: Sequence[Item]) -> str:
    """Return the mean share of each check with its interval."""
    shown = [item for item in items if item.difficulty is not None]
    with rc_context(_STYLE):
        canvas, axes = _canvas(0.8 + 0.22 * len(shown))
        places = {item.check: len(shown) - number for number, item in enumerate(shown, start=1)}
        lows, highs = [item.difficulty_low or 0.0 for item in shown], [item.difficulty_high or 0.0 for item in shown]
        axes.hlines(list(places.values()), lows, highs, color=_BLUE, alpha=0.4, capstyle="projecting")
        for colour, some in _by_colour(shown):
            dots = [item.difficulty or 0.0 for item in some], [places[item.check] for item in some]
            axes.plot(*dots, "o", color=colour, markersize=4)
        axes.set_yticks(range(len(shown)), [item.check for item in reversed(shown)], fontsize=8)
        axes.set_xlim(0, 1)
        axes.set_xlabel("mean share earned, with its 95 % interval")
        return _svg(canvas)


def totals_of_rungs(title: str, rows: Sequence[tuple[str, tuple[float, float], Sequence[float]]]) -> str:
    """Return a line for each solution of a ladder: its name, its expected band in grey, a dot for each total."""
    with rc_context(_STYLE):
        canvas = Canvas(figsize=(7, 0.9 + 0.24 * len(rows)), layout="constrained")
        axes = canvas.subplots()
        for place, (name, (low, high), totals) in enumerate(reversed(rows)):
            axes.barh(place, max(high - low, 0.5), left=low, height=0.7, color="#dfe3e8")
            axes.plot(totals, [place] * len(totals), "o", color=_BLUE, alpha=0.6, markersize=5, gid=f"totals of {name}")
        axes.set_yticks(range(len(rows)), [name for name, *_ in reversed(rows)], fontsize=8)
        axes.set_xlim(-2, 102)
        axes.set_xlabel("percent of the code's points; grey is what is expected")
        axes.set_title(title, loc="left", fontsize=10)
        return _svg(canvas)


def _place(item: Item) -> tuple[float, float]:
    return item.difficulty or 0.0, item.discrimination or 0.0


def _canvas(height: float) -> tuple[Canvas, Axes]:
    """Return a canvas with one pair of axes; texts beside it are short, so that margins need not be measured.

    Args:
        height: Of the canvas in inches; it is seven wide.
    """
    left, right, below, above = 0.8, 0.3, 0.5, 0.12
    canvas = Canvas(figsize=(7, height))
    inner = (left / 7, below / height, (7 - left - right) / 7, (height - below - above) / height)
    return canvas, canvas.add_axes(inner)


def _by_colour(items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    """Drawn at once, as each drawing of its own takes time: first those with nothing to look at."""
    flagged = [item for item in items if item.flags]
    groups = (_BLUE, [item for item in items if not item.flags]), (_RED, flagged)
    return [(colour, some) for colour, some in groups if some]


def _svg(canvas: Canvas) -> str:
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]

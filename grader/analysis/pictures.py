"""Pictures of a cohort, or of a ladder, as SVG, drawn with matplotlib."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from typing import Any

from matplotlib import rc_context
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
        canvas = Canvas(figsize=(7, 2.6), layout="constrained")
        axes = canvas.subplots()
        axes.hist(values, bins=bar_edges(values, span), color=_BLUE, edgecolor="white")
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
        canvas = Canvas(figsize=(7, 4), layout="constrained")
        axes = canvas.subplots()
        for item in items:
            if item.difficulty is None or item.discrimination is None:
                continue
            colour = _RED if item.flags else _BLUE
            axes.plot(item.difficulty, item.discrimination, "o", color=colour)
            if few or item.flags:
                place = (item.difficulty, item.discrimination)
                axes.annotate(item.check, place, xytext=(4, 3), textcoords="offset points")
        axes.axhline(0.2, color="grey", linewidth=0.8, linestyle="--")
        axes.set_xlim(-0.02, 1.02)
        axes.set_xlabel("mean share earned (right is easy)")
        axes.set_ylabel("agreement with the rest (up is good)")
        return _svg(canvas)


def difficulties(items: Sequence[Item]) -> str:
    """Return the mean share of each check with its interval."""
    shown = [item for item in items if item.difficulty is not None]
    with rc_context(_STYLE):
        canvas = Canvas(figsize=(7, 0.8 + 0.22 * len(shown)), layout="constrained")
        axes = canvas.subplots()
        for place, item in enumerate(reversed(shown)):
            axes.plot([item.difficulty_low or 0.0, item.difficulty_high or 0.0], [place, place], color=_BLUE, alpha=0.4)
            axes.plot([item.difficulty or 0.0], [place], "o", color=_RED if item.flags else _BLUE, markersize=4)
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


def _svg(canvas: Canvas) -> str:
    buffer = io.StringIO()
    canvas.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return text[text.index("<svg") :]

"""Pictures as checks draw them, with matplotlib; slow to import, so only sample sheets use them."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure


def svg_of(draw: Callable[[Axes], object], size: tuple[float, float] = (5.6, 2.6)) -> str:
    """Draw on fresh axes and return the picture as the checker would send it."""
    with matplotlib.rc_context({"svg.hashsalt": "grader", "font.size": 9}):
        figure = Figure(figsize=size, layout="constrained")
        draw(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A caption and how to draw what it names."""

    caption: str
    draw: Callable[[Axes], object]

    def svg(self) -> str:
        """Draw it."""
        return svg_of(self.draw)


def _shops(axes: Axes) -> None:
    axes.barh(["north", "south", "west"], [0.98, 0.91, 0.42], color=["#2a6f97", "#2a6f97", "#c1553b"])
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of local times read right")
    axes.spines[["top", "right"]].set_visible(False)


def _memory(axes: Axes) -> None:
    seconds = [step * 0.8 for step in range(40)]
    axes.plot(seconds, [0.2 + min(1.33, 0.045 * step) for step in range(40)], color="#2a6f97", label="this program")
    axes.axhline(1.0, color="#557a46", linestyle="--", label="full points below")
    axes.axhline(2.5, color="#c1553b", linestyle=":", label="no points above")
    axes.set_xlabel("seconds")
    axes.set_ylabel("GB")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _hours(axes: Axes) -> None:
    axes.hist([-1] * 498 + [0] * 1871 + [1] * 22, bins=[-1.5, -0.5, 0.5, 1.5], color="#2a6f97", rwidth=0.8)
    axes.set_xlabel("hours between the written and the right time")
    axes.set_ylabel("rows")


PICTURES = {
    "A2": Picture(caption="Local times read right, by shop", draw=_shops),
    "D3": Picture(caption="Distance in hours from the newest version", draw=_hours),
    "G4": Picture(caption="Memory over time on three million rows", draw=_memory),
}

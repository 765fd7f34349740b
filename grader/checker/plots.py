"""Pictures for the sheet: a matplotlib figure as SVG text that is the same every time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from grader.checker.awards import AwardError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SVG_CAP = 400_000


def figure_svg(figure: Figure, salt: str) -> bytes:
    """Render a figure.

    Args:
        figure: What to draw; it is closed afterwards by nobody, so make it without pyplot.
        salt: Makes ids inside the picture repeatable.

    Raises:
        AwardError: The picture is too large for a sheet.
    """
    import matplotlib as mpl

    target = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": salt, "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure.savefig(target, format="svg", bbox_inches="tight", metadata={"Date": None})
    svg = target.getvalue()
    if len(svg) > SVG_CAP:
        raise AwardError(f"the picture takes {len(svg):,} bytes; rasterize it or draw fewer points")
    return svg

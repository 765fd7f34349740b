"""The error band of a total: how far the same work moves from one hidden world to another."""

from __future__ import annotations

from grader.model.calibration import Calibration, ErrorBand


def error_band(calibration: Calibration | None, version: str, percent: float | None) -> ErrorBand | None:
    """Take the spread of the solution whose mean total is nearest; of two that are as near, the larger one.

    Scores near the ends move less than those in the middle, so one figure for all would be wrong for most.

    Args:
        calibration: What was measured, if it was.
        version: The exercise's version; what was measured of another one says nothing.
        percent: The total, in percent of the code's points.
    """
    if calibration is None or calibration.version != version or percent is None or not calibration.spreads:
        return None
    near = min(calibration.spreads, key=lambda each: (abs(each.mean - percent), -each.sd))
    return ErrorBand(sd=near.sd, worlds=near.n, solution=near.rung, made=calibration.made)

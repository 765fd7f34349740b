"""The error band of a total: how far the same work moves from one hidden world to another."""

from __future__ import annotations

from grader.model.calibration import Calibration, ErrorBand

OWN = 1.0
"""Points in a hundred by which a total may differ from a solution's mean and still be one of its own."""


def error_band(calibration: Calibration | None, version: str, percent: float | None) -> ErrorBand | None:
    """Take the spread of a solution that had such totals; between two solutions, the larger of theirs.

    Scores near the ends move less than those in the middle, so one figure for all would be wrong for most. A total is
    one that a solution had where it lies within two standard deviations of its mean, or within a point. Elsewhere
    nothing was measured: the larger spread of the solutions next below and next above claims no more than is known.

    Args:
        calibration: What was measured, if it was.
        version: The exercise's version; what was measured of another one says nothing.
        percent: The total, in percent of the code's points.
    """
    if calibration is None or calibration.version != version or percent is None or not calibration.spreads:
        return None
    own = [each for each in calibration.spreads if abs(each.mean - percent) <= max(2 * each.sd, OWN)]
    below = [each for each in calibration.spreads if each.mean <= percent]
    above = [each for each in calibration.spreads if each.mean >= percent]
    next_below = sorted(below, key=lambda each: (each.mean, each.sd))[-1:]
    next_above = sorted(above, key=lambda each: (each.mean, -each.sd))[:1]
    wider = max(own or (*next_below, *next_above), key=lambda each: each.sd)
    return ErrorBand(sd=wider.sd, worlds=wider.n, solution=wider.rung, made=calibration.made)

"""The error band of a total: how far the same work moves from one hidden world to another."""

from __future__ import annotations

from grader.model.calibration import Calibration, ErrorBand


def error_band(calibration: Calibration | None, version: str, percent: float | None) -> ErrorBand | None:
    """Take the larger of two spreads: of the solution whose mean total is next below, and of the one next above.

    Scores near the ends move less than those in the middle, so one figure for all would be wrong for most. Between
    two solutions nothing was measured; the larger of theirs claims no more than is known.

    Args:
        calibration: What was measured, if it was.
        version: The exercise's version; what was measured of another one says nothing.
        percent: The total, in percent of the code's points.
    """
    if calibration is None or calibration.version != version or percent is None or not calibration.spreads:
        return None
    below = [each for each in calibration.spreads if each.mean <= percent]
    above = [each for each in calibration.spreads if each.mean >= percent]
    next_below = sorted(below, key=lambda each: (each.mean, each.sd))[-1:]
    next_above = sorted(above, key=lambda each: (each.mean, -each.sd))[:1]
    wider = max((*next_below, *next_above), key=lambda each: each.sd)
    return ErrorBand(sd=wider.sd, worlds=wider.n, solution=wider.rung, made=calibration.made)

"""What authors of checks import: reasons, the failure of a submission, linear credit."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from grader.model.reasons import Reason

__all__ = ["NotMeasured", "Reason", "SubmissionFailed", "linear", "yardstick"]


class SubmissionFailed(Exception):
    """The submission did not do what a check needs; the check fails with a reason.

    Raise it in a check or in a fixture; then every check that uses the fixture fails with it.

    Args:
        reason: Closed-list code.
        because: What was found, in plain words; recruiters read it, candidates do not.
        evidence: Facts behind it, label to value.
    """

    def __init__(self, reason: Reason, because: str, *, evidence: Mapping[str, object] | None = None) -> None:
        """Keep the parts for the sheet."""
        super().__init__(because)
        self.reason = reason
        self.because = because
        self.evidence = dict(evidence or {})


class NotMeasured(Exception):
    """The machine was too noisy, or else did not allow the measurement: nobody's points are decided by it.

    The check has no result then; the sheet is provisional, shows the range, and goes to a person.

    Args:
        because: What was seen, in plain words.
    """

    def __init__(self, because: str) -> None:
        """Keep it for the sheet."""
        super().__init__(because)
        self.because = because


def linear(value: float, lo: float, hi: float) -> float:
    """Credit that grows in a straight line from 0 at `lo` to 1 at `hi`.

    `lo` may be above `hi`, for measures where less is better. A value that is not a number earns nothing.

    Args:
        value: The measure.
        lo: Anchor of no credit.
        hi: Anchor of full credit.

    Returns:
        A share in [0, 1].
    """
    share = (value - lo) / (hi - lo)
    return 0.0 if math.isnan(share) else min(1.0, max(0.0, share))


def yardstick(work: Callable[[], object], times: int = 2) -> float:
    """Return the processor time of a fixed piece of work on this machine: the unit that another one is divided by.

    Checks never read the clock themselves: seconds differ from machine to machine, ratios hardly do. Divide
    `cpu_seconds` by it, which hardly depends on what else the machine does. A check that divides wall time declares
    `timed=True`, so that nothing else is graded beside it.

    Args:
        work: Does the same each time; called in this process.
        times: How often; the shortest counts, as other load only ever adds.

    Returns:
        Seconds of a processor, all threads of this process together, more than zero.
    """
    return min(_seconds(work) for _ in range(times))


def _seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return max(time.process_time() - began, 1e-9)

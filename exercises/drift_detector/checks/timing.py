"""CPU time beside the reference's, in blocks that take turns, so that a busy machine slows both alike."""

from __future__ import annotations

import functools
import statistics
from dataclasses import dataclass, replace

import anchors
from asking import make_window
from care import mixed_asks

from grader.checker.api import Reason, SubmissionFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a check takes.

    Attributes:
        own: CPU seconds of one check, by block.
        reference: The same of the reference.
        wall: Wall seconds of one check in one process, by block.
    """

    own: tuple[float, ...]
    reference: tuple[float, ...]
    wall: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times the reference's CPU time it takes, which counts with a least; the median of the blocks."""
        pairs = zip(self.own, self.reference, strict=True)
        return statistics.median(own / max(reference, anchors.LEAST_REFERENCE) for own, reference in pairs)

    @property
    def seconds(self) -> float:
        """Seconds of one check at 500 rows, in the fastest block: others may have had to share the machine."""
        return min(*self.wall, *self.own)


def measure_time(session, reference, world, variant) -> Timing:
    """Let submission and reference take turns at the same windows, which neither has seen before.

    Raises:
        SubmissionFailed: Fewer than half of a block's windows were answered; raising takes no time.
    """
    own, other, wall = [], [], []
    with reference.open(workers=2) as rival:
        _of_reference(lambda: _prepare(rival, world))
        for block in range(anchors.TIMED_BLOCKS):
            calls = timed_calls(world, variant, block)
            _of_reference(functools.partial(rival.map, "check", calls))
            other.append(rival.last.cpu_seconds / len(calls))
            answers = session.map("check", calls, seconds=anchors.CALL_SECONDS)
            if 2 * sum(answer.ok for answer in answers) < len(answers):
                because = "Fewer than half of the windows were answered while time was measured."
                raise SubmissionFailed(next(filter(None, (each.reason for each in answers)), Reason.INACTIVE), because)
            own.append(session.last.cpu_seconds / len(calls))
            wall.append(session.last.seconds * 2 / len(calls))
    return Timing(own=tuple(own), reference=tuple(other), wall=tuple(wall))


def timed_calls(world, variant, block: int) -> list[dict[str, object]]:
    """Make the windows of a block; no other block or check shows them, so that no answer can be remembered."""
    asks = [replace(ask, number=ask.number + 1000 * (block + 1)) for ask in mixed_asks(anchors.TIMED_WINDOWS)]
    windows = (make_window(world, variant, ask) for ask in asks if ask.rows == anchors.PLAIN_ROWS)
    return [{"window": window} for window in windows]


def _prepare(rival, world) -> None:
    rival.construct(alpha=anchors.ALPHA, seed=0)
    tables = {"reference": world.reference(), "labels": world.reference_labels()}
    rival.call("fit", seconds=anchors.FIT_PATIENCE, **tables)


def _of_reference(work) -> None:
    """Do something with the reference; that it fails is no fault of the submission's."""
    try:
        work()
    except SubmissionFailed as failure:
        raise RuntimeError(f"the reference failed: {failure}") from failure

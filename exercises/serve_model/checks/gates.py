"""Gates: credit for an absence is given only where work was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parity import Parity, activity

from grader.checker.api import Reason, linear

EXACT_LO, EXACT_HI = 0.0, 0.5
RIGHT_LO, RIGHT_HI = 0.2, 0.6
MAINLY = 0.5


@dataclass(frozen=True, slots=True)
class Gate:
    """A factor, and why it is below one."""

    value: float
    note: str = ""

    def reason(self, otherwise: Reason) -> Reason:
        """Return the main reason for points that are missing."""
        return otherwise if self.value >= MAINLY else Reason.INACTIVE


def uses_the_model(plain: Parity) -> Gate:
    """Open where probabilities move with those of the batch, right or not."""
    value = activity(plain)
    if value == 1:
        return Gate(1.0)
    return Gate(value, " Credit is reduced, because the probabilities hardly follow those of the model.")


def exact(plain: Parity) -> Gate:
    """Open where at least half of the plain rows are right: speed counts for right answers only."""
    value = linear(plain.value, EXACT_LO, EXACT_HI)
    if value == 1:
        return Gate(1.0)
    return Gate(value, f" Credit is reduced, because only {plain.value:.0%} of the plain rows are right.")


def mostly_right(strata: Sequence[Parity]) -> Gate:
    """Open where rows of several strata are right: two paths that fall into all the same traps agree for nothing."""
    share = sum(each.value for each in strata) / len(strata)
    value = linear(share, RIGHT_LO, RIGHT_HI)
    if value == 1:
        return Gate(1.0)
    return Gate(value, f" Credit is reduced, because only {share:.0%} of such rows are right when asked alone.")

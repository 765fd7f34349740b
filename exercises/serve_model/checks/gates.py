"""Gates: credit for an absence is given only where work was done."""

from __future__ import annotations

from dataclasses import dataclass

from parity import Parity, activity

from grader.checker.api import Reason, linear

EXACT_LO, EXACT_HI = 0.0, 0.5
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

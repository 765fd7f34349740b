"""Which check may begin when: one that measures time has the machine for itself, and all others let it go first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from grader.clock import monotonic
from grader.engine.jobs import Place
from grader.engine.submission_box import SubmissionBox
from grader.errors import BoxLost


class Turns:
    """Gives each check of a run the place that it needs.

    A run gives way between two checks only: the line to its checker rests then, and nothing is measured. What it has
    left running in the submission's box is frozen while it waits, so that it does not disturb who does not.

    Args:
        place: Of the run; None where nobody else is graded.
        timed: Ids of the checks that measure time.
        box: The submission's.
        step: Told what happens.
    """

    def __init__(
        self, place: Place | None, timed: frozenset[str], box: SubmissionBox, step: Callable[[str], None]
    ) -> None:
        """No check has begun yet."""
        self._place = place
        self._timed = timed
        self._box = box
        self._step = step

    def begin(self, check: str) -> float:
        """Wait until a check may begin; returns the seconds that it took.

        Raises:
            BoxLost: Nobody waits any longer: everything was stopped.
            InfrastructureFault: The box could not be thawed.
        """
        if self._place is None:
            return 0.0
        began: list[float] = []
        with ExitStack() as thaw:

            def wait() -> None:
                began.append(monotonic())
                thaw.enter_context(self._box.frozen())
                self._step("waiting for a quiet machine" if check in self._timed else "waiting for a timed check")

            if not self._place.settle(alone=check in self._timed, waiting=wait):
                raise BoxLost("The batch was stopped.")
        return monotonic() - began[0] if began else 0.0

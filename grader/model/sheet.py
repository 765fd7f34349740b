"""The score sheet: the one object that people see, in whatever format."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from grader.model.base import Frozen, Line, Points
from grader.model.calibration import ErrorBand
from grader.model.decision import REASON_CAP, DecisionPart
from grader.model.exercise import Limits
from grader.model.reasons import Reason, Rejection
from grader.model.result import Evidence, Outcome, Plot
from grader.model.run import Fault, Isolation, Noticed, Resources, RunStatus


class Audience(StrEnum):
    """Who reads a sheet. Each later one sees everything the earlier ones see."""

    CANDIDATE = "candidate"
    RECRUITER = "recruiter"
    AUTHOR = "author"


class ExerciseReference(Frozen):
    """Which exercise a sheet is about."""

    id: str
    version: str
    title: Line


class RejectionNote(Frozen):
    """Why the submission could not be graded, and what the candidate can do."""

    reason: Rejection
    words: str
    message: str
    hint: str = ""


class Subtotal(Frozen):
    """Points of one competency or one check group. `earned` is None while a check lacks its answer."""

    id: str
    title: Line
    earned: Points | None
    possible: Points


class Measured(Frozen):
    """What a check gave before a person corrected it; None twice where it could not be measured."""

    earned: Points | None
    outcome: Outcome | None


class Override(Frozen):
    """A person's correction of one check. Candidates are not shown the reason, nor by whom it is."""

    measured: Measured
    reason: Annotated[Line, Field(max_length=REASON_CAP)] = ""
    by: Annotated[Line, Field(max_length=120)] = ""
    made: datetime


def _is_none(value: object) -> bool:
    return value is None


class CheckLine(Frozen):
    """One check on the sheet. `outcome` and `earned` are None when it could not be measured.

    Where there is an `override`, `outcome` and `earned` are the person's, and all else was measured. A line without
    one does not hold the field, so that its canonical form is what it was before there were overrides.
    """

    id: str
    group: str
    title: Line
    competency: str
    possible: Points
    earned: Points | None
    outcome: Outcome | None
    reason: Reason | None = None
    words: str = ""
    because: str = ""
    evidence: tuple[Evidence, ...] = ()
    plots: tuple[Plot, ...] = ()
    question: Line = ""
    feedback: Line = ""
    metrics: dict[str, float] = {}
    seconds: float = 0.0
    source: str = ""
    override: Annotated[Override | None, Field(exclude_if=_is_none)] = None


class Provenance(Frozen):
    """What is needed to recompute the score. Digests are SHA-256 in hexadecimal."""

    harness: str
    harness_digest: str
    submission_digest: str
    exercise_digest: str
    images: dict[str, str]
    variant: Line
    variant_commitment: str
    limits: Limits
    isolation: Isolation | None


class Signature(Frozen):
    """Ed25519 (RFC 8032) over the canonical JSON (RFC 8785) of the sheet without this field.

    Both values are base64.
    """

    algorithm: Literal["ed25519"] = "ed25519"
    public_key: str
    value: str


class ScoreSheet(Frozen):
    """The result of one run, for one audience.

    `earned`, `possible` and the subtotals are about code; `decision` is about the notebook, where the
    exercise asks for one. `earned` is None when the run was rejected, or faulted (then `lowest` and `highest` say
    what the total would be with the unmeasured checks as none and as all). `waited_seconds` is how long the run stood
    still between two checks, for timed checks of other runs.
    """

    schema_version: Literal[1] = 1
    audience: Audience
    run: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    status: RunStatus
    candidate: Line
    submission: Line
    exercise: ExerciseReference
    started: datetime
    finished: datetime
    waited_seconds: Annotated[float, Field(ge=0)] = 0.0
    earned: Points | None
    possible: Points
    lowest: Points | None = None
    highest: Points | None = None
    band: ErrorBand | None = None
    rejection: RejectionNote | None = None
    faults: tuple[Fault, ...] = ()
    competencies: tuple[Subtotal, ...] = ()
    groups: tuple[Subtotal, ...] = ()
    checks: tuple[CheckLine, ...] = ()
    decision: DecisionPart | None = None
    resources: Resources = Resources()
    observations: tuple[str, ...] = ()
    noticed: tuple[Noticed, ...] = ()
    ai_use: str = ""
    provenance: Provenance
    signature: Signature | None = None

    @property
    def seconds(self) -> float:
        """How long the run took, without what it waited for others."""
        return max(0.0, (self.finished - self.started).total_seconds() - self.waited_seconds)

    @property
    def code_checks(self) -> tuple[CheckLine, ...]:
        """The checks whose points make up `possible`."""
        return tuple(check for check in self.checks if self.decision is None or check.group != self.decision.group)

    @property
    def notebook_checks(self) -> tuple[CheckLine, ...]:
        """The checks of the decision notebook."""
        return tuple(check for check in self.checks if self.decision is not None and check.group == self.decision.group)

    @property
    def overridden(self) -> tuple[CheckLine, ...]:
        """The checks that a person corrected."""
        return tuple(check for check in self.checks if check.override is not None)

    @property
    def measured_earned(self) -> Points | None:
        """The total for code without any override; None where there is no such total."""
        total = self.earned
        for check in self.code_checks:
            if check.override is not None and total is not None and check.earned is not None:
                measured = check.override.measured.earned
                total = None if measured is None else total - check.earned + measured
        return total

    @property
    def open_faults(self) -> tuple[Fault, ...]:
        """Faults for which the total is missing; those of a run whose checks people have decided are history."""
        return self.faults if self.status is RunStatus.FAULTED else ()

    @property
    def percent(self) -> float | None:
        """The total for code in percent of the possible points, or None when there is no total."""
        if self.earned is None or not self.possible:
            return None
        return float(100 * self.earned / self.possible)

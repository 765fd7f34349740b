"""What a check reports."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from grader.model.base import Frozen, Line
from grader.model.exercise import CheckId
from grader.model.reasons import Reason


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    PARTIAL = "partial"
    FAILED = "failed"
    BLOCKED = "blocked"
    SKIPPED = "skipped"


Text = Annotated[str, Field(max_length=2048)]


class Evidence(Frozen):
    """One fact behind an outcome: what was looked at, and what was found."""

    label: Annotated[Line, Field(max_length=120)]
    value: Text


class Plot(Frozen):
    """A picture that supports a check's outcome; the text alone must already be enough.

    `svg` comes from the checker box and is cleaned by `render.svg` before anybody sees it.
    """

    caption: Annotated[Line, Field(max_length=300)]
    svg: Annotated[str, Field(max_length=400_000)]


class CheckResult(Frozen):
    """One check's answer. `fraction` is the share of its points that was earned, 0..1."""

    check: CheckId
    outcome: Outcome
    fraction: Annotated[float, Field(ge=0, le=1)]
    reason: Reason | None = None
    because: Text = ""
    evidence: Annotated[tuple[Evidence, ...], Field(max_length=40)] = ()
    plots: Annotated[tuple[Plot, ...], Field(max_length=6)] = ()
    metrics: dict[Annotated[str, Field(max_length=80)], float] = {}
    seconds: Annotated[float, Field(ge=0)] = 0.0


class CheckDefect(Frozen):
    """A check that failed to do its own work: the author's fault, never the candidate's."""

    check: CheckId
    message: Text
    file: str = ""
    line: int = 0

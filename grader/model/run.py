"""One grading run and the ways it can end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from grader.model.base import Frozen, Line
from grader.model.result import CheckDefect, CheckResult


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    GRADED = "graded"
    REJECTED = "rejected"
    FAULTED = "faulted"
    CANCELLED = "cancelled"


class Party(StrEnum):
    """Who is to blame for a fault."""

    CANDIDATE = "candidate"
    AUTHOR = "author"
    INFRASTRUCTURE = "infrastructure"


class Fault(Frozen):
    """Why a run has no total: somebody other than the candidate must act."""

    party: Party
    message: str
    hint: str = ""


class Sign(StrEnum):
    """What can be noticed of a submission that meddles; each may have an innocent reason."""

    STEERING = "steering"
    PLANTED = "planted"
    PROTOCOL = "protocol"
    NETWORK = "network"
    LEFT_OVER = "left_over"
    FLOOD = "flood"
    DIRTY = "dirty"


class Noticed(Frozen):
    """A fact for a person to weigh; it never changes points. `where` names files or checks, in part where many."""

    sign: Sign
    times: Annotated[int, Field(ge=1)] = 1
    where: Annotated[tuple[Annotated[Line, Field(max_length=160)], ...], Field(max_length=8)] = ()


class Isolation(Frozen):
    """The walls that really stood around a submission, read back from the engine."""

    engine: str
    runtime: str
    seccomp: str
    security_module: str
    cgroups: str
    warnings: tuple[str, ...] = ()


class Nearest(Frozen):
    """What came nearest to a limit: the seconds that it took, of those that it was given."""

    seconds: Annotated[float, Field(ge=0)]
    given: Annotated[float, Field(gt=0)]


class Resources(Frozen):
    """What the submission used, measured from outside its box.

    Seconds of wall clock and CPU; bytes of memory. `sessions` counts fresh starts of the program. `nearest` has, by the
    limit's name in the manifest, what took the largest share of its time, of all that was not cut short.
    """

    wall_seconds: Annotated[float, Field(ge=0)] = 0.0
    cpu_seconds: Annotated[float, Field(ge=0)] = 0.0
    peak_memory: Annotated[int, Field(ge=0)] = 0
    sessions: Annotated[int, Field(ge=0)] = 0
    boxes: Annotated[int, Field(ge=0)] = 0
    nearest: dict[str, Nearest] = {}


class RunRecord(Frozen):
    """Everything a run found out; the score sheet is folded from it and from the exercise."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    started: datetime
    finished: datetime
    waited_seconds: Annotated[float, Field(ge=0)] = 0.0
    results: tuple[CheckResult, ...] = ()
    defects: tuple[CheckDefect, ...] = ()
    faults: tuple[Fault, ...] = ()
    resources: Resources = Resources()
    isolation: Isolation | None = None
    images: dict[str, str] = {}
    observations: tuple[str, ...] = ()
    noticed: tuple[Noticed, ...] = ()

"""What a rung earned, beside what its ladder expects. Pure: no boxes, no files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from pydantic import Field

from grader.catalog.ladder import Expected, RungKind
from grader.model.base import Frozen
from grader.model.run import Nearest, Party
from grader.model.sheet import ScoreSheet

FAILED_UP_TO = 0.5
TOLERATED_LOSS = 0.25
ROUNDING = 1e-9


class Earned(Frozen):
    """One finished run of a rung.

    Attributes:
        rung: Name of the rung.
        candidate: Whose variant it was graded on.
        repeat: Which time the same was graded on the same variant, from 1.
        submission: Digest of what was handed in.
        exercise: Digest of what decides in the exercise what a submission earns.
        status: graded, rejected or faulted.
        reason: Why it was rejected, or "".
        percent: The total, or None when there is none.
        shares: Check id to the share of its points that was earned; None when it was not measured.
        groups: Check group to points earned.
        notebook: Points that checks gave the decision notebook, or None when there are none to tell.
        notebook_checks: Ids of its checks.
        faults: What went wrong that was not the submission's doing.
        to_act: Who has to act on that.
        seconds: Wall time of the run.
        check_seconds: Check id to wall time; what several checks share counts for the first that needs it.
        peak_memory: Most bytes that the submission's box held.
        nearest: By the limit's name, what took most of the seconds that it was given.
        graded: When; None where an older grader did not say.
        machine: What on, in words.
    """

    rung: str
    candidate: str
    repeat: int = 1
    submission: str
    exercise: str
    status: str
    reason: str = ""
    percent: float | None = None
    shares: dict[str, float | None] = Field(default_factory=dict)
    groups: dict[str, float | None] = Field(default_factory=dict)
    notebook: float | None = None
    notebook_checks: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    to_act: tuple[Party, ...] = ()
    seconds: float = 0.0
    check_seconds: dict[str, float] = Field(default_factory=dict)
    peak_memory: int = 0
    nearest: dict[str, Nearest] = Field(default_factory=dict)
    graded: date | None = None
    machine: str = ""

    @property
    def failed_by_the_machine(self) -> bool:
        """Whether there is no result, and nobody but whoever runs the grader can help."""
        return self.status == "faulted" and set(self.to_act) == {Party.INFRASTRUCTURE}


def earned_by(sheet: ScoreSheet, rung: str, candidate: str, repeat: int = 1) -> Earned:
    """Take from a score sheet what a ladder is about."""
    return Earned(
        rung=rung,
        candidate=candidate,
        repeat=repeat,
        submission=sheet.provenance.submission_digest,
        exercise=sheet.provenance.exercise_digest,
        status=sheet.status.value,
        reason=sheet.rejection.reason.value if sheet.rejection else "",
        percent=sheet.percent,
        shares={each.id: None if each.earned is None else float(each.earned / each.possible) for each in sheet.checks},
        groups={each.id: None if each.earned is None else float(each.earned) for each in sheet.groups},
        notebook=None if sheet.decision is None or sheet.decision.earned is None else float(sheet.decision.earned),
        notebook_checks=tuple(check.id for check in sheet.notebook_checks),
        faults=tuple(fault.message for fault in sheet.faults),
        to_act=tuple(dict.fromkeys(fault.party for fault in sheet.faults)),
        seconds=sheet.seconds,
        check_seconds={each.id: round(each.seconds, 3) for each in sheet.checks},
        peak_memory=sheet.resources.peak_memory,
        nearest=sheet.resources.nearest,
        graded=sheet.finished.date(),
    )


def violations(expected: Expected, earned: Earned, parent: Earned | None) -> Iterator[str]:
    """Yield every way in which a rung did not do what it is expected to do.

    Args:
        expected: The rung's expectation.
        earned: What it earned.
        parent: What its parent earned on the same variant, where that is known.
    """
    if expected.status == "any" and earned.status == "rejected":
        return
    if earned.status != ("graded" if expected.status == "any" else expected.status):
        told = "; ".join(earned.faults) or earned.reason
        yield f"is {earned.status}{f' ({told})' if told else ''}, not {expected.status}"
        return
    if expected.status == "rejected":
        if earned.reason != expected.reason:
            yield f"is rejected for {earned.reason}, not for {expected.reason}"
        return
    yield from _outside(expected, earned)
    for check in expected.must_fail:
        share = earned.shares.get(check)
        if share is None or share > FAILED_UP_TO:
            yield f"{check} should fail, but earned {_percent(share)}"
    if expected.rung is RungKind.FLAW and parent is not None:
        # What a notebook finds rests on the program, so a flaw of the program may show in it too.
        about_code = not set(expected.must_fail) & set(earned.notebook_checks)
        left_out = earned.notebook_checks if about_code else ()
        watched = {check: share for check, share in parent.shares.items() if check not in left_out}
        yield from _collateral(expected, earned.shares, watched)


def _outside(expected: Expected, earned: Earned) -> Iterator[str]:
    bands = [("", earned.percent, expected.band)]
    if expected.notebook is not None:
        bands.append(("its notebook ", earned.notebook, expected.notebook))
    for what, found, (low, high) in bands:
        if found is None or not low - ROUNDING <= found <= high + ROUNDING:
            yield f"{what}earned {found}, outside of {low:g} to {high:g}"


def _collateral(
    expected: Expected, shares: Mapping[str, float | None], parents: Mapping[str, float | None]
) -> Iterator[str]:
    for check, before in parents.items():
        after = shares.get(check)
        if check in expected.must_fail or before is None or after is None:
            continue
        if before - after > TOLERATED_LOSS + ROUNDING:
            yield f"{check} is not listed, but lost {_percent(before - after)} against {expected.parent}"


def _percent(share: float | None) -> str:
    return "nothing that could be measured" if share is None else f"{share:.0%}"

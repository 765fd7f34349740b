"""What each audience may know, decided once and before any renderer runs.

A renderer can only show what its sheet still holds, so nothing hidden can reach a candidate
through a template, a CSV column or a format that is added later.
"""

from __future__ import annotations

from grader.errors import UsageError
from grader.model.decision import DecisionPart, HumanPart, RatingState
from grader.model.exercise import BoxLimits
from grader.model.reasons import REASON_WORDS, Reason
from grader.model.run import Fault, Party
from grader.model.sheet import Audience, CheckLine, Override, Provenance, ScoreSheet

_ORDER = tuple(Audience)

RUN_IS_REPEATED = Fault(
    party=Party.INFRASTRUCTURE,
    message="Something on our side did not work, so this run is not complete.",
    hint="The run will be repeated. Nothing counts against you.",
)


def for_audience(sheet: ScoreSheet, audience: Audience) -> ScoreSheet:
    """Return the sheet as `audience` may see it, without a signature if anything could have changed.

    Args:
        sheet: A sheet made for this audience or for a later one.
        audience: Who is going to read it.

    Raises:
        UsageError: The sheet has already been cut down for an audience that may see less.
    """
    if sheet.audience is audience:
        return sheet
    if _ORDER.index(audience) > _ORDER.index(sheet.audience):
        raise UsageError(
            f"This score sheet was made for the {sheet.audience}; what the {audience} may see is no longer in it.",
            hint="Start from the sheet.json that was written when the submission was graded.",
        )
    if audience is Audience.CANDIDATE:
        return _for_candidate(sheet)
    checks = tuple(check.model_copy(update={"metrics": {}, "source": ""}) for check in sheet.checks)
    return sheet.model_copy(update={"audience": audience, "checks": checks, "signature": None})


def _for_candidate(sheet: ScoreSheet) -> ScoreSheet:
    return sheet.model_copy(
        update={
            "audience": Audience.CANDIDATE,
            "band": None if sheet.band is None else sheet.band.model_copy(update={"solution": ""}),
            "checks": tuple(_check_for_candidate(check) for check in sheet.checks),
            "decision": None if sheet.decision is None else _decision_for_candidate(sheet.decision),
            "faults": (RUN_IS_REPEATED,) if sheet.open_faults else (),
            "observations": (),
            "waited_seconds": 0.0,
            "noticed": (),
            "provenance": _provenance_for_candidate(sheet.provenance),
            "signature": None,
        }
    )


def _check_for_candidate(check: CheckLine) -> CheckLine:
    # Built up from what may be shown, not cut down: a field that is added to CheckLine
    # later stays hidden until somebody decides otherwise here.
    lost = check.earned is not None and check.earned < check.possible
    return CheckLine(
        id=check.id,
        group=check.group,
        title=check.title,
        competency=check.competency,
        possible=check.possible,
        earned=check.earned,
        outcome=check.outcome,
        reason=check.reason,
        words=REASON_WORDS[check.reason] if check.reason else "",
        # It speaks of what was done, and says nothing true of a part that was left out.
        feedback=check.feedback if lost and check.reason is not Reason.MISSING_PART else "",
        # Why a person decided so tells of hidden checks, and who it was is between us and them.
        override=Override(measured=check.override.measured, made=check.override.made) if check.override else None,
    )


def _decision_for_candidate(part: DecisionPart) -> DecisionPart:
    """Keep what checks measured; of the reading by people the points, once they are final, and no names."""
    human, final = part.human, part.human is not None and part.human.state is RatingState.FINAL
    shown = HumanPart(state=human.state, earned=human.earned, dimensions=human.dimensions) if human and final else None
    return DecisionPart(
        group=part.group,
        path=part.path,
        handed_in=part.handed_in,
        earned=part.earned,
        possible=part.possible,
        human=shown,
        human_possible=part.human_possible,
        total=part.total,
        total_possible=part.total_possible,
    )


def _provenance_for_candidate(provenance: Provenance) -> Provenance:
    """Keep digests and the candidate's own limits; the checker box and the host are not their business."""
    limits = provenance.limits.model_copy(update={"checker": BoxLimits()})
    return provenance.model_copy(update={"limits": limits, "isolation": None})

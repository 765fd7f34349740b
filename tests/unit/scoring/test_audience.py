"""Who may see what: the candidate's sheet holds nothing that a hidden check knows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.model.exercise import BoxLimits
from grader.model.reasons import REASON_WORDS, Reason
from grader.model.result import Outcome
from grader.model.run import Fault, Noticed, Party, RunStatus, Sign
from grader.model.sheet import Audience, ScoreSheet
from grader.scoring.audience import RUN_IS_REPEATED, for_audience
from tests.factories import (
    make_check_line,
    make_faulted_sheet,
    make_limits,
    make_provenance,
    make_rejected_sheet,
    make_sheet,
)

# Where a candidate's sheet may hold text that came from elsewhere; everything else is hidden.
SHOWN_TO_CANDIDATES = {
    "candidate", "submission", "ai_use", "exercise.version", "exercise.id", "exercise.title",
    "rejection.words", "rejection.message", "rejection.hint",
    "competencies.id", "competencies.title", "groups.id", "groups.title",
    "checks.id", "checks.group", "checks.title", "checks.competency", "checks.feedback",
    "provenance.harness", "provenance.harness_digest", "provenance.submission_digest",
    "provenance.exercise_digest", "provenance.images", "provenance.variant", "provenance.variant_commitment",
}  # fmt: skip
CONSTRAINED = {"audience", "run", "status", "party", "reason", "outcome", "algorithm"}


def with_canaries(value: Any, numbers: Iterator[int], path: str = "") -> Any:
    """Replace every free string by one that tells where it stood."""
    name = path.rpartition(".")[2]
    if isinstance(value, dict):
        if name == "metrics":
            return {f"canary-{next(numbers)}-{path}-": number for number in value.values()}
        below = (lambda _key: path) if name == "images" else (lambda key: f"{path}.{key}".lstrip("."))
        return {key: with_canaries(each, numbers, below(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [with_canaries(each, numbers, path) for each in value]
    if type(value) is str and name not in CONSTRAINED:
        return f"canary-{next(numbers)}-{path}-"
    return value


def full_sheet() -> ScoreSheet:
    """Every field filled, and every free string a canary."""
    source = make_sheet(
        checks=(make_check_line(), make_check_line(id="B2")),
        rejection=make_rejected_sheet().rejection,
        faults=make_faulted_sheet().faults,
    )
    return ScoreSheet.model_validate(with_canaries(source.model_dump(), itertools.count()))


def canary_paths(sheet: ScoreSheet) -> set[str]:
    text = sheet.model_dump_json()
    return {part.split("-", 1)[1].split("-")[0] for part in text.split("canary-")[1:]}


def test_the_candidate_gets_text_from_named_places_only() -> None:
    assert canary_paths(for_audience(full_sheet(), Audience.CANDIDATE)) == SHOWN_TO_CANDIDATES


def test_the_recruiter_gets_everything_but_metrics_source_and_signature() -> None:
    hidden = {"checks.metrics", "checks.source", "signature.public_key", "signature.value"}
    author = full_sheet()
    assert canary_paths(for_audience(author, Audience.RECRUITER)) == canary_paths(author) - hidden


@given(st.lists(st.tuples(st.sampled_from(Outcome), st.integers(0, 4)), min_size=1, max_size=8), st.booleans())
def test_no_hidden_string_reaches_the_candidate(checks: list[tuple[Outcome, int]], faulted: bool) -> None:
    lines = tuple(
        make_check_line(
            id=f"B{number}", outcome=outcome, earned=Decimal(earned), because="canary-because", question="canary-ask",
            source="canary-source", words="canary-words", metrics={"canary-metric": 1.0}, seconds=1234.5,
        )
        for number, (outcome, earned) in enumerate(checks)
    )  # fmt: skip
    faults = (Fault(party=Party.AUTHOR, message="canary-fault"),) if faulted else ()
    noticed = (Noticed(sign=Sign.PLANTED, where=("canary-noticed",)),)
    sheet = make_sheet(checks=lines, faults=faults, observations=("canary-observation",), noticed=noticed)
    sheet = sheet.model_copy(update={"waited_seconds": 1234.5})
    text = for_audience(sheet, Audience.CANDIDATE).model_dump_json()
    assert "canary" not in text
    assert "1234.5" not in text
    assert "planted" not in text
    assert "svg" not in text


def test_the_candidate_keeps_points_outcome_and_the_reason_in_our_words() -> None:
    sheet = make_sheet(checks=(make_check_line(words="KeyError: 'amount_cents'"),))
    (check,) = for_audience(sheet, Audience.CANDIDATE).checks
    assert (check.earned, check.possible, check.outcome) == (Decimal(2), Decimal(4), Outcome.PARTIAL)
    assert check.words == REASON_WORDS[Reason.WRONG_ANSWER]


def test_feedback_is_for_lost_points_only() -> None:
    sheet = make_sheet(checks=(make_check_line(), make_check_line(id="B2", earned=4), make_check_line(earned=None)))
    lost, full, unmeasured = for_audience(sheet, Audience.CANDIDATE).checks
    assert lost.feedback == make_check_line().feedback
    assert (full.feedback, unmeasured.feedback) == ("", "")


def test_a_fault_tells_the_candidate_that_the_run_is_repeated_and_no_more() -> None:
    sheet = for_audience(make_faulted_sheet(), Audience.CANDIDATE)
    assert sheet.faults == (RUN_IS_REPEATED,)
    assert sheet.status is RunStatus.FAULTED


def test_a_rejection_is_explained_to_the_candidate() -> None:
    sheet = make_rejected_sheet()
    assert for_audience(sheet, Audience.CANDIDATE).rejection == sheet.rejection


def test_the_candidate_sees_their_own_limits_and_not_those_of_the_checker() -> None:
    limits = make_limits()
    shown = for_audience(make_sheet(provenance=make_provenance(limits=limits)), Audience.CANDIDATE).provenance
    assert shown.limits.submission == limits.submission
    assert shown.limits.checker == BoxLimits()
    assert shown.isolation is None


@pytest.mark.parametrize("audience", [Audience.CANDIDATE, Audience.RECRUITER])
def test_a_redacted_sheet_has_to_be_signed_again(audience: Audience) -> None:
    assert for_audience(make_sheet(), audience).signature is None


def test_a_sheet_for_its_own_audience_is_left_alone() -> None:
    sheet = make_sheet()
    assert for_audience(sheet, Audience.AUTHOR) is sheet


def test_redacting_twice_is_redacting_once() -> None:
    sheet = make_sheet()
    by_way_of_recruiter = for_audience(for_audience(sheet, Audience.RECRUITER), Audience.CANDIDATE)
    assert by_way_of_recruiter == for_audience(sheet, Audience.CANDIDATE)


def test_what_was_left_out_cannot_be_asked_for_again() -> None:
    with pytest.raises(UsageError, match="made for the candidate"):
        for_audience(for_audience(make_sheet(), Audience.CANDIDATE), Audience.AUTHOR)

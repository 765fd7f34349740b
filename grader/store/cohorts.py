"""Reading many runs at once, for tables and figures. One cohort is one version of one exercise."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Select, func, select

from grader.collector import without_the_collector
from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.store.batches import members, require_batch
from grader.store.database import Database
from grader.store.overrides import standing
from grader.store.schema import candidates, exercise_versions, overrides, results, runs, submissions

Answer = tuple[float | None, str | None]
"""Share of a check's points that was earned, and its outcome; None where it was not measured."""


UNMEASURED: Answer = (None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person gave for a check, in points, and what was measured: points and answer, None where nothing was."""

    given: float
    measured: float | None
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One candidate's score: of what they handed in last.

    Attributes:
        id: The candidate's, for pseudonyms.
        candidate: Name; "" once it was erased.
        label: What the submission was called.
        submission: Id of the submission.
        run: Id of the run whose score counts.
        percent: Total of the code.
        earned: Points of the code.
        possible: Points of the code.
        seconds: Wall time of the run.
        band: Standard deviation of the total over hidden worlds, in percent; None where it was not measured.
        answers: By check.
        corrections: By check; totals and answers hold them.
    """

    id: str
    candidate: str
    label: str
    submission: str
    run: str
    percent: float
    earned: float
    possible: float
    seconds: float
    band: float | None
    answers: Mapping[str, Answer]
    corrections: Mapping[str, Correction] = field(default_factory=dict)

    def as_measured(self, code: Collection[str]) -> Member | None:
        """The same without what people have corrected; None where a check of the run could not be measured.

        Args:
            code: Ids of the checks whose points make up the total.
        """
        earned = self.earned
        for check, each in self.corrections.items():
            if each.measured is None:
                return None
            earned += each.measured - each.given if check in code else 0.0
        answers = {**self.answers, **{check: each.answer for check, each in self.corrections.items()}}
        return replace(self, earned=earned, percent=100 * earned / self.possible, answers=answers, corrections={})


@dataclass(frozen=True, kw_only=True)  # without slots: `columns` are made once
class Cohort:
    """The candidates of an exercise at one version.

    Attributes:
        exercise: The exercise as it was at that version.
        name: Which group this is, in words.
        members: Graded ones.
        rejected: How many could not be graded.
        faulted: How many have no complete run.
        elsewhere: Version to how many were graded with it and are not here.
    """

    exercise: Exercise
    name: str
    members: Sequence[Member]
    rejected: int
    faulted: int
    elsewhere: Mapping[str, int]

    @cached_property
    def columns(self) -> Mapping[str, Sequence[float | None]]:
        """Share of every member, in their order, for each check of the code; None where it was not measured."""
        answers = [member.answers for member in self.members]
        return {check.id: _column(check.id, answers) for check in self.exercise.code_checks}

    @property
    def corrected(self) -> int:
        """How many scores hold corrections by people."""
        return sum(bool(member.corrections) for member in self.members)

    def as_measured(self) -> Cohort:
        """The same without what people have corrected, for figures about the exercise.

        Whose run has a check that could not be measured counts among the faulted.
        """
        if not self.corrected:
            return self
        code = {check.id for check in self.exercise.code_checks}
        measured = [member.as_measured(code) if member.corrections else member for member in self.members]
        kept = [member for member in measured if member is not None]
        return replace(self, members=kept, faulted=self.faulted + len(self.members) - len(kept))


def _column(check: str, answers: Sequence[Mapping[str, Answer]]) -> list[float | None]:
    try:
        return [each[check][0] for each in answers]
    except KeyError:  # somebody's run knows nothing of it
        return [each.get(check, UNMEASURED)[0] for each in answers]


def read_cohort(database: Database, exercise: str, batch: str | None = None, version: str | None = None) -> Cohort:
    """Read the scores that count.

    Args:
        database: The store's.
        exercise: Id of the exercise.
        batch: Only who is in the batch of this name.
        version: Only who was graded with this version; by default the one that graded last.

    Raises:
        UsageError: Nobody was graded.
    """
    with database.reading() as connection, without_the_collector():
        if batch is not None:
            require_batch(connection, exercise, batch)
        versions = _versions(connection, exercise, batch)
        if not versions or (version is not None and version not in versions):
            listed = f"There are scores of the versions {', '.join(versions)}." if versions else ""
            what = f"{exercise} {version}" if version else exercise
            raise UsageError(f"Nobody has a score of {what}.", hint=listed or "Grade first: grader grade")
        chosen = version or next(iter(versions))
        content, found, counts = _members_of(connection, exercise, batch, chosen)
    name = f"{exercise} {chosen}" + (f", batch {batch}" if batch else "")
    return Cohort(
        exercise=Exercise.model_validate_json(content),
        name=name,
        members=found,
        rejected=counts["rejected"],
        faulted=counts["faulted"],
        elsewhere={other: count for other, count in versions.items() if other != chosen},
    )


def _versions(connection: Connection, exercise: str, batch: str | None) -> dict[str, int]:
    """Versions with scores that count, the one that graded last first."""
    query = (
        select(exercise_versions.c.version, func.count())
        .join(runs, runs.c.exercise_digest == exercise_versions.c.digest)
        .join(submissions, submissions.c.shown_run == runs.c.id)
        .where(submissions.c.exercise_id == exercise)
        .group_by(exercise_versions.c.version)
        .order_by(func.max(runs.c.finished).desc())
    )
    if batch is not None:
        query = query.where(submissions.c.id.in_(members(exercise, batch)))
    return {version: count for version, count in connection.execute(query)}


def _members_of(
    connection: Connection, exercise: str, batch: str | None, version: str
) -> tuple[str, list[Member], Counter[str]]:
    rows = connection.execute(_shown(exercise, batch, version)).all()
    last = {row.candidate_id: row for row in rows}
    counts = Counter(row.status for row in last.values())
    digest = rows[-1].exercise_digest  # of whatever came last; a dict keeps people as they came first
    table = exercise_versions
    content = connection.execute(select(table.c.content).where(table.c.digest == digest)).scalar_one()
    graded = [row for row in last.values() if row.status == "graded" and row.earned is not None and row.possible]
    # One document is read several times as fast as thousands.
    answers = json.loads(f"[{','.join(row.answers for row in graded)}]")
    found = [_member(row, each) for row, each in zip(graded, answers, strict=True)]
    corrections = _corrections(connection, exercise)
    if corrections:
        found = [replace(each, corrections=corrections.get(each.run, {})) for each in found]
    return content, found, counts


def _corrections(connection: Connection, exercise: str) -> dict[str, dict[str, Correction]]:
    """What people have corrected in the runs that count, by run and check."""
    shown = select(submissions.c.shown_run).where(submissions.c.exercise_id == exercise)
    table = standing()
    query = select(table.c.run_id, table.c.check_id, table.c.earned).where(table.c.run_id.in_(shown))
    given = {(run, check): earned for run, check, earned in connection.execute(query)}
    if not given:  # as nearly always; results are many
        return {}
    columns = (results.c.run_id, results.c.check_id, results.c.earned, results.c.possible, results.c.outcome)
    measured = select(*columns).where(results.c.run_id.in_(select(overrides.c.run_id)))
    found: dict[str, dict[str, Correction]] = {}
    for run, check, earned, possible, outcome in connection.execute(measured):
        if (run, check) in given:
            answer: Answer = UNMEASURED if earned is None else (round(earned / possible, 6), outcome)
            points = None if earned is None else earned / 100
            correction = Correction(given=given[run, check] / 100, measured=points, answer=answer)
            found.setdefault(run, {})[check] = correction
    return found


def _shown(exercise: str, batch: str | None, version: str) -> Select[Any]:
    """Select the run that counts of every submission, as they were received: what came last comes last."""
    query = (
        select(
            submissions.c.id,
            submissions.c.label,
            submissions.c.candidate_id,
            candidates.c.name,
            runs.c.id.label("run"),
            runs.c.status,
            runs.c.earned,
            runs.c.possible,
            runs.c.seconds,
            runs.c.band,
            runs.c.answers,
            runs.c.exercise_digest,
        )
        .join(runs, runs.c.id == submissions.c.shown_run)
        .join(exercise_versions, exercise_versions.c.digest == runs.c.exercise_digest)
        .join(candidates, candidates.c.id == submissions.c.candidate_id)
        .where(submissions.c.exercise_id == exercise, exercise_versions.c.version == version)
        .order_by(submissions.c.received, submissions.c.id)
    )
    return query if batch is None else query.where(submissions.c.id.in_(members(exercise, batch)))


def _member(row: Sequence[Any], answers: Any) -> Member:
    # Taken apart at once: by name, each value of each of thousands of rows is looked for.
    submission, label, person, name, run, _, earned, possible, seconds, band, *_ = row
    return Member(
        id=person,
        candidate=name or "",
        label=label or "",
        submission=submission,
        run=run,
        percent=100 * earned / possible,
        earned=earned / 100,
        possible=possible / 100,
        seconds=seconds or 0.0,
        band=band,
        answers=answers,
    )

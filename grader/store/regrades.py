"""Regrades in the database: which run would replace which, and the moment when it does."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from grader import clock
from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.model.sheet import ScoreSheet
from grader.scoring.regrade import Score
from grader.store import schema
from grader.store.batches import members, places_of, require_batch
from grader.store.database import add
from grader.store.overrides import standing
from grader.store.port import Finished
from grader.store.runs import RunStore, changed_by_people, keep_answers, keep_sheet, log, totals
from grader.store.schema import regrade_items, regrades, runs, submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A submission, and the run whose score counts.

    Attributes:
        submission: Its id.
        candidate: Whose it is.
        label: What it was called.
        artefact: Digest of its files; None when they could not be read.
        variant_of: Whose variant it was graded on; of what older versions kept, perhaps that of the first hand-in.
        run: Id of the run.
        status: How that ended.
        exercise: Digest of the exercise it was graded with.
        version: Its version.
        components: Digests of that exercise's parts.
        images: Images of the run.
        commitment: Commitment to its seed.
        corrected: Checks that people have corrected, by id: the points that they gave.
        is_measured: Every check was measured; where not, a person has decided it, or nobody yet.
    """

    submission: str
    candidate: str
    label: str
    artefact: str | None
    variant_of: str | None
    run: str
    status: str
    exercise: str
    version: str
    components: Mapping[str, str]
    images: Mapping[str, str]
    commitment: str
    corrected: Mapping[str, float]
    is_measured: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One submission of a regrade: the run that counts, and the one that would; None while it is missing."""

    submission: str
    candidate: str
    before: str
    after: str | None


Declared = dict[str, tuple[object, ...]]
"""Check -> points and texts."""


def declared_in(exercise: Exercise) -> Declared:
    """What an exercise says of its checks: points and texts."""
    return {
        check.id: (check.points, check.title, check.competency, check.question, check.feedback)
        for check in exercise.checks
    }


class RegradeStore:
    """Regrades of one store.

    Args:
        store: The store of runs.
    """

    def __init__(self, store: RunStore) -> None:
        """Nothing is read yet."""
        self._store = store
        self._database = store.database

    def shown(self, exercise: str, batch: str | None = None, version: str | None = None) -> list[Shown]:
        """All submissions of an exercise whose score counts.

        Args:
            exercise: Its id.
            batch: Only those of the batch of this name.
            version: Only those graded with this version.
        """
        versions, people = schema.exercise_versions, schema.candidates
        query = (
            select(submissions, runs, versions.c.version, versions.c.components, people.c.name)
            .join(runs, runs.c.id == submissions.c.shown_run)
            .join(versions, versions.c.digest == runs.c.exercise_digest)
            .join(people, people.c.id == submissions.c.candidate_id)
            .where(submissions.c.exercise_id == exercise, people.c.erased.is_(None))
            .order_by(people.c.name, submissions.c.received)
        )
        if version is not None:
            query = query.where(versions.c.version == version)
        if batch is not None:
            query = query.where(submissions.c.id.in_(members(exercise, batch)))
        with self._database.reading() as connection:
            if batch is not None:
                require_batch(connection, exercise, batch)
            rows = connection.execute(query).all()
            corrections = _corrections(connection)
            unmeasured = set(connection.execute(_UNMEASURED).scalars())
            return [_shown(row, corrections, unmeasured) for row in rows]

    def open(self, exercise: Exercise, scope: str, *, anew: bool = False) -> str:
        """Return the id of the newest regrade of this scope that was not accepted yet.

        Args:
            exercise: What is graded with.
            scope: Which submissions are, and how.
            anew: Make one even where there is one; without it, only where there is none.
        """
        found = select(regrades.c.id).where(
            regrades.c.exercise_digest == exercise.digest, regrades.c.scope == scope, regrades.c.accepted.is_(None)
        )
        with self._database.writing() as connection:
            known = connection.execute(found.order_by(regrades.c.made.desc())).scalars().first()
            if known is not None and not anew:
                return str(known)
            new = secrets.token_hex(16)
            values = {"exercise_digest": exercise.digest, "scope": scope, "made": clock.now()}
            connection.execute(insert(regrades).values(id=new, **values))
            return new

    def put(self, regrade: str, submission: str, before: str, after: str | None) -> None:
        """Say which run would replace which."""
        key = {"regrade_id": regrade, "submission_id": submission}
        with self._database.writing() as connection:
            if not add(connection, regrade_items, before_run=before, after_run=after, **key):
                connection.execute(
                    update(regrade_items)
                    .where(regrade_items.c.regrade_id == regrade, regrade_items.c.submission_id == submission)
                    .values(before_run=before, after_run=after)
                )

    def items(self, regrade: str) -> list[Item]:
        """All submissions of a regrade, by candidate."""
        people = schema.candidates
        query = (
            select(regrade_items, people.c.name)
            .join(submissions, submissions.c.id == regrade_items.c.submission_id)
            .join(people, people.c.id == submissions.c.candidate_id)
            .where(regrade_items.c.regrade_id == regrade)
            .order_by(people.c.name)
        )
        with self._database.reading() as connection:
            return [
                Item(submission=row.submission_id, candidate=row.name or "", before=row.before_run, after=row.after_run)
                for row in connection.execute(query)
            ]

    def fractions(self, run: str) -> dict[str, float]:
        """What each check of a run gave, exactly."""
        table = schema.results
        query = select(table.c.check_id, table.c.fraction).where(table.c.run_id == run, table.c.fraction.is_not(None))
        with self._database.reading() as connection:
            return {check: fraction for check, fraction in connection.execute(query)}

    def declared(self, digest: str) -> Declared:
        """What an exercise said of its checks when it had this digest."""
        table = schema.exercise_versions
        with self._database.reading() as connection:
            content = connection.execute(select(table.c.content).where(table.c.digest == digest)).scalar_one()
        return declared_in(Exercise.model_validate_json(content))

    def sheet(self, submission: str, run: str) -> ScoreSheet:
        """The newest sheet of a run for a submission, with what people have rated since."""
        return self._store.sheet_of(run, submission)

    def score(self, run: str) -> Score:
        """What a run gave, with what people have corrected."""
        table = schema.results
        with self._database.reading() as connection:
            found = connection.execute(
                select(runs.c.status, runs.c.earned, runs.c.possible).where(runs.c.id == run)
            ).one()
            rows = connection.execute(select(table.c.check_id, table.c.earned).where(table.c.run_id == run))
            points = {check: earned / 100 for check, earned in rows if earned is not None}
            points |= _corrections(connection, run).get(run, {})
        percent = None if found.earned is None or not found.possible else 100 * found.earned / found.possible
        return Score(status=found.status, percent=percent, points=points)

    def corrected(self, run: str) -> Mapping[str, float]:
        """Checks of a run that people have corrected: the points that they gave."""
        with self._database.reading() as connection:
            return _corrections(connection, run).get(run, {})

    def lost_reviews(self, submission: str, before: str, after: str | None) -> tuple[str, ...]:
        """Who has rated the notebook on the sheet of one run, and is not on that of the other."""
        with self._database.reading() as connection:
            return _lost_reviews(connection, submission, before, after)

    def refolded(self, run: str, regrade: str) -> str | None:
        """Id of the run that this regrade has folded from another one's results already; None when there is none."""
        query = select(runs.c.id).where(runs.c.parent == run, runs.c.series == regrade, runs.c.refolded)
        with self._database.reading() as connection:
            found = connection.execute(query).scalar()
            return None if found is None else str(found)

    def keep_refolded(self, shown: Shown, sheet: ScoreSheet, fractions: Mapping[str, float], regrade: str) -> None:
        """Keep a run that was folded from another one's results.

        Equal work of several people is one run, before and after; where the new one is there already, only the sheet
        is kept.
        """
        with self._database.writing() as connection:
            if connection.execute(select(runs.c.id).where(runs.c.id == sheet.run)).first() is None:
                self._add_refolded(connection, shown.run, Finished(sheet=sheet, fractions=fractions), regrade)
            keep_sheet(connection, shown.submission, sheet)

    def _add_refolded(self, connection: Connection, run: str, finished: Finished, regrade: str) -> None:
        sheet = finished.sheet
        parent = connection.execute(select(runs).where(runs.c.id == run)).one()
        connection.execute(
            insert(runs).values(
                id=sheet.run,
                # Not the parent's: runs of one key may have given different points, and each is folded by itself.
                key=hashlib.sha256(f"grader refolded run 1\n{parent.id}".encode()).hexdigest(),
                series=regrade,
                exercise_digest=sheet.provenance.exercise_digest,
                submission_digest=parent.submission_digest,
                commitment=parent.commitment,
                images=parent.images,
                harness=parent.harness,
                status=sheet.status.value,
                parent=parent.id,
                refolded=True,
                owner=parent.owner,
                lease_until=parent.lease_until,
                started=parent.started,
                finished=parent.finished,
                seconds=parent.seconds,
                **totals(sheet),
            )
        )
        keep_answers(connection, sheet.run, finished)

    def find(self, start: str, exercise: str) -> str:
        """Return the id of the regrade that begins like this.

        Raises:
            UsageError: There is none, several, or it was accepted before.
        """
        versions = schema.exercise_versions
        query = (
            select(regrades.c.id, regrades.c.accepted)
            .join(versions, versions.c.digest == regrades.c.exercise_digest)
            .where(regrades.c.id.startswith(start, autoescape=True), versions.c.exercise_id == exercise)
        )
        with self._database.reading() as connection:
            found = connection.execute(query).all()
        if len(found) != 1:
            what = "several regrades begin" if found else f"no regrade of {exercise} begins"
            raise UsageError(f"There is no one regrade {start!r}: {what} like this.", hint=_REPORT)
        if found[0].accepted is not None:
            raise UsageError(f"The regrade {start} was accepted on {found[0].accepted:%Y-%m-%d}.", hint=_REPORT)
        return str(found[0].id)

    def accept(self, regrade: str, reason: str, who: str) -> list[Item]:
        """Let the new runs count; one step for all of them.

        Returns:
            The submissions that have another run now.

        Raises:
            UsageError: A run is missing, or somebody changed a score meanwhile; nothing was changed then.
        """
        changed = []
        items = self.items(regrade)
        with self._database.writing() as connection:
            for item in items:
                self._require_ready(connection, item)
                if item.after == item.before:
                    continue
                table = submissions
                connection.execute(update(table).where(table.c.id == item.submission).values(shown_run=item.after))
                details: dict[str, object] = {"regrade": regrade, "before": item.before, "after": item.after}
                if dropped := _corrections(connection, item.before).get(item.before):
                    details["overrides"] = sorted(dropped)  # of the run that counts no more
                if lost := _lost_reviews(connection, item.submission, item.before, item.after):
                    details["reviews"] = len(lost)  # and no names, which could never be erased here
                log(connection, "accept", f"submission {item.submission}", reason, who, details)
                changed.append(item)
            connection.execute(update(regrades).where(regrades.c.id == regrade).values(accepted=clock.now()))
            log(connection, "accept", f"regrade {regrade}", reason, who, {"changed": len(changed), "of": len(items)})
        return changed

    def _require_ready(self, connection: Connection, item: Item) -> None:
        shown = connection.execute(select(submissions.c.shown_run).where(submissions.c.id == item.submission)).scalar()
        if shown != item.before:
            raise UsageError(
                f"The score of {item.candidate} was changed since this regrade.", hint="Regrade once more. " + _REPORT
            )
        status = connection.execute(select(runs.c.status).where(runs.c.id == item.after)).scalar()
        if status not in ("graded", "rejected"):
            raise UsageError(
                f"The new run of {item.candidate} is not complete, so nothing was accepted.",
                hint="Run the same regrade again: it goes on where it was.",
            )

    def places(self, submission: str) -> list[tuple[str, str]]:
        """Folders that hold the sheet of a submission: the batch's, and the name below it."""
        with self._database.reading() as connection:
            return places_of(connection, submission)


_REPORT = "See: grader regrade ID"


# Runs with a check that could not be measured, whatever people have decided since.
_UNMEASURED = select(schema.results.c.run_id).where(schema.results.c.fraction.is_(None)).distinct()


def _corrections(connection: Connection, run: str | None = None) -> dict[str, dict[str, float]]:
    """Points that people gave, by run and check: of one run, or of all."""
    table = standing()
    query = select(table.c.run_id, table.c.check_id, table.c.earned)
    found: dict[str, dict[str, float]] = {}
    for which, check, earned in connection.execute(query if run is None else query.where(table.c.run_id == run)):
        found.setdefault(which, {})[check] = earned / 100
    return found


def _lost_reviews(connection: Connection, submission: str, before: str, after: str | None) -> tuple[str, ...]:
    there = _reviewers(connection, submission, before)
    kept = _reviewers(connection, submission, after) if there and after else ()
    return tuple(name for name in there if name not in kept)


def _reviewers(connection: Connection, submission: str, run: str) -> tuple[str, ...]:
    sheet = changed_by_people(connection, submission, run)
    if sheet is None or sheet.decision is None or sheet.decision.human is None:
        return ()
    return tuple(review.reviewer for review in sheet.decision.human.reviews)


def _shown(row: Row[Any], corrections: Mapping[str, Mapping[str, float]], unmeasured: Collection[str]) -> Shown:
    known = row._mapping
    run = known[runs.c.id]
    return Shown(
        submission=known[submissions.c.id],
        candidate=known["name"] or "",
        label=known[submissions.c.label] or "",
        artefact=known[submissions.c.artefact],
        variant_of=known[submissions.c.variant_of],
        run=run,
        status=known[runs.c.status],
        exercise=known[runs.c.exercise_digest],
        version=known["version"],
        components=json.loads(known["components"]),
        images=json.loads(known[runs.c.images]),
        commitment=known[runs.c.commitment],
        corrected=corrections.get(run, {}),
        is_measured=run not in unmeasured,
    )

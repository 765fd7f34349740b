"""Runs in a database: who carries out which, how they ended, and the sheets."""

from __future__ import annotations

import hashlib
import json
import secrets
import zlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from grader import clock
from grader.catalog.seeds import named_in
from grader.errors import StoreFailed
from grader.model.exercise import Exercise
from grader.model.run import RunStatus
from grader.model.sheet import CheckLine, ScoreSheet
from grader.store import schema
from grader.store.batches import open_batch
from grader.store.database import Database, add
from grader.store.overrides import corrected
from grader.store.port import Claim, Delivery, Finished, HandIn, Standing, Turn
from grader.store.schema import LIVE, runs, sheets

LEASE = timedelta(minutes=5)
"""How long a process on another machine is believed to live without a sign."""

Alive = Callable[[str], bool | None]
"""Tells whether the process with this name lives; None when that cannot be seen from here."""


class RunStore:
    """The ledger of runs. See `grader.store.port.Ledger`.

    Args:
        database: An open one.
        owner: Name of this process, under which it claims runs.
        alive: Tells whether the process of another name lives.
    """

    def __init__(self, database: Database, owner: str, alive: Alive = lambda _: None) -> None:
        """Nothing is claimed yet."""
        self.database = database
        self._owner = owner
        self._alive = alive

    def register(self, exercise: Exercise, components: Mapping[str, str]) -> None:
        """Remember an exercise at its version."""
        with self.database.writing() as connection:
            add(connection, schema.exercises, id=exercise.id, title=exercise.manifest.title)
            add(
                connection,
                schema.exercise_versions,
                digest=exercise.digest,
                exercise_id=exercise.id,
                version=exercise.manifest.version,
                content=exercise.model_dump_json(by_alias=True),
                components=json.dumps(dict(components), sort_keys=True),
                first_seen=clock.now(),
            )

    def open_batch(self, name: str, exercise: str, folder: str, *, exact: bool = True) -> tuple[str, str]:
        """Id and name of the batch whose sheets go to a folder."""
        with self.database.writing() as connection:
            return open_batch(connection, name, exercise, folder, exact=exact)

    def seconds(self, exercise: str) -> Mapping[str, float]:
        """How long runs took before, by digest of the submission."""
        versions = schema.exercise_versions
        query = (
            select(runs.c.submission_digest, func.avg(runs.c.seconds))
            .join(versions, versions.c.digest == runs.c.exercise_digest)
            .where(versions.c.exercise_id == exercise, runs.c.status.in_(("graded", "rejected")))
            .where(runs.c.refolded.is_(False))
            .group_by(runs.c.submission_digest)
        )
        with self.database.reading() as connection:
            return {digest: float(seconds or 0.0) for digest, seconds in connection.execute(query)}

    def claim(self, claim: Claim) -> Turn:
        """Ask to carry out a run."""
        with self.database.writing() as connection:
            turn = self._standing(connection, claim)
            if turn is not None:
                return turn
            now = clock.now()
            new = {"status": RunStatus.RUNNING.value, "owner": self._owner, "started": now, "lease_until": now + LEASE}
            inserted = add(
                connection,
                runs,
                id=claim.run,
                key=claim.key,
                series=claim.series,
                exercise_digest=claim.exercise,
                submission_digest=claim.submission,
                commitment=claim.commitment,
                images=json.dumps(dict(claim.images), sort_keys=True),
                harness=claim.harness,
                parent=claim.parent,
                **new,
            )
            if inserted:
                return Turn(standing=Standing.OURS, run=claim.run)
            # Somebody was quicker between our look and our insertion, which only PostgreSQL lets happen.
            return self._standing(connection, claim) or Turn(standing=Standing.TAKEN, run="")

    def _standing(self, connection: Connection, claim: Claim) -> Turn | None:
        query = select(runs.c.id, runs.c.status, runs.c.owner, runs.c.lease_until).where(
            runs.c.key == claim.key, runs.c.series == claim.series, runs.c.status.in_(LIVE)
        )
        found = connection.execute(query).one_or_none()
        if found is None:
            return None
        if found.status != RunStatus.RUNNING:
            return Turn(standing=Standing.DONE, run=found.id)
        alive = self._alive(found.owner)
        if alive if alive is not None else found.lease_until > clock.now():
            return Turn(standing=Standing.TAKEN, run=found.id)
        self._cancel(connection, found.id)
        return None

    def _cancel(self, connection: Connection, run: str) -> None:
        connection.execute(
            update(runs)
            .where(runs.c.id == run, runs.c.status == RunStatus.RUNNING.value)
            .values(status=RunStatus.CANCELLED.value, finished=clock.now())
        )

    def renew(self) -> None:
        """Say that this process is alive."""
        with self.database.writing() as connection:
            connection.execute(
                update(runs)
                .where(runs.c.owner == self._owner, runs.c.status == RunStatus.RUNNING.value)
                .values(lease_until=clock.now() + LEASE)
            )

    def finish(self, run: str, finished: Finished, delivery: Delivery) -> bool:
        """Keep how a run ended, and for whom."""
        sheet = finished.sheet
        with self.database.writing() as connection:
            changed = connection.execute(
                update(runs)
                .where(runs.c.id == run, runs.c.owner == self._owner, runs.c.status == RunStatus.RUNNING.value)
                .values(
                    status=sheet.status.value,
                    started=sheet.started,
                    finished=sheet.finished,
                    seconds=sheet.seconds,
                    **totals(sheet),
                )
            )
            if not changed.rowcount:
                return False
            keep_answers(connection, run, finished)
            self._deliver(connection, delivery, sheet)
            return True

    def drop(self, run: str) -> None:
        """Give back a claim."""
        with self.database.writing() as connection:
            self._cancel(connection, run)

    def sheet_of(self, run: str, submission: str | None = None) -> ScoreSheet:
        """The author's sheet of a finished run: as it was made first, or as it is now for one submission.

        Overrides are of the run, whoever's it is, and are on it either way; it is unsigned where they had to be added.
        """
        query = select(sheets.c.content).where(sheets.c.run_id == run)
        if submission is None:
            query = query.order_by(sheets.c.number, sheets.c.made)
        else:
            query = query.where(sheets.c.submission_id == submission).order_by(sheets.c.number.desc())
        with self.database.reading() as connection:
            found = connection.execute(query.limit(1)).scalar_one_or_none()
            if found is None:
                raise StoreFailed(f"There is no sheet of run {run}.", hint="Grade again with --fresh.")
            sheet = sheet_from(found)
            return sheet if submission is not None else corrected(connection, sheet)

    def keep_renewed(self, sheet: ScoreSheet, write: Callable[[], None] = lambda: None) -> None:
        """Keep a sheet that people have changed, such as by a review, where its run is known here.

        `write` writes it to where people look; what it raises leaves the store as it was.
        """
        table, people = schema.submissions, schema.candidates
        query = (
            select(table.c.id)
            .join(sheets, sheets.c.submission_id == table.c.id)
            .join(people, people.c.id == table.c.candidate_id)
            .where(sheets.c.run_id == sheet.run, people.c.name == sheet.candidate)
            .distinct()
        )
        with self.database.writing() as connection:
            for submission in connection.execute(query).scalars().all():
                keep_sheet(connection, submission, sheet)
            write()

    def logs_of(self, run: str) -> Mapping[str, str]:
        """Digests of the logs of a run."""
        table = schema.run_artefacts
        with self.database.reading() as connection:
            rows = connection.execute(select(table.c.name, table.c.digest).where(table.c.run_id == run))
            return {name: digest for name, digest in rows}

    def record(self, delivery: Delivery, sheet: ScoreSheet) -> ScoreSheet:
        """Keep that a finished run is somebody else's as well, or goes somewhere else; returns their present sheet."""
        with self.database.writing() as connection:
            return self._deliver(connection, delivery, sheet)

    def _deliver(self, connection: Connection, delivery: Delivery, sheet: ScoreSheet) -> ScoreSheet:
        submission = keep_submission(connection, delivery.hand_in, sheet.exercise.id)
        sheet = changed_by_people(connection, submission, sheet.run) or sheet
        keep_sheet(connection, submission, sheet)
        if delivery.batch is None:
            return sheet
        table = schema.batch_items
        item = {"batch_id": delivery.batch, "place": delivery.place}
        if not add(connection, table, submission_id=submission, **item):
            place = (table.c.batch_id == delivery.batch, table.c.place == delivery.place)
            connection.execute(update(table).where(*place).values(submission_id=submission))
        self.show(connection, submission, sheet, replace=delivery.replace)
        return sheet

    def show(self, connection: Connection, submission: str, sheet: ScoreSheet, *, replace: bool = False) -> None:
        """Make a run the one that counts, unless one that was graded counts already."""
        table = schema.submissions
        query = (
            select(table.c.shown_run, runs.c.status)
            .outerjoin(runs, runs.c.id == table.c.shown_run)
            .where(table.c.id == submission)
        )
        shown, status = connection.execute(query).one()
        if shown == sheet.run:
            return
        better = status != RunStatus.GRADED and (shown is None or sheet.status is not RunStatus.FAULTED)
        if better or (replace and sheet.status is not RunStatus.FAULTED):
            # A regrade takes the world of the run that counts, which need not be that of the first hand-in.
            whose = named_in(sheet.provenance.variant)
            counts = {"shown_run": sheet.run, "variant_of": whose}
            connection.execute(update(table).where(table.c.id == submission).values(**counts))
            if not better:
                details = {"before": shown, "after": sheet.run}
                log(connection, "replace", f"submission {submission}", "grade --replace", self._owner, details)


def hundredths(points: Decimal | None) -> int | None:
    """Points as the tables keep them."""
    return None if points is None else int(points * 100)


def totals(sheet: ScoreSheet) -> dict[str, Any]:
    """The columns of a run that sum up its sheet."""
    reason = sheet.rejection.reason.value if sheet.rejection else None
    answers = {
        line.id: (
            None if line.earned is None else round(float(line.earned / line.possible), 6),
            line.outcome.value if line.outcome else None,
        )
        for line in sheet.checks
    }
    return {
        "earned": hundredths(sheet.earned),
        "possible": hundredths(sheet.possible),
        "reason": reason,
        "answers": json.dumps(answers),
        "band": sheet.band.sd if sheet.band else None,
    }


def keep_answers(connection: Connection, run: str, finished: Finished) -> None:
    """Insert what the checks of a run said, why it is not complete, and where its logs are."""
    sheet = finished.sheet
    results = [_result(run, line, finished.fractions.get(line.id)) for line in sheet.checks]
    faults = [
        {"run_id": run, "party": each.party.value, "message": each.message, "hint": each.hint} for each in sheet.faults
    ]
    logs = [{"run_id": run, "name": name, "digest": digest} for name, digest in finished.logs.items()]
    for table, rows in ((schema.results, results), (schema.faults, faults), (schema.run_artefacts, logs)):
        if rows:
            connection.execute(insert(table), rows)


def _result(run: str, line: CheckLine, fraction: float | None) -> dict[str, Any]:
    return {
        "run_id": run,
        "check_id": line.id,
        "competency": line.competency,
        "outcome": line.outcome.value if line.outcome else None,
        "reason": line.reason.value if line.reason else None,
        "fraction": fraction,
        "earned": hundredths(line.earned),
        "possible": hundredths(line.possible),
        "seconds": line.seconds,
        "metrics": json.dumps(line.metrics, sort_keys=True),
    }


def keep_submission(connection: Connection, hand_in: HandIn, exercise: str) -> str:
    """Insert a candidate and a submission where they are new; returns the submission's id."""
    people, table, now = schema.candidates, schema.submissions, clock.now()
    add(connection, people, id=secrets.token_hex(16), name=hand_in.candidate, created=now)
    candidate = connection.execute(select(people.c.id).where(people.c.name == hand_in.candidate)).scalar_one()
    add(
        connection,
        table,
        id=secrets.token_hex(16),
        candidate_id=candidate,
        exercise_id=exercise,
        label=hand_in.label,
        digest=hand_in.digest,
        artefact=hand_in.artefact,
        variant_of=hand_in.variant_of,
        extra_time=hand_in.extra_time or 1.0,
        received=now,
    )
    found = select(table.c.id).where(
        table.c.candidate_id == candidate, table.c.exercise_id == exercise, table.c.digest == hand_in.digest
    )
    submission = str(connection.execute(found).scalar_one())
    if hand_in.extra_time is not None:  # said later, or corrected
        connection.execute(update(table).where(table.c.id == submission).values(extra_time=hand_in.extra_time))
    return submission


def keep_sheet(connection: Connection, submission: str, sheet: ScoreSheet) -> None:
    """Insert a sheet, unless just this one is there already."""
    content = sheet.model_dump_json().encode()
    present = (
        select(sheets.c.number, sheets.c.digest)
        .where(sheets.c.submission_id == submission, sheets.c.run_id == sheet.run)
        .order_by(sheets.c.number.desc())
        .limit(1)
    )
    found = connection.execute(present).one_or_none()
    digest = hashlib.sha256(content).hexdigest()
    if found is not None and found.digest == digest:
        return
    number = found.number + 1 if found else 1
    connection.execute(
        insert(sheets).values(
            submission_id=submission,
            run_id=sheet.run,
            number=number,
            digest=digest,
            content=zlib.compress(content, 6),
            made=clock.now(),
        )
    )


def changed_by_people(connection: Connection, submission: str, run: str) -> ScoreSheet | None:
    """The newest sheet of a run for a submission, where a person has reviewed or corrected something; else None."""
    newest = select(sheets.c.content).where(sheets.c.submission_id == submission, sheets.c.run_id == run)
    content = connection.execute(newest.order_by(sheets.c.number.desc()).limit(1)).scalar_one_or_none()
    sheet = sheet_from(content) if content is not None else None
    if sheet is None or not (sheet.overridden or (sheet.decision is not None and sheet.decision.human is not None)):
        return None
    return sheet


def sheet_from(content: bytes) -> ScoreSheet:
    """Read a sheet that `keep_sheet` kept.

    Raises:
        StoreFailed: It is damaged.
    """
    try:
        return ScoreSheet.model_validate_json(zlib.decompress(content))
    except (zlib.error, ValueError) as error:
        raise StoreFailed("A sheet in the database is damaged.", hint="Restore the database from a backup.") from error


def log(
    connection: Connection, action: str, subject: str, reason: str, who: str, details: Mapping[str, object]
) -> None:
    """Write a line into the audit log. It must hold no names of candidates: it can never be erased."""
    connection.execute(
        insert(schema.audit_log).values(
            at=clock.now(), who=who, action=action, subject=subject, reason=reason, details=json.dumps(dict(details))
        )
    )

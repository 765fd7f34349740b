"""Erasing a person: the name, what they handed in, logs, evidence and sheets go; anonymous results stay.

What stays cannot be led back to the person by who holds the server key and guesses the name, or who still has the
files: digests, keys and commitments are replaced by random ones, and moments are cut to the day.

Everything happens in one transaction. Files go before it is committed: when one cannot be removed, the database is as
it was, and the same command does the rest.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, Table, delete, select, update

from grader import clock
from grader.errors import UsageError
from grader.store import schema
from grader.store.artefacts import Artefacts
from grader.store.database import Database
from grader.store.papers import Papers, look, remove
from grader.store.people import Person, find, reason_for_log
from grader.store.runs import log
from grader.store.schema import candidates, runs, sheets, submissions
from grader.store.traces import Traces, trace

GONE = "(erased)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What goes, or what would.

    Attributes:
        traces: Everything of the person in the tables.
        papers: Folders of sheets that people open.
    """

    traces: Traces
    papers: Papers


class Eraser:
    """Erases people.

    Args:
        database: The store's.
        artefacts: Its kept files.
    """

    def __init__(self, database: Database, artefacts: Artefacts) -> None:
        """Nothing is read yet."""
        self._database = database
        self._artefacts = artefacts

    def preview(self, name: str) -> Erasure:
        """Tell what would go; nothing is changed.

        Raises:
            UsageError: There is nobody of this name, or they may not be erased now.
        """
        with self._database.reading() as connection:
            return _erasure(connection, find(connection, name))

    def erase(self, name: str, reason: str, who: str) -> Erasure:
        """Erase somebody for good.

        Raises:
            UsageError: There is nobody of this name, they may not be erased now, or the reason is not fit for the
                audit log. Nothing was changed then.
            StoreFailed: The database cannot be written, or a file not removed. The person is still there then.
        """
        reason = reason_for_log(reason, name)
        with self._database.erasing() as connection:
            person = find(connection, name)
            _take_name(connection, person)
            erasure = _erasure(connection, person)
            _forget(connection, erasure.traces)
            log(connection, "erase", f"candidate {person.id}", reason, who, _counts(erasure))
            remove(erasure.papers)
            for digest in sorted(erasure.traces.artefacts):
                self._artefacts.remove(digest)
        self._database.settle()
        return erasure


def _erasure(connection: Connection, person: Person) -> Erasure:
    if person.hold is not None:
        raise _held(person)
    traces = trace(connection, person)
    if traces.running:
        raise UsageError(
            f"A submission of {person.name} is being graded now, so nothing was erased.",
            hint="Wait until that has ended; then type the same command again. After a crash, that may take "
            "five minutes.",
        )
    return Erasure(traces=traces, papers=look(person.name, traces.places))


def _held(person: Person) -> UsageError:
    return UsageError(
        f"{person.name} is under a legal hold ({person.hold}), so nothing was erased.",
        hint=f"When the hold is over: grader candidate release {person.name!r} --reason WHY. Then erase again.",
    )


def _take_name(connection: Connection, person: Person) -> None:
    """Take the name away; whoever sets a hold at the same moment comes before this or after it, never between."""
    now = clock.now()
    changed = connection.execute(
        update(candidates)
        .where(candidates.c.id == person.id, candidates.c.name.is_not(None), candidates.c.hold.is_(None))
        .values(name=None, erased=now, created=_day(person.created))
    )
    if not changed.rowcount:
        raise _held(find(connection, person.name))


def _forget(connection: Connection, traces: Traces) -> None:
    mine = [row.id for row in traces.submissions]
    digests = {row.digest: f"erased-{secrets.token_hex(16)}" for row in traces.submissions}
    connection.execute(delete(sheets).where(sheets.c.submission_id.in_(mine)))
    _forget_open_regrades(connection, mine)
    for number, row in enumerate(traces.submissions):
        connection.execute(
            update(submissions)
            .where(submissions.c.id == row.id)
            .values(
                label=None,
                digest=digests[row.digest],
                artefact=None,
                variant_of=None,
                extra_time=1.0,  # why somebody needed more time is nobody's business any more
                received=_day(row.received) + timedelta(microseconds=number),  # which came last still counts
            )
        )
    _forget_places(connection, mine)
    for table in (schema.faults, schema.overrides, schema.run_artefacts):
        _forget_of_runs(connection, table, traces.runs)
    for run in connection.execute(select(runs).where(runs.c.id.in_(traces.runs))).all():
        _forget_run(connection, run, digests)


def _forget_open_regrades(connection: Connection, mine: list[str]) -> None:
    """Nobody regrades the work of an erased person, so that no regrade may wait for it."""
    items, regrades = schema.regrade_items, schema.regrades
    still_open = select(regrades.c.id).where(regrades.c.accepted.is_(None))
    connection.execute(delete(items).where(items.c.submission_id.in_(mine), items.c.regrade_id.in_(still_open)))


def _forget_places(connection: Connection, mine: list[str]) -> None:
    """The folder of a sheet is called after the person."""
    items = schema.batch_items
    for batch, place in connection.execute(
        select(items.c.batch_id, items.c.place).where(items.c.submission_id.in_(mine))
    ).all():
        connection.execute(
            update(items)
            .where(items.c.batch_id == batch, items.c.place == place)
            .values(place=f"erased-{secrets.token_hex(8)}")
        )


def _forget_of_runs(connection: Connection, table: Table, own: Iterable[str]) -> None:
    """Logs go; words about a run may name files or the person, so that only the fact stays."""
    of_these = table.c.run_id.in_(list(own))
    if table is schema.run_artefacts:
        connection.execute(delete(table).where(of_these))
    elif table is schema.faults:
        connection.execute(update(table).where(of_these).values(message=GONE, hint=""))
    else:
        for row in connection.execute(select(table).where(of_these)).all():
            connection.execute(update(table).where(table.c.id == row.id).values(reason=GONE, made=_day(row.made)))


def _forget_run(connection: Connection, run: Row[tuple[object, ...]], digests: dict[str, str]) -> None:
    connection.execute(
        update(runs)
        .where(runs.c.id == run.id)
        .values(
            key=secrets.token_hex(32),
            submission_digest=digests.get(run.submission_digest, GONE),
            commitment=secrets.token_hex(32),
            owner="",
            started=_day(run.started),
            lease_until=_day(run.lease_until),
            finished=_day(run.finished) if run.finished else None,
        )
    )


def _day(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _counts(erasure: Erasure) -> dict[str, object]:
    traces = erasure.traces
    return {
        "submissions": len(traces.submissions),
        "runs": len(traces.runs),
        "shared_runs": len(traces.shared),
        "sheets": traces.sheets,
        "files": len(traces.artefacts),
        "shared_files": len(traces.shared_artefacts),
        "folders": len(erasure.papers.folders),
        "folders_left": len(erasure.papers.left),
    }

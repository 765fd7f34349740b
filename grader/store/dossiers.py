"""Everything that is kept about one person, as values: for them to read, or to take elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select

from grader.errors import StoreFailed
from grader.model.sheet import ScoreSheet
from grader.store import schema
from grader.store.artefacts import Artefacts
from grader.store.database import Database
from grader.store.people import Person, find
from grader.store.runs import sheet_from
from grader.store.schema import runs, sheets
from grader.store.traces import Traces, trace

Values = Mapping[str, object]
"""A row of a table, with texts, numbers and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A run of somebody's submission.

    Attributes:
        about: Its row, and the exercise's id and version.
        results: What each check said.
        faults: Why it is not complete.
        overrides: Corrections by people.
        sheets: Every sheet that was signed for this submission, the newest last.
        logs: What the boxes printed, by name.
    """

    about: Values
    results: Sequence[Values]
    faults: Sequence[Values]
    overrides: Sequence[Values]
    sheets: Sequence[ScoreSheet]
    logs: Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """Something that was handed in.

    Attributes:
        about: Its row, with the batches and regrades that it is in.
        archive: The files, as a .tar.gz; None where they could not be read.
        runs: The oldest first.
    """

    about: Values
    archive: bytes | None
    runs: Sequence[KeptRun]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """Everything about one person.

    Attributes:
        person: Who.
        submissions: What was handed in, the oldest first.
        audit: Lines of the audit log about this person and these submissions.
        missing: Kept files that should be there and are not, or are damaged: what happened.
    """

    person: Person
    submissions: Sequence[HandedIn]
    audit: Sequence[Values]
    missing: Sequence[str]


def read_dossier(database: Database, artefacts: Artefacts, name: str) -> Dossier:
    """Read everything that is kept about somebody.

    Raises:
        UsageError: Nobody is called like this.
        StoreFailed: The database failed.
    """
    with database.reading() as connection:
        person = find(connection, name)
        reading = _Reading(connection, artefacts, trace(connection, person))
        submissions = [reading.submission(row) for row in reading.traces.submissions]
        return Dossier(person=person, submissions=submissions, audit=reading.audit(), missing=reading.missing)


class _Reading:
    """One look at the tables."""

    def __init__(self, connection: Connection, artefacts: Artefacts, traces: Traces) -> None:
        self._connection = connection
        self._artefacts = artefacts
        self.traces = traces
        self.missing: list[str] = []

    def submission(self, row: Row[Any]) -> HandedIn:
        about = {**_values(row), "batches": self._batches(row.id), "regrades": self._regrades(row.id)}
        return HandedIn(
            about=about,
            archive=self._file(row.artefact) if row.artefact else None,
            runs=[self._run(run, row.id) for run in self._runs(row)],
        )

    def audit(self) -> list[Values]:
        table = schema.audit_log
        subjects = [f"candidate {self.traces.person.id}", *(f"submission {row.id}" for row in self.traces.submissions)]
        return self._rows(select(table).where(table.c.subject.in_(subjects)).order_by(table.c.id))

    def _runs(self, row: Row[Any]) -> Sequence[Row[Any]]:
        """Runs of a submission: with a sheet for it, or of its files."""
        versions = schema.exercise_versions
        signed = select(sheets.c.run_id).where(sheets.c.submission_id == row.id)
        query = (
            select(runs, versions.c.exercise_id, versions.c.version)
            .join(versions, versions.c.digest == runs.c.exercise_digest)
            .where(runs.c.id.in_(signed) | (runs.c.submission_digest == row.digest))
            .where(runs.c.id.in_(self.traces.runs | self.traces.shared), versions.c.exercise_id == row.exercise_id)
            .order_by(runs.c.started, runs.c.id)
        )
        return self._connection.execute(query).all()

    def _run(self, run: Row[Any], submission: str) -> KeptRun:
        logs = schema.run_artefacts
        named = select(logs.c.name, logs.c.digest).where(logs.c.run_id == run.id).order_by(logs.c.name)
        files = {name: self._file(digest) for name, digest in self._connection.execute(named)}
        about = {**_values(run), "shared_with_equal_work": run.id in self.traces.shared}
        return KeptRun(
            about=about,
            results=self._of_run(schema.results, run.id),
            faults=self._of_run(schema.faults, run.id),
            overrides=self._of_run(schema.overrides, run.id),
            sheets=self._sheets(run.id, submission),
            logs={name: content for name, content in files.items() if content is not None},
        )

    def _sheets(self, run: str, submission: str) -> list[ScoreSheet]:
        query = (
            select(sheets.c.content)
            .where(sheets.c.run_id == run, sheets.c.submission_id == submission)
            .order_by(sheets.c.number)
        )
        found = []
        for content in self._connection.execute(query).scalars():
            try:
                found.append(sheet_from(content))
            except StoreFailed as error:
                self.missing.append(f"A sheet of run {run}: {error.message}")
        return found

    def _of_run(self, table: Table, run: str) -> list[Values]:
        return self._rows(select(table).where(table.c.run_id == run).order_by(*table.primary_key))

    def _batches(self, submission: str) -> list[Values]:
        items, batches = schema.batch_items, schema.batches
        return self._rows(
            select(batches.c.name, batches.c.folder, items.c.place)
            .join(batches, batches.c.id == items.c.batch_id)
            .where(items.c.submission_id == submission)
            .order_by(batches.c.created)
        )

    def _regrades(self, submission: str) -> list[Values]:
        items, regrades = schema.regrade_items, schema.regrades
        return self._rows(
            select(regrades.c.id, regrades.c.made, regrades.c.accepted, items.c.before_run, items.c.after_run)
            .join(regrades, regrades.c.id == items.c.regrade_id)
            .where(items.c.submission_id == submission)
            .order_by(regrades.c.made)
        )

    def _rows(self, query: Select[Any]) -> list[Values]:
        return [_values(row) for row in self._connection.execute(query)]

    def _file(self, digest: str) -> bytes | None:
        try:
            return self._artefacts.get(digest)
        except StoreFailed as error:
            self.missing.append(error.message)
            return None


_DOCUMENTS = ("images", "answers", "metrics", "details")
"""Columns that hold JSON."""
_HUNDREDTHS = ("earned", "possible")
"""Columns that hold hundredths of points."""


def _values(row: Row[Any]) -> dict[str, object]:
    return {name: _value(name, value) for name, value in row._mapping.items()}


def _value(name: str, value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if name in _HUNDREDTHS and isinstance(value, int):
        return value / 100
    return json.loads(value) if name in _DOCUMENTS and isinstance(value, str) else value

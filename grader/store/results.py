"""Everything that checks ever gave for an exercise, line by line: of runs that count, and of those that do not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select, union

from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.store.batches import members, require_batch
from grader.store.database import Database
from grader.store.overrides import standing
from grader.store.schema import candidates, exercise_versions, results, runs, sheets, submissions

ROWS = 20_000
"""Lines that are held at once."""

Columns = Mapping[str, Sequence[Any]]
"""Cells of some lines, by the names of columns; see `grader.analysis.parquet.columns`."""


def read_results(database: Database, exercise: str, batch: str | None = None) -> Iterator[Columns]:
    """Read all results, in order of candidate, submission, run and check; erased candidates have no name.

    Args:
        database: The store's.
        exercise: Id of the exercise.
        batch: Only who is in the batch of this name.

    Raises:
        UsageError: There is none, or no batch of this name.
    """
    empty = True
    with database.reading() as connection:
        if batch is not None:
            require_batch(connection, exercise, batch)
        declared = _declared(connection, exercise)
        for rows in connection.execution_options(yield_per=ROWS).execute(_query(exercise, batch)).partitions():
            empty = False
            yield _columns(rows, declared)
    if empty:
        raise UsageError(f"There are no results of {exercise}.", hint="Grade first: grader grade")


def _declared(connection: Connection, exercise: str) -> dict[str, dict[str, tuple[str, str]]]:
    """Group and title of each check, by digest of the exercise's version."""
    query = select(exercise_versions.c.digest, exercise_versions.c.content)
    found = connection.execute(query.where(exercise_versions.c.exercise_id == exercise)).all()
    versions = {digest: Exercise.model_validate_json(content) for digest, content in found}
    return {
        digest: {check.id: (check.group, check.title) for check in version.checks}
        for digest, version in versions.items()
    }


def _query(exercise: str, batch: str | None) -> Select[Any]:
    # A run is of a submission when a sheet was signed for it. Erased people have no sheets, only a run that counts.
    pairs = union(
        select(sheets.c.submission_id, sheets.c.run_id),
        select(submissions.c.id, submissions.c.shown_run).where(submissions.c.shown_run.is_not(None)),
    ).subquery()
    table = standing()
    query = (
        select(
            candidates.c.name.label("candidate"),
            submissions.c.id.label("submission"),
            submissions.c.label,
            submissions.c.shown_run,
            exercise_versions.c.exercise_id.label("exercise"),
            exercise_versions.c.version,
            runs.c.exercise_digest,
            runs.c.id.label("run"),
            runs.c.series.label("regrade"),
            runs.c.status,
            runs.c.started,
            runs.c.finished,
            runs.c.seconds.label("run_seconds"),
            table.c.earned.label("override"),
            *(column for column in results.c if column.name != "run_id"),
        )
        .join(pairs, pairs.c.submission_id == submissions.c.id)
        .join(runs, runs.c.id == pairs.c.run_id)
        .join(results, results.c.run_id == runs.c.id)
        .outerjoin(table, (table.c.run_id == runs.c.id) & (table.c.check_id == results.c.check_id))
        .join(exercise_versions, exercise_versions.c.digest == runs.c.exercise_digest)
        .join(candidates, candidates.c.id == submissions.c.candidate_id)
        .where(submissions.c.exercise_id == exercise)
        .order_by(candidates.c.name, submissions.c.received, submissions.c.id)
        .order_by(runs.c.started, runs.c.id, results.c.check_id)
    )
    return query if batch is None else query.where(submissions.c.id.in_(members(exercise, batch)))


def _columns(rows: Sequence[Row[Any]], declared: Mapping[str, Mapping[str, tuple[str, str]]]) -> Columns:
    # By columns and not by rows: of the latter there are hundreds of thousands.
    cells: dict[str, Sequence[Any]] = dict(zip(rows[0]._fields, zip(*rows, strict=True), strict=True))
    pairs = zip(cells["exercise_digest"], cells["check_id"], strict=True)
    told = [declared[digest].get(check, (None, None)) for digest, check in pairs]
    return cells | {
        "counts": [run == shown for run, shown in zip(cells["run"], cells["shown_run"], strict=True)],
        "regrade": [series or None for series in cells["regrade"]],
        "check": cells["check_id"],
        "group": [group for group, _ in told],
        "title": [title for _, title in told],
        "earned": [None if points is None else points / 100 for points in cells["earned"]],
        "override": [None if points is None else points / 100 for points in cells["override"]],
        "possible": [points / 100 for points in cells["possible"]],
        "metrics": [sorted(json.loads(metrics).items()) for metrics in cells["metrics"]],
    }

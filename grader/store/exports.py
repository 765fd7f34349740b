"""Reading the sheets that count, one after the other, for exports."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from grader.errors import UsageError
from grader.intake.file_names import file_names
from grader.model.sheet import ScoreSheet
from grader.store import schema
from grader.store.batches import members, require_batch
from grader.store.database import Database
from grader.store.runs import sheet_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """A sheet that counts, without pictures; `place` is the name of its folder, different for all."""

    sheet: ScoreSheet
    place: str


def read_sheets(database: Database, exercise: str, batch: str | None = None) -> list[Exported]:
    """Read the newest sheet of every run that counts, by candidate.

    Raises:
        UsageError: There is none.
    """
    submissions, sheets, people = schema.submissions, schema.sheets, schema.candidates
    last = (
        select(sheets.c.submission_id, sheets.c.run_id, func.max(sheets.c.number).label("number"))
        .group_by(sheets.c.submission_id, sheets.c.run_id)
        .subquery()
    )
    query = (
        select(sheets.c.content, submissions.c.label)
        .join(last, (last.c.submission_id == sheets.c.submission_id) & (last.c.number == sheets.c.number))
        .join(submissions, (submissions.c.id == sheets.c.submission_id) & (submissions.c.shown_run == sheets.c.run_id))
        .join(people, people.c.id == submissions.c.candidate_id)
        .where(submissions.c.exercise_id == exercise, last.c.run_id == sheets.c.run_id)
        .order_by(people.c.name, submissions.c.received)
    )
    if batch is not None:
        query = query.where(submissions.c.id.in_(members(exercise, batch)))
    with database.reading() as connection:
        if batch is not None:
            require_batch(connection, exercise, batch)
        found = [_slim(sheet_from(content)) for content, _ in connection.execute(query)]
    if not found:
        raise UsageError(f"Nothing was graded of {exercise}.", hint="Grade first: grader grade")
    places = file_names(sheet.candidate for sheet in found)
    return [Exported(sheet=sheet, place=place) for sheet, place in zip(found, places, strict=True)]


def _slim(sheet: ScoreSheet) -> ScoreSheet:
    checks = tuple(check.model_copy(update={"plots": ()}) for check in sheet.checks)
    return sheet.model_copy(update={"checks": checks, "signature": None})

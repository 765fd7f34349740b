"""Who is in a batch, and where their sheets are."""

from __future__ import annotations

from sqlalchemy import Connection, Select, select

from grader.errors import UsageError
from grader.store import schema


def members(exercise: str, batch: str) -> Select[tuple[str]]:
    """A query for the submissions of a batch."""
    items, batches = schema.batch_items, schema.batches
    return (
        select(items.c.submission_id)
        .join(batches, batches.c.id == items.c.batch_id)
        .where(batches.c.name == batch, batches.c.exercise_id == exercise)
    )


def places_of(connection: Connection, submission: str) -> list[tuple[str, str]]:
    """Folders that hold the sheet of a submission: the batch's, and the name below it."""
    items, batches = schema.batch_items, schema.batches
    query = (
        select(batches.c.folder, items.c.place)
        .join(batches, batches.c.id == items.c.batch_id)
        .where(items.c.submission_id == submission)
    )
    return [(folder, place) for folder, place in connection.execute(query)]


def require_batch(connection: Connection, exercise: str, batch: str) -> None:
    """Refuse a batch that does not exist.

    Raises:
        UsageError: With the names of those that do.
    """
    names = connection.execute(select(schema.batches.c.name).where(schema.batches.c.exercise_id == exercise)).scalars()
    known = list(names)
    if batch not in known:
        listed = f"There are: {', '.join(known)}." if known else f"There are none of {exercise}."
        raise UsageError(f"There is no batch {batch!r}.", hint=listed)

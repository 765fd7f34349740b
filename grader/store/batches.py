"""Who is in a batch, and where their sheets are."""

from __future__ import annotations

import secrets
from pathlib import Path

from sqlalchemy import Connection, Select, select, update

from grader import clock
from grader.errors import UsageError
from grader.store import schema
from grader.store.database import add


def members(exercise: str, batch: str) -> Select[tuple[str]]:
    """A query for the submissions of a batch."""
    items, batches = schema.batch_items, schema.batches
    return (
        select(items.c.submission_id)
        .join(batches, batches.c.id == items.c.batch_id)
        .where(batches.c.name == batch, batches.c.exercise_id == exercise)
    )


def open_batch(connection: Connection, name: str, exercise: str, folder: str, *, exact: bool) -> tuple[str, str]:
    """Find the batch whose sheets go to a folder, or make it; returns its id and its name.

    A batch has one folder: whoever corrects or erases somebody would never look in another one. Where that of a batch
    is not there any more, it was moved or removed, and this one takes its place.

    Args:
        connection: That writes.
        name: What it should be called.
        exercise: Id of the exercise.
        folder: Where the sheets go, as an absolute path.
        exact: It may be called nothing else; otherwise it gets a number where the name is taken.

    Raises:
        UsageError: The batch of just this name has its sheets elsewhere.
    """
    table, number, called = schema.batches, 1, name
    while True:
        new = {"id": secrets.token_hex(16), "folder": folder, "created": clock.now()}
        add(connection, table, name=called, exercise_id=exercise, **new)
        query = select(table.c.id, table.c.folder).where(table.c.name == called, table.c.exercise_id == exercise)
        found = connection.execute(query).one()
        if found.folder == folder:
            return found.id, called
        if not Path(found.folder).is_dir():
            connection.execute(update(table).where(table.c.id == found.id).values(folder=folder))
            return found.id, called
        if exact:
            raise UsageError(
                f"There is a batch {name!r} of {exercise} already, and its sheets are in {found.folder}.",
                hint="Grade into that folder with --out, or give this batch another name.",
            )
        number += 1
        called = f"{name}-{number}"


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
        if not known:
            others = sorted(set(connection.execute(select(schema.batches.c.exercise_id)).scalars()))
            graded = f"Graded were: {', '.join(others)}." if others else "Grade something first: grader grade."
            raise UsageError(f"There are no batches of {exercise!r}.", hint=graded)
        raise UsageError(f"There is no batch {batch!r}.", hint=f"There are: {', '.join(known)}.")

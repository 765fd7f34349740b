"""Who is in a batch, and where their sheets are."""

from __future__ import annotations

import secrets
from pathlib import Path

from sqlalchemy import Connection, Select, select, update

from grader import clock
from grader.errors import UsageError
from grader.store import schema
from grader.store.database import add
from grader.store.folder import SUMMARY


def members(exercise: str, batch: str) -> Select[tuple[str]]:
    """A query for the submissions of a batch."""
    items, batches = schema.batch_items, schema.batches
    return (
        select(items.c.submission_id)
        .join(batches, batches.c.id == items.c.batch_id)
        .where(batches.c.name == batch, batches.c.exercise_id == exercise)
    )


def open_batch(connection: Connection, name: str, exercise: str, folder: str) -> str:
    """Return the id of the batch of this name, a new one where there is none.

    Raises:
        UsageError: Its sheets lie in another folder. Whoever corrects or erases somebody would never look in this one.
    """
    table = schema.batches
    new = {"id": secrets.token_hex(16), "folder": folder, "created": clock.now()}
    add(connection, table, name=name, exercise_id=exercise, **new)
    query = select(table.c.id, table.c.folder).where(table.c.name == name, table.c.exercise_id == exercise)
    found = connection.execute(query).one()
    if found.folder != folder:
        if Path(found.folder).is_dir():
            raise UsageError(
                f"There is a batch {name!r} of {exercise} already, and its sheets are in {found.folder}.",
                hint="Grade into that folder, or give this batch a name of its own: --batch NAME.",
            )
        if (Path(folder) / SUMMARY).exists():  # it was moved; on another machine it may have another path
            connection.execute(update(table).where(table.c.id == found.id).values(folder=folder))
    return str(found.id)


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

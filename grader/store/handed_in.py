"""Reading what people handed in for an exercise, of whoever was not erased."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from grader.errors import UsageError
from grader.store.batches import members, require_batch
from grader.store.database import Database
from grader.store.schema import candidates, submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedIn:
    """One submission.

    Attributes:
        person: Id of the candidate.
        candidate: The candidate's name.
        label: What the submission was called.
        artefact: Where its files are kept; None when they could not be read.
    """

    person: str
    candidate: str
    label: str
    artefact: str | None


def read_handed_in(database: Database, exercise: str, batch: str | None = None) -> tuple[list[HandedIn], int]:
    """Read what was handed in, by name and time.

    Args:
        database: The store's.
        exercise: Id of the exercise.
        batch: Only what is in the batch of this name.

    Returns:
        Submissions, and how many more there are of people who were erased. Nobody can say which of those are
        of one person, so they are not handed out.

    Raises:
        UsageError: Nothing was handed in, or there is no such batch.
    """
    query = (
        select(submissions, candidates.c.name)
        .join(candidates, candidates.c.id == submissions.c.candidate_id)
        .where(submissions.c.exercise_id == exercise)
        .order_by(candidates.c.name, submissions.c.received, submissions.c.id)
    )
    if batch is not None:
        query = query.where(submissions.c.id.in_(members(exercise, batch)))
    with database.reading() as connection:
        if batch is not None:
            require_batch(connection, exercise, batch)
        rows = connection.execute(query).all()
    if not rows:
        raise UsageError(f"Nobody has handed in anything for {exercise}.", hint="Grade first: grader grade")
    known = [row for row in rows if row.name is not None]
    found = [
        HandedIn(person=row.candidate_id, candidate=row.name, label=row.label or "", artefact=row.artefact)
        for row in known
    ]
    return found, len(rows) - len(known)


def names_of_all(database: Database) -> list[str]:
    """The name of everybody who ever handed in anything and was not erased."""
    query = select(candidates.c.name).where(candidates.c.name.is_not(None))
    with database.reading() as connection:
        return sorted(connection.execute(query).scalars())

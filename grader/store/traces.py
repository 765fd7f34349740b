"""What belongs to one person in the tables, and what of it belongs to others as well.

Equal work of two people is one run and one kept archive. Both are somebody else's too, then, and stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Row, exists, select, true, union

from grader.store.people import Person
from grader.store.schema import (
    batch_items,
    batches,
    candidates,
    regrade_items,
    run_artefacts,
    runs,
    sheets,
    submissions,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """All of one person.

    Attributes:
        person: Who.
        submissions: Rows of what they handed in, the oldest first.
        runs: Ids of runs that are theirs alone.
        shared: Ids of runs that are somebody else's as well.
        artefacts: Digests of kept files that are theirs alone.
        shared_artefacts: Digests of kept files that are somebody else's as well.
        sheets: How many sheets are kept, older ones included.
        places: Folder of a batch, and the name of theirs below it.
        world_of: Names of others who were graded on this person's own hidden data.
        running: Ids of runs that are carried out now.
    """

    person: Person
    submissions: tuple[Row[tuple[object, ...]], ...]
    runs: frozenset[str]
    shared: frozenset[str]
    artefacts: frozenset[str]
    shared_artefacts: frozenset[str]
    sheets: int
    places: tuple[tuple[str, str], ...]
    world_of: tuple[str, ...]
    running: frozenset[str]


def trace(connection: Connection, person: Person) -> Traces:
    """Find everything of a person."""
    theirs = submissions.c.candidate_id == person.id
    rows = connection.execute(select(submissions).where(theirs).order_by(submissions.c.received)).all()
    all_runs = _runs_of(connection, theirs)
    others = exists().where(
        candidates.c.id == submissions.c.candidate_id, candidates.c.id != person.id, candidates.c.name.is_not(None)
    )
    shared = all_runs & _runs_of(connection, others, among=all_runs)
    own = all_runs - shared
    files = {row.artefact for row in rows if row.artefact} | _logs(connection, own)
    used = _used_by_others(connection, files, own, person.id)
    mine = [row.id for row in rows]
    kept = connection.execute(select(sheets.c.run_id).where(sheets.c.submission_id.in_(mine))).all()
    query = select(runs.c.id).where(runs.c.id.in_(own), runs.c.status == "running")
    return Traces(
        person=person,
        submissions=tuple(rows),
        runs=frozenset(own),
        shared=frozenset(shared),
        artefacts=frozenset(files - used),
        shared_artefacts=frozenset(used),
        sheets=len(kept),
        places=_places(connection, mine),
        world_of=_world_of(connection, person),
        running=frozenset(connection.execute(query).scalars()),
    )


def _runs_of(connection: Connection, whose: ColumnElement[bool], among: Iterable[str] | None = None) -> set[str]:
    """Runs that some submissions refer to: by a sheet, as the score that counts, in a regrade, or by their files.

    Args:
        connection: To the tables.
        whose: Which submissions.
        among: Only these runs; then few rows are looked at, however many submissions there are.
    """
    items = regrade_items
    refers: list[tuple[ColumnElement[str], ColumnElement[bool]]] = [
        (sheets.c.run_id, sheets.c.submission_id == submissions.c.id),
        (submissions.c.shown_run, true()),
        (items.c.before_run, items.c.submission_id == submissions.c.id),
        (items.c.after_run, items.c.submission_id == submissions.c.id),
        (runs.c.id, runs.c.submission_digest == submissions.c.digest),
    ]
    listed = None if among is None else list(among)
    found = union(
        *(
            select(run).where(whose, together, run.is_not(None) if listed is None else run.in_(listed))
            for run, together in refers
        )
    )
    return {str(run) for run in connection.execute(found).scalars()}


def _logs(connection: Connection, own: Iterable[str]) -> set[str]:
    query = select(run_artefacts.c.digest).where(run_artefacts.c.run_id.in_(list(own)))
    return set(connection.execute(query).scalars())


def _used_by_others(connection: Connection, files: Iterable[str], own: Iterable[str], person: str) -> set[str]:
    listed = list(files)
    handed_in = select(submissions.c.artefact).where(
        submissions.c.artefact.in_(listed), submissions.c.candidate_id != person
    )
    logged = select(run_artefacts.c.digest).where(
        run_artefacts.c.digest.in_(listed), run_artefacts.c.run_id.not_in(list(own))
    )
    return set(connection.execute(handed_in).scalars()) | set(connection.execute(logged).scalars())


def _places(connection: Connection, mine: list[str]) -> tuple[tuple[str, str], ...]:
    query = (
        select(batches.c.folder, batch_items.c.place)
        .join(batches, batches.c.id == batch_items.c.batch_id)
        .where(batch_items.c.submission_id.in_(mine))
        .order_by(batches.c.folder, batch_items.c.place)
    )
    return tuple((folder, place) for folder, place in connection.execute(query))


def _world_of(connection: Connection, person: Person) -> tuple[str, ...]:
    query = (
        select(candidates.c.name)
        .join(submissions, submissions.c.candidate_id == candidates.c.id)
        .where(submissions.c.variant_of == person.name, candidates.c.id != person.id, candidates.c.name.is_not(None))
        .distinct()
        .order_by(candidates.c.name)
    )
    return tuple(connection.execute(query).scalars())

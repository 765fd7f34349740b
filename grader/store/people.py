"""The people whose work is kept: who they are, since when, and who must not be erased now.

A name is how people are found; the id is what stays when the name is gone. The audit log can never be erased, so no
name goes into it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from grader.errors import UsageError
from grader.intake.names import as_kept
from grader.store.database import Database
from grader.store.runs import log
from grader.store.schema import candidates, runs, sheets, submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody whose work is kept.

    Attributes:
        id: What stays of them when they are erased.
        name: What they are called.
        created: When they were first seen.
        hold: Why nothing of them may be erased now; None where nothing forbids it.
        submissions: How many things they handed in.
        last: End of their last run, or when they handed in last where that is later.
    """

    id: str
    name: str
    created: datetime
    hold: str | None
    submissions: int
    last: datetime


class People:
    """Everybody in a store who was not erased.

    Args:
        database: The store's.
    """

    def __init__(self, database: Database) -> None:
        """Nothing is read yet."""
        self._database = database

    def everybody(self) -> list[Person]:
        """All of them, by name."""
        with self._database.reading() as connection:
            return _read(connection, _everybody())

    def last_before(self, moment: datetime) -> list[Person]:
        """Those whose last run is older than a moment, the oldest first."""
        return sorted((each for each in self.everybody() if each.last < moment), key=lambda each: each.last)

    def find(self, name: str) -> Person:
        """Find somebody by name.

        Raises:
            UsageError: Nobody is called like this; the nearest name is offered.
        """
        with self._database.reading() as connection:
            return find(connection, name)

    def hold(self, name: str, reason: str, who: str) -> None:
        """Forbid erasing somebody, for a reason that the audit log keeps.

        Raises:
            UsageError: There is nobody of this name, or no reason fit for the audit log.
        """
        reason = reason_for_log(reason, name)
        with self._database.writing() as connection:
            person = find(connection, name)
            there = (candidates.c.id == person.id, candidates.c.name.is_not(None))
            if not connection.execute(update(candidates).where(*there).values(hold=reason)).rowcount:
                find(connection, name)  # erased at this very moment, which only PostgreSQL lets happen
            log(connection, "hold", f"candidate {person.id}", reason, who, {"before": person.hold})

    def release(self, name: str, reason: str, who: str) -> None:
        """Allow erasing somebody again.

        Raises:
            UsageError: There is nobody of this name, no reason fit for the audit log, or nothing to release.
        """
        reason = reason_for_log(reason, name)
        with self._database.writing() as connection:
            person = find(connection, name)
            if person.hold is None:
                raise UsageError(f"{name} is under no legal hold.", hint="Nothing was changed.")
            connection.execute(update(candidates).where(candidates.c.id == person.id).values(hold=None))
            log(connection, "release", f"candidate {person.id}", reason, who, {"before": person.hold})


def find(connection: Connection, name: str) -> Person:
    """Find somebody by name; see `People.find`."""
    for spelling in (name, as_kept(name)):  # as it was typed first: older names were kept as they came
        if found := _read(connection, _everybody().where(candidates.c.name == spelling)):
            return found[0]
    known = list(connection.execute(select(candidates.c.name).where(candidates.c.name.is_not(None))).scalars())
    raise UsageError(f"Nobody here is called {name!r}.", hint=_nearest(name, known))


def _nearest(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name.casefold(), [each.casefold() for each in known], n=1, cutoff=0.5)
    offered = next((each for each in known if near and each.casefold() == near[0]), None)
    if offered is not None:
        return f"Did you mean {offered!r}? Names count letter by letter."
    return "Everybody who is kept: grader candidate list" if known else "Nothing of anybody is kept here."


def reason_for_log(reason: str, name: str) -> str:
    """Return a reason that may stay in the audit log for ever.

    Raises:
        UsageError: It is empty, or names the person.
    """
    reason = reason.strip()
    if not reason:
        raise UsageError("Say why, with --reason.", hint="It goes into the audit log, which keeps it for ever.")
    if re.search(rf"(?<!\w){re.escape(as_kept(name))}(?!\w)", as_kept(reason), re.IGNORECASE):
        raise UsageError(
            "The reason names the person, and the audit log keeps it for ever.",
            hint="Say it without the name: a file number will do.",
        )
    return reason


def _everybody() -> Select[Any]:
    theirs = submissions.c.candidate_id == candidates.c.id
    finished = (
        select(func.max(runs.c.finished))
        .join(sheets, sheets.c.run_id == runs.c.id)
        .join(submissions, submissions.c.id == sheets.c.submission_id)
        .where(theirs)
    )
    columns = {
        "many": select(func.count()).select_from(submissions).where(theirs),
        "received": select(func.max(submissions.c.received)).where(theirs),
        "finished": finished,
    }
    return (
        select(candidates, *(query.correlate(candidates).scalar_subquery().label(n) for n, query in columns.items()))
        .where(candidates.c.name.is_not(None))
        .order_by(candidates.c.name)
    )


def _read(connection: Connection, query: Select[Any]) -> list[Person]:
    return [
        Person(
            id=row.id,
            name=row.name,
            created=row.created,
            hold=row.hold,
            submissions=row.many or 0,
            last=max(filter(None, (row.finished, row.received, row.created))),
        )
        for row in connection.execute(query)
    ]

"""Reading what people have corrected: of each check of a run, the override that stands."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Subquery, func, select

from grader.errors import UsageError
from grader.store.database import Database
from grader.store.schema import overrides, runs

if TYPE_CHECKING:
    from grader.model.sheet import ScoreSheet


def standing() -> Subquery:
    """A query for the overrides that stand: the last of each check, unless it was taken back."""
    last = select(func.max(overrides.c.id)).group_by(overrides.c.run_id, overrides.c.check_id)
    return select(overrides).where(overrides.c.id.in_(last), overrides.c.earned.is_not(None)).subquery("standing")


def corrected(connection: Connection, sheet: ScoreSheet) -> ScoreSheet:
    """Put the overrides of a sheet's run on it; unsigned where there are any."""
    from grader.scoring.override import with_override  # tables need the query alone, and start more quickly

    table = standing()
    query = select(table).where(table.c.run_id == sheet.run).order_by(table.c.id)
    for row in connection.execute(query).all():
        points = Decimal(row.earned) / 100
        sheet = with_override(sheet, row.check_id, points, reason=row.reason, by=row.who, made=row.made)
    return sheet


def require_corrected(database: Database, sheet: ScoreSheet) -> None:
    """Refuse a copy of a sheet that lacks what people have corrected since, or holds what was taken back.

    Of a run that is not in the store nothing is known, and nothing refused.

    Raises:
        UsageError: It is such a copy.
    """
    table = standing()
    with database.reading() as connection:
        if connection.execute(select(runs.c.id).where(runs.c.id == sheet.run)).first() is None:
            return
        rows = connection.execute(select(table.c.check_id, table.c.earned).where(table.c.run_id == sheet.run)).all()
    if {check: Decimal(earned) / 100 for check, earned in rows} != {line.id: line.earned for line in sheet.overridden}:
        raise UsageError(
            f"Somebody has corrected run {sheet.run[:8]}, and this copy of its sheet does not say the same.",
            hint="Name the sheet.json of the folder where that was done.",
        )

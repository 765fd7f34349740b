"""A person corrects a check of a run: refused where it makes no sense, and kept for ever where it does."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from sqlalchemy import Connection, func, insert, select, update

from grader.errors import UsageError
from grader.intake.names import NAME_CAP, is_name
from grader.model.base import CENT
from grader.model.decision import REASON_CAP
from grader.model.run import RunStatus
from grader.model.sheet import Audience, CheckLine, ScoreSheet
from grader.scoring.override import as_measured, line_of, with_override, without_override
from grader.store import schema
from grader.store.batches import places_of
from grader.store.database import Database
from grader.store.runs import RunStore, hundredths, keep_sheet, log, sheet_from, totals
from grader.store.schema import LIVE, overrides, runs, sheets, submissions


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants.

    Attributes:
        check: Id of the check.
        points: What it shall give; None to let count again what was measured.
        reason: Why; one line.
        by: Who says so.
        made: When.
    """

    check: str
    points: Decimal | None
    reason: str
    by: str
    made: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewed:
    """A sheet that was made anew: the one that was named, or another one of the same run.

    Attributes:
        sheet: As it is now, signed.
        places: Folders of batches that hold it, and its name below each.
    """

    sheet: ScoreSheet
    places: Sequence[tuple[str, str]]


def as_points(text: str, possible: Decimal, *, is_share: bool) -> Decimal:
    """Read points, or a share of them from 0 to 1, as somebody typed them.

    A share is rounded down to hundredths, as measured ones are.

    Raises:
        UsageError: It is not a number, or not within what the check can give.
    """
    option, most = ("--share", Decimal(1)) if is_share else ("--points", possible)
    number = _number(text)
    if number is None or not 0 <= number <= most:
        raise UsageError(
            f"{option} is {text!r}, which is no number from 0 to {most.normalize():f}.",
            hint=f"The check gives {possible.normalize():f} points. Write 2.5 for two and a half, with a point.",
        )
    if is_share:
        return (possible * number).quantize(CENT, rounding=ROUND_DOWN)
    if number != number.quantize(CENT):
        raise UsageError(f"--points is {text!r}; points are whole hundredths.", hint="Write at most two decimals.")
    return number.quantize(CENT)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    return number if number.is_finite() else None


def require_words(reason: str, by: str) -> tuple[str, str]:
    """Return reason and name as they are kept.

    Raises:
        UsageError: One is missing, is longer than a line should be, or holds what cannot be seen.
    """
    reason, by = reason.strip(), by.strip()
    if not reason:
        raise UsageError("Say why, with --reason.", hint="It stands on the sheet, for everybody who reads it later.")
    if len(reason) > REASON_CAP or not reason.isprintable():
        raise UsageError(
            f"--reason must be one line of at most {REASON_CAP} characters, without control characters.",
            hint="Say it in a sentence or two; name a document for more.",
        )
    if not is_name(by):
        raise UsageError(
            f"--by must be one line of 1 to {NAME_CAP} characters.", hint="Give the name of who decided this."
        )
    return reason, by


def require_line(sheet: ScoreSheet, check: str) -> CheckLine:
    """Return the line of a check that may be corrected.

    Raises:
        UsageError: There is no such check, or nothing on this sheet can be corrected.
    """
    if sheet.audience is not Audience.AUTHOR:
        raise UsageError(
            f"This sheet was made for the {sheet.audience}; corrections go onto the one that holds everything.",
            hint="Name the sheet.json that was written when the submission was graded.",
        )
    if not sheet.checks:
        raise UsageError(
            f"This submission is {sheet.status}, and no check was run: there is nothing to correct.",
            hint="Hand in something that can be graded, or decide without a score.",
        )
    try:
        line = line_of(sheet, check)
    except KeyError:
        known = [each.id for each in sheet.checks]
        near = difflib.get_close_matches(check.upper(), known, n=1)
        raise UsageError(
            f"There is no check {check!r} on this sheet.",
            hint=(f"Did you mean {near[0]}? " if near else "") + f"There are: {', '.join(known)}.",
        ) from None
    if sheet.status is RunStatus.FAULTED:
        _require_unmeasured(sheet, line)
    return line


def _require_unmeasured(sheet: ScoreSheet, line: CheckLine) -> None:
    if as_measured(line).earned is None:
        return
    missing = [each.id for each in sheet.checks if each.earned is None]
    decide = f" What could not be measured can be decided: {', '.join(missing)}." if missing else ""
    raise UsageError(
        f"The run is not complete, and {line.id} was measured: before there is a total, nothing of it is corrected.",
        hint=f"Grade again first.{decide}",
    )


def apply(sheet: ScoreSheet, order: Order) -> ScoreSheet:
    """Return the sheet as the order wants it, unsigned."""
    if order.points is None:
        return without_override(sheet, order.check)
    return with_override(sheet, order.check, order.points, reason=order.reason, by=order.by, made=order.made)


def require_change(line: CheckLine, points: Decimal | None) -> None:
    """Refuse what would change nothing.

    Raises:
        UsageError: The check gives just this already.
    """
    if points is None:
        if line.override is None:
            raise UsageError(
                f"There is no override of {line.id} that could be taken back.", hint="Nothing was changed."
            )
        return
    if points == as_measured(line).earned:
        raise UsageError(
            f"{line.id} gives {_shown(points)} points as measured, so there is nothing to correct.",
            hint="To take an override back: --withdraw" if line.override else "Nothing was changed.",
        )
    if line.override is not None and points == line.earned:
        raise UsageError(
            f"{line.id} has {_shown(points)} points by an override already, by {line.override.by}.",
            hint="Nothing was changed.",
        )


def _shown(points: Decimal) -> str:
    return f"{points.normalize():f}"


class OverrideStore:
    """Overrides in a store.

    Args:
        store: The store of runs.
    """

    def __init__(self, store: RunStore) -> None:
        """Nothing is read yet."""
        self._store = store

    def keep(
        self,
        sheet: ScoreSheet,
        order: Order,
        who: str,
        sign: Callable[[ScoreSheet], ScoreSheet],
        write: Callable[[Sequence[Renewed]], None],
    ) -> list[Renewed]:
        """Correct a run: a row, a line in the audit log, and a new sheet for everybody whose run it is.

        Equal work of several people is one run, so that all of them get the same.

        Args:
            sheet: The one that somebody looked at.
            order: What they want.
            who: Who typed it, for the audit log.
            sign: Signs a sheet.
            write: Writes the new sheets to where people look. What it raises leaves everything as it was.

        Returns:
            The new sheets, that of `sheet` first.

        Raises:
            UsageError: The run is not in the store, does not count, or the sheet is not its present one.
        """
        with self._store.database.writing() as connection:
            # Of two who correct the same run at once, the second sees what the first has done.
            connection.execute(select(runs.c.id).where(runs.c.id == sheet.run).with_for_update())
            held = _held(connection, sheet)
            mine = _require_present(held, sheet)
            _require_counts(connection, held[mine].shown, sheet.run)
            made = {submission: sign(apply(each.sheet, order)) for submission, each in held.items()}
            _require_alone(connection, made[mine])
            self._keep(connection, order, who, line_of(sheet, order.check), made)
            ordered = sorted(made, key=lambda submission: submission != mine)
            renewed = [Renewed(sheet=made[each], places=places_of(connection, each)) for each in ordered]
            write(renewed)
            return renewed

    def _keep(
        self,
        connection: Connection,
        order: Order,
        who: str,
        before: CheckLine,
        made: Mapping[str, ScoreSheet],
    ) -> None:
        sheet = next(iter(made.values()))
        run = sheet.run
        row = {"earned": hundredths(order.points), "reason": order.reason, "who": order.by, "made": order.made}
        new = insert(overrides).values(run_id=run, check_id=order.check, **row).returning(overrides.c.id)
        number = connection.execute(new).scalar_one()
        sums = totals(sheet) | {"status": sheet.status.value}
        connection.execute(update(runs).where(runs.c.id == run).values(**sums))
        after = line_of(sheet, order.check)
        details = {"run": run, "check": order.check, "before": _float(before.earned), "after": _float(after.earned)}
        action = "override" if order.points is not None else "withdraw"
        for submission, each in made.items():
            keep_sheet(connection, submission, each)
            self._store.show(connection, submission, each)
            # The reason is about somebody's work and must be able to go with it; the log can never be erased.
            log(connection, action, f"submission {submission}", f"see override {number}", who, details)


def _float(points: Decimal | None) -> float | None:
    return None if points is None else float(points)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """Somebody's newest sheet of a run; `shown` is the run whose score counts for them."""

    candidate: str | None
    sheet: ScoreSheet
    shown: str | None


def _held(connection: Connection, sheet: ScoreSheet) -> dict[str, _Held]:
    people = schema.candidates
    last = (
        select(sheets.c.submission_id, func.max(sheets.c.number).label("number"))
        .where(sheets.c.run_id == sheet.run)
        .group_by(sheets.c.submission_id)
        .subquery()
    )
    query = (
        select(sheets.c.content, submissions.c.id, submissions.c.shown_run, people.c.name)
        .join(last, (last.c.submission_id == sheets.c.submission_id) & (last.c.number == sheets.c.number))
        .join(submissions, submissions.c.id == sheets.c.submission_id)
        .join(people, people.c.id == submissions.c.candidate_id)
        .where(sheets.c.run_id == sheet.run)
        .order_by(submissions.c.received, submissions.c.id)
    )
    return {
        row.id: _Held(candidate=row.name, sheet=sheet_from(row.content), shown=row.shown_run)
        for row in connection.execute(query)
    }


def require_present(database: Database, sheet: ScoreSheet) -> None:
    """Refuse a copy of a sheet that lacks what people have done to another one.

    Of a run that is not in the store nothing is known, and nothing refused.

    Raises:
        UsageError: It is such a copy.
    """
    with database.reading() as connection:
        held = _held(connection, sheet)
    if any(each.candidate == sheet.candidate for each in held.values()):
        _require_present(held, sheet)


def _require_present(held: Mapping[str, _Held], sheet: ScoreSheet) -> str:
    theirs = {submission: each for submission, each in held.items() if each.candidate == sheet.candidate}
    if not theirs:
        raise UsageError(
            f"Run {sheet.run[:8]} of {sheet.candidate} is not in the store of this installation.",
            hint="Overrides are made where the submission was graded; GRADER_DATA_DIR or GRADER_DATABASE may name "
            "another store. What was graded by `grader demo`, or was erased, is in none.",
        )
    for submission, each in theirs.items():
        if _content(each.sheet) == _content(sheet):
            return submission
    raise UsageError(
        f"This is not the present sheet of run {sheet.run[:8]}: another copy of it was reviewed or corrected.",
        hint="Name the sheet.json of the folder where that was done.",
    )


def _content(sheet: ScoreSheet) -> str:
    return sheet.model_copy(update={"signature": None}).model_dump_json()


def _require_counts(connection: Connection, shown: str | None, run: str) -> None:
    if shown in (None, run):
        return
    status = connection.execute(select(runs.c.status).where(runs.c.id == shown)).scalar()
    if status != RunStatus.FAULTED:
        raise UsageError(
            f"The score of this run does not count: that of run {shown[:8]} does.",
            hint="Name the sheet.json of that run; after a regrade it lies where the old one was.",
        )


def _require_alone(connection: Connection, after: ScoreSheet) -> None:
    """A run that was faulted becomes a score only where there is no other one of just the same."""
    run = after.run
    key, series, status = connection.execute(
        select(runs.c.key, runs.c.series, runs.c.status).where(runs.c.id == run)
    ).one()
    if status in LIVE or after.status is not RunStatus.GRADED:
        return
    same = select(runs.c.id).where(
        runs.c.key == key, runs.c.series == series, runs.c.status.in_(LIVE), runs.c.id != run
    )
    other = connection.execute(same).scalars().first()
    if other is not None:
        raise UsageError(
            f"The same was graded again, as run {other[:8]}, so that nobody has to decide this one.",
            hint="Name the sheet.json of that run.",
        )

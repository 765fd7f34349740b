"""What a store does, on every database that is supported."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from grader import clock
from grader.errors import StoreFailed, UsageError
from grader.model.run import Fault, Party, RunStatus
from grader.store import results, schema
from grader.store.cohorts import read_cohort
from grader.store.database import Database, open_database
from grader.store.port import Finished, Standing
from grader.store.runs import LEASE, log
from tests.factories import make_faulted_sheet
from tests.integration.store.conftest import Desk, correct


def shown(desk: Desk) -> str:
    with desk.database.reading() as connection:
        return str(connection.execute(select(schema.submissions.c.shown_run)).scalar_one())[0]


def count(database: Database, table: str) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(schema.metadata.tables[table])).scalar_one())


def test_a_run_is_done_once(desk: Desk) -> None:
    assert desk.store.claim(desk.claim("1")).standing is Standing.OURS
    assert desk.owned_by("you").claim(desk.claim("2")).standing is Standing.TAKEN
    desk.store.drop("1" * 32)
    desk.grade("3")
    turn = desk.owned_by("you").claim(desk.claim("4"))
    assert (turn.standing, turn.run) == (Standing.DONE, "3" * 32)
    assert desk.store.claim(desk.claim("5", series="again")).standing is Standing.OURS


def test_of_many_who_ask_at_once_one_gets_it(desk: Desk) -> None:
    stores = [desk.owned_by(f"process {number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda pair: pair[1].claim(desk.claim(f"{pair[0]}")), enumerate(stores)))
    assert sorted(turn.standing for turn in turns) == [Standing.OURS] + [Standing.TAKEN] * 7


def test_a_faulted_run_may_be_tried_again(desk: Desk) -> None:
    fault = Fault(party=Party.INFRASTRUCTURE, message="The engine is gone.", hint="Start it.")
    desk.grade("1", status=RunStatus.FAULTED, earned=None, faults=(fault,))
    assert desk.store.claim(desk.claim("2")).standing is Standing.OURS
    assert count(desk.database, "faults") == 1


def test_the_run_of_a_dead_process_goes_to_who_asks(desk: Desk) -> None:
    desk.store.claim(desk.claim("1"))
    desk.alive["me"] = False
    assert desk.owned_by("you").claim(desk.claim("2")).standing is Standing.OURS


def test_a_process_elsewhere_is_believed_dead_when_its_lease_is_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.store.claim(desk.claim("1"))
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + LEASE * 0.9)
    assert desk.owned_by("you").claim(desk.claim("2")).standing is Standing.TAKEN
    desk.store.renew()
    monkeypatch.setattr(clock, "now", lambda: now + LEASE * 1.8)
    assert desk.owned_by("you").claim(desk.claim("2")).standing is Standing.TAKEN
    monkeypatch.setattr(clock, "now", lambda: now + LEASE * 2)
    assert desk.owned_by("you").claim(desk.claim("2")).standing is Standing.OURS


def test_a_run_that_was_taken_away_cannot_be_finished(desk: Desk) -> None:
    desk.store.claim(desk.claim("1"))
    desk.alive["me"] = False
    desk.owned_by("you").claim(desk.claim("2"))
    assert not desk.store.finish("1" * 32, Finished(sheet=desk.sheet("1")), desk.delivery())
    assert count(desk.database, "results") == count(desk.database, "sheets") == 0


def test_what_was_kept_comes_back(desk: Desk) -> None:
    sheet = desk.grade("1")
    assert desk.store.sheet_of("1" * 32) == sheet
    assert desk.store.logs_of("1" * 32) == {"checker.log": "d" * 64}
    assert desk.store.seconds("clean_parquet") == {"s" * 64: 107}
    with desk.database.reading() as connection:
        rows = connection.execute(select(schema.results.c.fraction, schema.results.c.earned)).all()
    assert {row.fraction for row in rows} == {0.123456789}
    assert sheet.earned is not None
    assert sum(row.earned for row in rows) == sheet.earned * 100


def test_results_come_line_by_line_with_the_run_that_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "ROWS", 7)
    sheet = desk.grade("1")
    desk.grade("2", key="l")
    parts = list(results.read_results(desk.database, "clean_parquet", "spring"))
    assert max(len(part["run"]) for part in parts) == 7
    cells = {name: [cell for part in parts for cell in part[name]] for name in ("check", "run", "counts")}
    assert cells["check"] == sorted(check.id for check in sheet.checks) * 2
    assert set(zip(cells["run"], cells["counts"], strict=True)) == {("1" * 32, True), ("2" * 32, False)}


def test_equal_work_of_two_people_is_one_run_and_two_submissions(desk: Desk) -> None:
    sheet = desk.grade("1")
    desk.store.record(desk.delivery("Grace", "grace"), sheet.model_copy(update={"candidate": "Grace"}))
    assert (count(desk.database, "runs"), count(desk.database, "submissions"), count(desk.database, "sheets")) == (
        1,
        2,
        2,
    )
    desk.store.record(desk.delivery("Grace", "grace"), sheet.model_copy(update={"candidate": "Grace"}))
    assert (count(desk.database, "batch_items"), count(desk.database, "sheets")) == (2, 2)


def test_a_sheet_that_people_changed_is_the_present_one(desk: Desk) -> None:
    sheet = desk.grade("1", candidate="Ada Lindqvist")
    renewed = sheet.model_copy(update={"ai_use": "rated"})
    desk.store.keep_renewed(renewed)
    desk.store.keep_renewed(renewed)
    with desk.database.reading() as connection:
        submission = connection.execute(select(schema.submissions.c.id)).scalar_one()
    assert desk.store.sheet_of("1" * 32, submission) == renewed
    assert desk.store.sheet_of("1" * 32) == sheet
    assert count(desk.database, "sheets") == 2


def test_a_person_corrects_a_run_and_takes_it_back(desk: Desk) -> None:
    sheet = desk.grade("1", candidate="Ada Lindqvist")
    check = next(each for each in sheet.checks if each.earned)
    (changed,) = correct(desk, sheet, check.id, Decimal(0))
    assert changed.places == [("/spring", "ada")]
    assert changed.sheet.measured_earned == sheet.earned
    with pytest.raises(UsageError, match="not the present sheet"):
        correct(desk, sheet, check.id, Decimal(0))
    (member,) = read_cohort(desk.database, "clean_parquet").members
    assert (member.earned, list(member.corrections)) == (float(changed.sheet.earned or 0), [check.id])
    (part,) = results.read_results(desk.database, "clean_parquet")
    assert dict(zip(part["check"], part["override"], strict=True))[check.id] == 0
    later = desk.store.sheet_of("1" * 32).model_copy(update={"candidate": "Grace"})
    desk.store.record(desk.delivery("Grace", "grace"), later)
    back = correct(desk, changed.sheet, check.id, None)
    assert [each.sheet.candidate for each in back] == ["Ada Lindqvist", "Grace"]
    assert [each.sheet.earned for each in back] == [sheet.earned] * 2
    assert desk.store.sheet_of("1" * 32).earned == sheet.earned
    assert (count(desk.database, "overrides"), count(desk.database, "audit_log")) == (2, 3)
    assert not read_cohort(desk.database, "clean_parquet").corrected


def test_what_was_graded_again_needs_no_decision(desk: Desk) -> None:
    fault = Fault(party=Party.INFRASTRUCTURE, message="The engine is gone.", hint="Start it.")
    lost = {"status": RunStatus.FAULTED, "earned": None, "checks": make_faulted_sheet().checks, "faults": (fault,)}
    broken = desk.grade("1", candidate="Ada Lindqvist", **lost)
    first, second = (each.id for each in broken.checks if each.earned is None)
    (one,) = correct(desk, broken, first, Decimal(1))
    with desk.database.reading() as connection:
        assert connection.execute(select(schema.runs.c.status)).scalar_one() == "faulted"
    desk.grade("2", candidate="Grace")
    with pytest.raises(UsageError, match="graded again, as run 2222"):
        correct(desk, one.sheet, second, Decimal(0))


def test_overrides_from_before_they_could_be_taken_back_stay(nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from alembic import command

    upgrade, now = command.upgrade, clock.now()
    with monkeypatch.context() as patch:
        patch.setattr(command, "upgrade", lambda config, _: upgrade(config, "0002"))
        old = open_database(nothing)
    version = {"digest": "d", "exercise_id": "x", "version": "1", "content": "", "components": "", "first_seen": now}
    run = {"id": "1", "key": "k", "exercise_digest": "d", "submission_digest": "s", "commitment": "c", "images": "{}"}
    run |= {"harness": "h", "status": "graded", "owner": "me", "lease_until": now, "started": now}
    row = {"run_id": "1", "check_id": "A1", "reason": "r", "who": "w", "made": now}
    with old.writing() as connection:
        connection.execute(insert(schema.exercises).values(id="x", title="X"))
        connection.execute(insert(schema.exercise_versions).values(**version))
        connection.execute(insert(schema.runs).values(**run))
        connection.execute(insert(schema.overrides).values(earned=600, **row))
    old.close()
    new = open_database(nothing)
    with new.writing() as connection:
        connection.execute(insert(schema.overrides).values(earned=None, **row))
        found = connection.execute(select(schema.overrides.c.earned).order_by(schema.overrides.c.id)).scalars().all()
    new.close()
    assert found == [600, None]


def test_a_shown_score_stays_until_somebody_says_so(desk: Desk) -> None:
    desk.grade("1")
    second = desk.grade("2", key="l")
    assert shown(desk) == "1"
    desk.store.record(desk.delivery(replace=True), second)
    assert shown(desk) == "2"
    assert count(desk.database, "audit_log") == 1


def test_a_score_replaces_a_fault(desk: Desk) -> None:
    desk.grade("1", status=RunStatus.FAULTED, earned=None)
    assert shown(desk) == "1"
    desk.grade("2")
    assert shown(desk) == "2"


@pytest.mark.parametrize("change", ["UPDATE audit_log SET reason = 'none'", "DELETE FROM audit_log"])
def test_the_audit_log_only_grows(database: Database, change: str) -> None:
    with database.writing() as connection:
        log(connection, "accept", "regrade 1", "a check was wrong", "ada", {"n": 1})
    with pytest.raises(StoreFailed, match="append-only"), database.writing() as connection:
        connection.execute(text(change))
    assert count(database, "audit_log") == 1


def test_what_fails_half_way_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.writing() as connection:
            log(connection, "accept", "regrade 1", "", "ada", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert count(database, "audit_log") == 0


def test_rows_that_belong_to_nothing_are_refused(database: Database) -> None:
    with pytest.raises(StoreFailed, match=r"(?i)foreign key"), database.writing() as connection:
        connection.execute(schema.faults.insert().values(run_id="0" * 32, party="author", message="", hint=""))


def test_a_database_from_a_newer_grader_is_left_alone(database: Database, url: str) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(UsageError, match="newer grader") as caught:
        open_database(url)
    assert "Update grader" in caught.value.hint


def test_migrations_make_the_tables_that_the_program_knows(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": False})
        assert compare_metadata(context, schema.metadata) == []


def test_two_that_open_a_new_database_at_once(nothing: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(open_database, [nothing] * 4))
    for database in found:
        assert count(database, "runs") == 0
        database.close()


def test_a_batch_has_one_folder(desk: Desk, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    batch, _ = desk.store.open_batch("autumn", desk.exercise.id, str(here))
    with pytest.raises(UsageError, match=r"already, and its sheets are in .*here\."):
        desk.store.open_batch("autumn", desk.exercise.id, str(there))
    other = desk.store.open_batch("autumn", desk.exercise.id, str(there), exact=False)
    assert other[1] == "autumn-2"
    assert other[0] != batch
    assert desk.store.open_batch("autumn", desk.exercise.id, str(there), exact=False) == other
    assert desk.store.open_batch("autumn", desk.exercise.id, str(here)) == (batch, "autumn")


def test_a_batch_whose_folder_is_gone_has_another_one(desk: Desk, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    batch = desk.store.open_batch("autumn", desk.exercise.id, str(here))
    here.rename(there)
    assert desk.store.open_batch("autumn", desk.exercise.id, str(there)) == batch
    here.mkdir()
    with pytest.raises(UsageError, match="there"):
        desk.store.open_batch("autumn", desk.exercise.id, str(here))

"""What can be wrong with a database, and what people are told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from grader.errors import StoreFailed, UsageError
from grader.store import database as module
from grader.store.database import Database, explain, open_database
from grader.store.runs import log


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'grader.db'}")
    yield database
    database.close()


def write(database: Database, text_: str = "") -> None:
    with database.writing() as connection:
        log(connection, "accept", "regrade", text_, "ada", {})


def test_it_waits_for_another_writer_and_then_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_SECONDS", 0.05)
    database = open_database(f"sqlite:///{tmp_path / 'grader.db'}")
    other = sqlite3.connect(tmp_path / "grader.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreFailed, match="is held by another program"):
        write(database)
    with database.reading() as connection:  # readers do not wait for writers
        assert connection.execute(text("SELECT count(*) FROM audit_log")).scalar() == 0
    other.close()
    write(database)
    database.close()


def test_a_new_one_that_somebody_writes_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = sqlite3.connect(tmp_path / "grader.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")  # for which the database's own timeout does not wait
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        writer.execute("COMMIT")

    monkeypatch.setattr(module._keep_a_log.retry, "sleep", wait)
    database = open_database(f"sqlite:///{tmp_path / 'grader.db'}")
    assert len(waits) == 1
    database.close()
    writer.close()


def test_one_that_cannot_be_written(small: Database) -> None:
    with small.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreFailed, match="cannot be written") as caught:
        write(small)
    assert "GRADER_DATA_DIR" in caught.value.hint


def test_a_full_disk_loses_nothing_that_was_kept(small: Database) -> None:
    write(small)
    with small.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreFailed, match="no room left"):
        write(small, "x" * 100_000)
    with small.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_log")).scalar() == 1


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "grader.db").write_text("Dear diary, " * 100)
    with pytest.raises(StoreFailed, match="damaged, or no database of grader"):
        open_database(f"sqlite:///{tmp_path / 'grader.db'}")


@pytest.mark.parametrize("url", ["mysql://localhost/grader", "no url", "grader.db"])
def test_what_is_no_url_of_ours(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_database(url)
    assert "postgresql://" in caught.value.hint


def test_a_server_that_does_not_answer_is_named_without_its_password() -> None:
    with pytest.raises(StoreFailed, match="does not answer") as caught:
        open_database("postgresql://grader:secret@127.0.0.1:1/grader")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("canceling statement due to lock timeout", "failed"),
        ("cannot execute INSERT in a read-only transaction", "cannot be written"),
        ('could not extend file "base/1": No space left on device', "no room left"),
        ("FATAL: sorry, too many clients already", "failed: FATAL"),
    ],
)
def test_what_postgresql_says(said: str, told: str) -> None:
    assert told in explain(sqlite3.OperationalError(said), "grader").message

"""Connections to the store's database: SQLite by default, PostgreSQL by URL.

The database's own errors become ours here, and nowhere else. Writers on SQLite take the write lock when they begin,
so that no transaction is lost half-way to a reader that wanted to write as well.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random

from grader.errors import StoreFailed, UsageError
from grader.store.schema import REVISION

BUSY_SECONDS = 30.0
FILE = "grader.db"
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg", "sqlite": "sqlite+pysqlite"}
_WRITES = "grader_writes"

# What drivers say (in lower case) -> what happened, and what to do next. SQLSTATE codes are PostgreSQL's.
_CAUSES: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("database is locked", "55p03"),
        "is held by another program",
        "Wait until that has ended, then run the same command again: what is finished is kept.",
    ),
    (
        ("readonly database", "read-only", "25006", "42501", "unable to open database file"),
        "cannot be written",
        "Make the file and its folder writable, or name another place with GRADER_DATA_DIR.",
    ),
    (
        ("disk is full", "no space left", "53100", "disk i/o error"),
        "has no room left on its disk",
        "Free some space, then run the same command again: what is finished is kept.",
    ),
    (
        ("not a database", "malformed"),
        "is damaged, or no database of grader",
        "Restore it from a backup, or name another place with GRADER_DATA_DIR.",
    ),
    (
        ("connection refused", "could not translate", "connection failed", "is the server running", "53300", "08006"),
        "does not answer",
        "Start the database, or correct GRADER_DATABASE.",
    ),
)


class Database:
    """An open database at the present version.

    Args:
        engine: Made by `open_database`.
        name: What people call it in messages; never with a password.
    """

    def __init__(self, engine: Engine, name: str) -> None:
        """Nothing is connected yet."""
        self.engine = engine
        self.name = name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only looks.

        Raises:
            StoreFailed: The database failed.
        """
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that changes something: all of it, or nothing when an exception leaves the block.

        Raises:
            StoreFailed: The database failed; nothing was changed.
        """
        with (
            self._translated(),
            self.engine.connect().execution_options(**{_WRITES: True}) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def erasing(self) -> Iterator[Connection]:
        """Like `writing`; what is deleted or replaced is overwritten, where the database can do that.

        Raises:
            StoreFailed: The database failed; nothing was changed.
        """
        with self.writing() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete = ON")
            yield connection

    def settle(self) -> None:
        """Let go of older states of the database that SQLite keeps in a file of its own, unless somebody reads them.

        PostgreSQL does so by itself, when it vacuums.

        Raises:
            StoreFailed: The database failed.
        """
        if self.engine.dialect.name == "sqlite":
            with self._translated():
                connection = self.engine.raw_connection()
                try:
                    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
                finally:
                    connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, sqlite3.Error) as error:
            raise explain(error, self.name) from error

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def explain(error: Exception, name: str) -> StoreFailed:
    """Turn what a driver said into words that help."""
    original = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    said = f"{original} {getattr(original, 'sqlstate', '') or ''}".lower()
    for signs, what, hint in _CAUSES:
        if any(sign in said for sign in signs):
            return StoreFailed(f"The database {name} {what}.", hint=hint)
    line = str(original).strip().splitlines()[0] if str(original).strip() else type(original).__name__
    return StoreFailed(
        f"The database {name} failed: {line}", hint="Run the same command again; what is finished is kept."
    )


def sqlite_url(folder: Path) -> str:
    """The URL of the default database below a folder."""
    return URL.create("sqlite+pysqlite", database=str(folder.resolve() / FILE)).render_as_string(hide_password=False)


def open_database(url: str) -> Database:
    """Connect, and bring the tables to the present version.

    Args:
        url: `sqlite:///path` or `postgresql://user@host/name`.

    Raises:
        UsageError: The URL cannot be used, a package is missing, or a newer grader made the tables.
        StoreFailed: The database does not answer, or cannot be written.
    """
    address = _address(url)
    name = address.database or "" if address.drivername.startswith("sqlite") else address.render_as_string()
    try:
        engine = _engine(address)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"The package {error.name} is not installed, which {address.get_backend_name()} needs.",
            hint="Type: pip install 'grader[postgres]'",
        ) from error
    database = Database(engine, name)
    try:
        _bring_up(database)
    except BaseException:
        database.close()
        raise
    return database


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        backend = address.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise UsageError("GRADER_DATABASE is not the URL of a database.", hint=_EXAMPLES) from error
    if backend not in _DRIVERS:
        raise UsageError(f"There is no support for {backend} databases.", hint=_EXAMPLES)
    return address.set(drivername=_DRIVERS[backend])


_EXAMPLES = "Write it like postgresql://grader@localhost/grader; leave it out to use a file."


def _engine(address: URL) -> Engine:
    if address.get_backend_name() == "postgresql":
        options = {"options": "-c lock_timeout=30s -c client_min_messages=warning", "connect_timeout": 10}
        return create_engine(address, connect_args=options, pool_pre_ping=True)
    engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_sqlite`
    _keep_a_log(connection)
    for pragma in ("synchronous = NORMAL", "foreign_keys = ON", "cache_size = -256"):
        connection.execute(f"PRAGMA {pragma}")


def _held_by_another(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


@retry(
    retry=retry_if_exception(_held_by_another),
    stop=stop_after_delay(BUSY_SECONDS),
    wait=wait_random(0, 0.1),
    reraise=True,
)
def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. The file remembers it, so only who opens a new one first has to.

    SQLite does not wait for others here, whatever the timeout (https://sqlite.org/wal.html, "activating").
    """
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        connection.execute("PRAGMA journal_mode = WAL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _bring_up(database: Database) -> None:
    with database.reading() as connection:
        found = _revision(connection)
    if found == REVISION:
        return
    with database.writing() as connection:
        if connection.dialect.name == "postgresql":  # two processes may be at it
            connection.execute(text("SELECT pg_advisory_xact_lock(727200)"))
        _migrate(connection, database.name)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _migrate(connection: Connection, name: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    found = _revision(connection)
    known = {each.revision for each in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise UsageError(
            f"The database {name} was made by a newer grader (version {found} of the tables; this one knows "
            f"{REVISION}).",
            hint="Update grader, or name another place with GRADER_DATA_DIR. Nothing was changed.",
        )
    command.upgrade(config, "head")


def add(connection: Connection, table: Any, **values: Any) -> bool:
    """Insert a row unless that breaks a rule of uniqueness; returns whether it is new."""
    # Only the one in use: PostgreSQL's is slow to import.
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    key = next(iter(table.primary_key))
    new = dialect.insert(table).values(**values).on_conflict_do_nothing().returning(key)
    return connection.execute(new).first() is not None

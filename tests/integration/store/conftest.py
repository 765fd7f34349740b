"""One store on each database that is supported: whatever a test says holds for both."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from grader import clock
from grader.catalog.components import components
from grader.model.exercise import Exercise
from grader.model.sheet import ScoreSheet
from grader.store import schema
from grader.store.database import Database, open_database
from grader.store.overriding import Order, OverrideStore, Renewed
from grader.store.port import Claim, Delivery, Finished, HandIn
from grader.store.runs import RunStore
from tests.conftest import TINY
from tests.factories import make_provenance, make_sheet
from tests.postgres import server


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """URLs on a server of our own, with a place for the database's name; `grader` is at the present version."""
    with server() as url:
        with psycopg.connect(url.format("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE grader")
            connection.execute("CREATE DATABASE empty")
        open_database(url.format("grader")).close()
        yield url


@pytest.fixture(scope="session")
def sqlite_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database at the present version, to be copied."""
    path = tmp_path_factory.mktemp("template") / "grader.db"
    open_database(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which database a test is for: every test is for both."""
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that holds nothing."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_file"), tmp_path)
        return f"sqlite:///{tmp_path / 'grader.db'}"
    url: str = request.getfixturevalue("postgres").format("grader")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # without the trigger of the audit log
        connection.execute(f"TRUNCATE {', '.join(schema.metadata.tables)}")
        connection.execute(f"UPDATE alembic_version SET version_num = '{schema.REVISION}'")
    return url


@pytest.fixture
def nothing(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without a single table."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    url: str = request.getfixturevalue("postgres").format("empty")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


@dataclass
class Desk:
    """A store with an exercise in it, and short ways to grade."""

    database: Database
    exercise: Exercise
    alive: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.store = self.owned_by("me")
        self.store.register(self.exercise, components(TINY, self.exercise))
        self.batch, _ = self.store.open_batch("spring", self.exercise.id, "/spring")

    def owned_by(self, owner: str) -> RunStore:
        """The same store, as another process sees it."""
        return RunStore(self.database, owner, self.alive.get)

    def claim(self, run: str = "1", key: str = "k", **changes: str) -> Claim:
        values = {"exercise": self.exercise.digest, "submission": "s" * 64, "commitment": "c" * 64, "harness": "h"}
        return Claim(run=run * 32, key=key * 64, images={"submission": "i"}, **(values | changes))

    def sheet(self, run: str = "1", **changes: object) -> ScoreSheet:
        provenance = make_provenance(exercise_digest=self.exercise.digest)
        return make_sheet(run=run * 32, provenance=provenance, **changes)

    def delivery(self, candidate: str = "Ada", place: str = "ada", digest: str = "s" * 64, **more: bool) -> Delivery:
        hand_in = HandIn(candidate=candidate, label=f"{place}.zip", digest=digest, artefact="a" * 64)
        return Delivery(batch=self.batch, place=place, hand_in=hand_in, **more)

    def grade(self, run: str = "1", key: str = "k", candidate: str = "Ada", **changes: object) -> ScoreSheet:
        """Claim and finish a run."""
        self.store.claim(self.claim(run, key))
        sheet = self.sheet(run, **changes)
        fractions = {check.id: 0.123456789 for check in sheet.checks}
        finished = Finished(sheet=sheet, fractions=fractions, logs={"checker.log": "d" * 64})
        assert self.store.finish(run * 32, finished, self.delivery(candidate))
        return sheet


def correct(desk: Desk, sheet: ScoreSheet, check: str, points: Decimal | None) -> list[Renewed]:
    """Let a person correct a check, or take that back."""
    order = Order(check=check, points=points, reason="Ada had other data.", by="Bo Ek", made=clock.now())
    return OverrideStore(desk.store).keep(sheet, order, "me", lambda each: each, lambda _: None)


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """An empty store's database."""
    database = open_database(url)
    yield database
    database.close()


@pytest.fixture
def desk(database: Database, tiny: Exercise) -> Desk:
    """A store with an exercise in it."""
    # The sample sheet is about this one.
    return Desk(
        database, tiny.model_copy(update={"manifest": tiny.manifest.model_copy(update={"id": "clean_parquet"})})
    )

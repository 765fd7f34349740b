"""Batches of scripted runs: each exactly once, whatever happens to one of them."""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from grader.catalog.components import components
from grader.engine.batch import ATTEMPTS, Batch, Done, Entry, Plan
from grader.engine.grade import Harness
from grader.engine.jobs import Hall
from grader.errors import InfrastructureFault, StoreFailed
from grader.intake.receive import label_of, receive
from grader.model.run import Party, RunStatus
from grader.model.sheet import ScoreSheet
from grader.store import schema
from grader.wiring import Store, store_at
from tests.scripted_runs import ScriptedRuns, Stage
from tests.signatures import is_genuine


@dataclass
class Bench:
    """A stage with a store, and short ways to run a batch on it."""

    stage: Stage
    store: Store
    sheets: dict[str, ScoreSheet] = field(default_factory=dict)

    @property
    def runs(self) -> ScriptedRuns:
        return self.stage.runs

    def entries(self, *names: str, **texts: str) -> list[Entry]:
        return [self.entry(name) for name in names] + [self.entry(*each) for each in texts.items()]

    def entry(self, name: str, text: str = "", **changes: object) -> Entry:
        path = self.stage.write(name, text)
        values = {"path": path, "place": name, "label": name, "who": name, "read": partial(receive, path)}
        return Entry(**(values | changes))

    def batch(self, jobs: int = 2, harness: Harness | None = None) -> Batch[str]:
        stage, runs = self.stage, self.store.runs
        runs.register(stage.exercise, components(stage.source, stage.exercise))
        plan = Plan(
            batch=runs.open_batch("spring", "tiny_sum", "")[0],
            jobs=jobs,
            deliver=self._deliver,
            back_off=0.0,
            poll=0.01,
        )
        return Batch(harness or stage.harness, stage.exercise, stage.source, runs, self.store.artefacts, plan)

    def run(self, entries: Sequence[Entry], jobs: int = 2, harness: Harness | None = None) -> dict[str, Done[str]]:
        return {done.entry.place: done for done in self.batch(jobs, harness).run(entries)}

    def _deliver(self, entry: Entry, sheet: ScoreSheet, logs: Mapping[str, bytes]) -> str:
        self.sheets[entry.place] = sheet
        return f"{sheet.status} {sheet.earned}"


@pytest.fixture(scope="module")
def stage_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stage whose store has its tables."""
    folder = tmp_path_factory.mktemp("stage")
    Stage(folder)
    with store_at(folder / "data"):
        return folder


@pytest.fixture
def bench(stage_folder: Path, tmp_path: Path) -> Iterator[Bench]:
    """A stage with an empty store."""
    shutil.copytree(stage_folder, tmp_path, dirs_exist_ok=True)
    with store_at(tmp_path / "data") as store:
        yield Bench(Stage(tmp_path), store)


def test_every_entry_gets_its_sheet(bench: Bench) -> None:
    done = bench.run(bench.entries("ada", alan="earns A1 0.5", grace="earns A1 0"))
    assert {place: each.row for place, each in done.items()} == {
        "ada": "graded 10.00",
        "alan": "graded 7.00",
        "grace": "graded 4.00",
    }
    assert all(is_genuine(sheet) for sheet in bench.sheets.values())


def test_what_is_finished_is_not_done_again_whatever_it_is_called(bench: Bench) -> None:
    bench.run([bench.entry("ada", "the same")])
    done = bench.run([bench.entry("renamed", "the same"), bench.entry("new")])
    assert (done["renamed"].reused, done["new"].reused) == (True, False)
    sheet = bench.sheets["renamed"]
    assert (sheet.candidate, sheet.submission, sheet.run) == ("renamed", "renamed", bench.sheets["ada"].run)
    assert is_genuine(sheet)
    assert sum(bench.runs.played.values()) == 2


@pytest.mark.parametrize("change", ["submission", "exercise", "image", "variant", "series"])
def test_what_differs_in_anything_that_counts_is_another_run(bench: Bench, change: str) -> None:
    bench.run([bench.entry("ada", "first")])
    entry, harness = bench.entry("ada", "second" if change == "submission" else "first"), None
    if change == "exercise":
        (bench.stage.source / "brief.md").write_text("Other words.")
        bench.stage = Stage(bench.stage.folder, bench.runs)
    if change == "image":
        harness = bench.stage.harness_with("image 2")
    if change in ("variant", "series"):
        entry = bench.entry("ada", "first", **{"variant_of" if change == "variant" else "series": "Ada"})
    assert not bench.run([entry], harness=harness)["ada"].reused
    assert sum(bench.runs.played.values()) == 2


def test_extra_time_is_kept_with_the_submission_and_says_nothing_anywhere_else(bench: Bench) -> None:
    bench.run([bench.entry("ada", "first")])
    before = bench.sheets["ada"]
    done = bench.run([bench.entry("ada", "first", extra_time=1.5)])
    assert (done["ada"].reused, bench.sheets["ada"]) == (True, before)
    bench.run([bench.entry("grace", "her own", extra_time=1.5)])
    with bench.store.database.reading() as connection:
        kept = connection.execute(select(schema.submissions.c.label, schema.submissions.c.extra_time)).all()
    assert set(map(tuple, kept)) == {("ada", 1.5), ("grace", 1.5)}


def test_the_order_of_a_batch_changes_no_sheet(bench: Bench) -> None:
    random_ = random.Random(146)
    broken = bench.stage.folder / "in" / "broken.zip"
    broken.parent.mkdir()
    broken.write_bytes(b"PK\x03\x04 and nothing more")
    entries = [
        *bench.entries("ada", alan="earns A1 0.5", grace="earns A1 0", mary="earns B1 0.25"),
        Entry(path=broken, place="broken", label="broken", who="broken", read=partial(receive, broken)),
    ]
    orders = []
    for number in range(10):
        random_.shuffle(entries)
        bench.run([replace(entry, series=f"{number}") for entry in entries])
        orders.append({place: steady(sheet) for place, sheet in bench.sheets.items()})
    assert set(orders[0]) == {"ada", "alan", "grace", "mary", "broken"}
    assert all(order == orders[0] for order in orders)
    assert sum(bench.runs.played.values()) == 40


def steady(sheet: ScoreSheet) -> dict[str, Any]:
    """A sheet without its id, its times, and the signature that is over both."""
    return sheet.model_dump(exclude={"run", "started", "finished", "waited_seconds", "signature"})


def test_an_infrastructure_fault_is_tried_again(bench: Bench) -> None:
    done = bench.run(bench.entries(shaky="breaks 3", gone="breaks 9"))
    assert (done["shaky"].row, done["shaky"].party) == ("graded 10.00", None)
    assert done["gone"].party is Party.INFRASTRUCTURE
    assert sorted(bench.runs.played.values()) == [ATTEMPTS, ATTEMPTS]
    again = bench.run(bench.entries(shaky="breaks 3", gone="breaks 9"))
    assert (again["shaky"].reused, again["gone"].reused) == (True, False)


@pytest.mark.parametrize("name", ["broken.zip", "bro\x1b[31mken.zip"])
def test_one_that_cannot_be_read_is_rejected_once(bench: Bench, name: str) -> None:
    path = bench.stage.folder / "in" / name
    path.parent.mkdir()
    path.write_bytes(b"PK\x03\x04 and nothing more")
    entry = Entry(path=path, place="broken", label=label_of(path), who="broken", read=partial(receive, path))
    done = bench.run([entry, *bench.entries("ada")])
    assert (done["broken"].row, done["ada"].row) == ("rejected None", "graded 10.00")
    assert bench.run([entry])["broken"].reused


def test_a_path_that_vanished_is_listed_and_the_rest_goes_on(bench: Bench) -> None:
    gone, *others = bench.entries("gone", "ada")
    shutil.rmtree(gone.path)
    done = bench.run([gone, *others])
    assert "does not exist" in done["gone"].trouble
    assert done["ada"].row == "graded 10.00"


def test_a_defect_of_ours_costs_one_submission(bench: Bench) -> None:
    def stumble(program: bytes) -> None:
        if b"odd" in program:
            raise ZeroDivisionError("by zero")

    bench.runs.during = stumble
    done = bench.run(bench.entries("odd", "ada"))
    assert done["odd"].trouble == "ZeroDivisionError: by zero; this is a defect of grader"
    assert done["ada"].row == "graded 10.00"


def test_a_store_that_fails_ends_the_batch_and_keeps_what_is_finished(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, left = bench.store.runs.finish, iter(range(2))

    def full(*arguments: object) -> bool:
        if next(left, None) is None:
            raise StoreFailed("The disk is full.")
        return bool(finish(*arguments))  # type: ignore[arg-type]

    monkeypatch.setattr(bench.store.runs, "finish", full)
    with pytest.raises(StoreFailed, match="disk is full"):
        bench.run(bench.entries(*"abcdef"), jobs=1)
    monkeypatch.undo()
    done = bench.run(bench.entries(*"abcdef"))
    assert sum(each.reused for each in done.values()) == 2


def test_a_machine_that_is_broken_ends_the_batch(bench: Bench) -> None:
    (bench.stage.source / "template" / "add.py").write_text("# breaks 99\n")
    with pytest.raises(InfrastructureFault, match="5 submissions in a row"):
        bench.run(bench.entries(**{f"s{number}": f"breaks 99 {number}" for number in range(8)}), jobs=1)


def test_submissions_that_break_their_boxes_do_not_end_the_batch_of_others(bench: Bench) -> None:
    entries = bench.entries(**{f"s{number}": f"breaks 99 {number}" for number in range(8)}, ada="")
    done = bench.run(entries, jobs=1)
    assert sum(each.party is Party.INFRASTRUCTURE for each in done.values()) == 8
    assert done["ada"].row == "graded 10.00"


def test_an_interruption_ends_boxes_and_gives_claims_back(bench: Bench) -> None:
    at_work, batch = threading.Event(), bench.batch(jobs=2)

    def meet(program: bytes) -> None:
        if b"slow" in program:
            at_work.set()
            batch._stopped.wait(30)
        else:
            at_work.wait(30)

    bench.runs.during = meet
    results = batch.run(bench.entries("quick", "slow"))
    assert next(results).entry.place == "quick"
    results.close()  # what an interruption of whoever reads does
    with bench.store.database.reading() as connection:
        states = connection.exec_driver_sql("SELECT status FROM runs ORDER BY status").scalars().all()
    assert states == ["cancelled", "graded"]
    bench.runs.during = lambda _: None
    assert {place: done.reused for place, done in bench.run(bench.entries("quick", "slow")).items()} == {
        "quick": True,
        "slow": False,
    }


def test_two_processes_grade_a_batch_once(bench: Bench) -> None:
    names = [f"s{number}" for number in range(12)]
    entries = bench.entries(*names)
    found: list[dict[str, Done[str]]] = []

    def process(number: int) -> None:
        with store_at(bench.stage.folder / "data") as store:
            store.runs._owner = f"process {number}"
            found.append(Bench(bench.stage, store).run(entries))

    threads = [threading.Thread(target=process, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [set(done) for done in found] == [set(names)] * 2
    assert sorted(bench.runs.played.values()) == [1] * 12
    assert {done[name].row for done in found for name in names} == {"graded 10.00"}


def test_jobs_is_how_many_run_at_once(bench: Bench) -> None:
    meeting = threading.Barrier(3)  # nobody passes before three are there
    bench.runs.during = lambda _: bool(meeting.wait(20))  # type: ignore[assignment,return-value]
    assert len(bench.run(bench.entries(*"abcdef"), jobs=3)) == 6


def test_runs_that_measure_time_are_alone(bench: Bench) -> None:
    inside, most = [0], [0]
    lock = threading.Lock()

    def enter(_: bytes) -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        threading.Event().wait(0.02)
        with lock:
            inside[0] -= 1

    bench.runs.during = enter
    toml = bench.stage.source / "exercise.toml"
    toml.write_text(toml.read_text().replace("public_seed", 'timing = "exclusive"\npublic_seed'))
    bench.stage = Stage(bench.stage.folder, bench.runs)
    bench.run(bench.entries(*"abcd"), jobs=4)
    assert most == [1]


def test_elsewhere_only_timed_checks_are_alone(bench: Bench) -> None:
    checks = bench.stage.source / "checks" / "test_sums.py"
    checks.write_text(checks.read_text().replace('id="B1",', 'id="B1", timed=True,'))
    bench.stage = Stage(bench.stage.folder, bench.runs)
    free: dict[str, bool] = {}

    def check(begins: bool, name: str, _: bytes) -> None:
        nobody_waits = threading.Event()
        hall = Hall(bench.stage.harness.cache, nobody_waits)
        with hall.place(alone=False, waiting=nobody_waits.set) as place:
            free[f"{name} {'begins' if begins else 'ends'}"] = place is not None

    bench.runs.check = check
    bench.run(bench.entries("ada"))
    assert free == {f"{name} {when}": name != "B1" for name in ("A1", "B1", "B2") for when in ("begins", "ends")}


def test_the_longest_is_started_first(bench: Bench) -> None:
    order: list[bytes] = []
    bench.runs.during = lambda program: order.append(program.split()[-1])
    list(bench.batch(jobs=1).run(bench.entries("a", "b", "c"), {"b": 9.0, "c": 5.0, "a": 1.0}))
    assert order == [b"b", b"c", b"a"]


def test_a_run_that_was_taken_away_is_whose_has_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    other = bench.store.runs

    def steal(_: bytes) -> None:
        monkeypatch.setattr(bench.runs, "during", lambda _: None)
        with bench.store.database.writing() as connection:
            connection.exec_driver_sql("UPDATE runs SET status = 'cancelled'")

    bench.runs.during = steal
    assert bench.run(bench.entries("ada"))["ada"].row == "graded 10.00"
    assert sum(bench.runs.played.values()) == 2
    assert other.sheet_of(bench.sheets["ada"].run).status is RunStatus.GRADED

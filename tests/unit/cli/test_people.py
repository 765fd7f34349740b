"""A person's rights on the command line: to read what is kept, and to be forgotten."""

from __future__ import annotations

import json
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from grader import clock
from grader.cli.main import cli
from grader.cli.regrading import accept
from grader.errors import StoreFailed, UsageError
from grader.store import database, papers, schema
from grader.store.cohorts import read_cohort
from grader.store.exports import read_sheets
from grader.store.folder import read_sheet
from grader.store.people import People
from grader.store.regrades import RegradeStore
from grader.wiring import store_at
from tests.unit.cli.conftest import Desk, desk_in

Command = Callable[..., Result]


@pytest.fixture(scope="module")
def graded_once(installation: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ada has everything, Grace half of A1's six points."""
    folder = tmp_path_factory.mktemp("graded")
    with pytest.MonkeyPatch.context() as monkeypatch:
        desk = desk_in(folder, installation, monkeypatch)
        desk.grade(desk.stage.write("Ada Lovelace"), desk.stage.write("grace", "earns A1 0.5"))
    return folder


@pytest.fixture
def graded(graded_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An installation of its own, where Ada and Grace were graded."""
    desk = desk_in(tmp_path, graded_once, monkeypatch)
    with store_at(desk.settings.data_dir) as store, store.database.writing() as connection:
        connection.execute(update(schema.batches).values(folder=str(desk.settings.out)))
    return desk


@pytest.fixture
def run(graded: Desk, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`grader candidate`, where Ada and Grace were graded."""
    monkeypatch.setenv("GRADER_DATA_DIR", str(graded.settings.data_dir))
    monkeypatch.setenv("GRADER_CONFIG_DIR", str(graded.settings.config_dir))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(graded.stage.folder)

    def invoke(*arguments: object, **more: str) -> Result:
        words = ["candidate", *map(str, arguments)]
        return CliRunner().invoke(cli, words, standalone_mode=False, **more)

    return invoke


def error(result: Result) -> UsageError | StoreFailed:
    assert isinstance(result.exception, UsageError | StoreFailed), result.output
    return result.exception


def everything(folder: Path) -> bytes:
    return b"".join(path.name.encode() + path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def artefacts(desk: Desk) -> list[Path]:
    return [path for path in (desk.settings.data_dir / "artefacts").rglob("*") if path.is_file()]


def audit(desk: Desk) -> list[tuple[str, str]]:
    with store_at(desk.settings.data_dir) as store, store.database.reading() as connection:
        return [(row[0], row[1]) for row in connection.exec_driver_sql("SELECT action, reason FROM audit_log")]


def test_an_export_holds_everything_and_says_what_it_is(graded: Desk, run: Command) -> None:
    assert run("export", "Ada Lovelace").exit_code == 0
    folder = graded.stage.folder / "Ada_Lovelace-data"
    (sheet,) = folder.rglob("sheet.json")
    assert read_sheet(sheet).candidate == "Ada Lovelace"
    assert {path.name for path in sheet.parent.iterdir()} == {
        "run.json", "results.json", "sheet.json", "sheet.html", "sheet.candidate.html", "checker.log", "submission.log"
    }  # fmt: skip
    results = json.loads((sheet.parent / "results.json").read_text())
    assert (
        sum(each["earned"] for each in results) == json.loads((sheet.parent / "run.json").read_text())["earned"] == 10
    )
    with tarfile.open(next(folder.rglob("submission.tar.gz"))) as archive:
        assert "add.py" in archive.getnames()
    assert "Ada Lovelace" in (folder / "README.txt").read_text()
    assert b"grace" not in everything(folder)


def test_what_is_handed_on_tells_nothing_of_hidden_checks(graded: Desk, run: Command) -> None:
    assert run("export", "grace", "grace.zip", "--audience", "candidate").exit_code == 0
    with zipfile.ZipFile(graded.stage.folder / "grace.zip") as archive:
        names = {Path(name).name for name in archive.namelist()}
        content = b"".join(archive.read(name) for name in archive.namelist())
    assert names == {"README.txt", "person.json", "submission.json", "submission.tar.gz", "sheet.json", "sheet.html",
                     "submission.log"}  # fmt: skip
    assert b"the checks ran" in content  # what its own box printed
    assert b"50% was right" not in content


def test_a_person_is_found_however_the_name_is_typed(graded: Desk, run: Command) -> None:
    graded.grade(graded.stage.write("Zo\u00eb"))
    assert run("export", "Zoe\u0308", "there").exit_code == 0
    (sheet,) = (graded.stage.folder / "there").rglob("sheet.json")
    assert read_sheet(sheet).candidate == "Zo\u00eb"
    with store_at(graded.settings.data_dir) as store, store.database.writing() as connection:
        names = schema.candidates
        connection.execute(update(names).where(names.c.name == "Zo\u00eb").values(name="Zoe\u0308"))  # from before
    assert run("hold", "Zoe\u0308", "--reason", "case 7").exit_code == 0


@pytest.mark.parametrize(("name", "reason"), [("Zo\u00eb", "Zoe\u0308 sues"), ("Zoe\u0308", "Zo\u00eb sues")])
def test_no_spelling_of_a_name_gets_into_the_audit_log(graded: Desk, run: Command, name: str, reason: str) -> None:
    graded.grade(graded.stage.write("Zo\u00eb"))
    assert "names the person" in error(run("hold", name, "--reason", reason)).message


def test_an_export_tells_what_is_missing(graded: Desk, run: Command) -> None:
    with store_at(graded.settings.data_dir) as store:
        for shown in RegradeStore(store.runs).shown("tiny_sum"):
            store.artefacts.remove(str(shown.artefact))
    result = run("export", "grace", "there")
    assert "Not complete" in result.stderr
    assert "Not complete" in (graded.stage.folder / "there" / "README.txt").read_text()
    assert "exists already" in error(run("export", "grace", "there")).message


def test_nothing_leads_back_to_who_was_erased(graded: Desk, run: Command) -> None:
    graded.grade(graded.stage.write("Hopper"), candidate="Hopper")  # on hidden data of her own
    made = read_sheet(graded.settings.out / "Hopper" / "sheet.json").provenance
    traces = [text.encode() for text in ("Hopper", made.submission_digest, made.variant_commitment)]
    before = everything(graded.settings.data_dir)
    assert all(trace in before for trace in traces)
    with closing(sqlite3.connect(graded.settings.data_dir / "grader.db")) as other:
        other.execute("SELECT count(*) FROM runs").fetchall()  # another program is at work
        result = run("erase", "Hopper", "--yes", "--reason", "file 12")
        assert result.exit_code == 0, result.output
        after = everything(graded.settings.data_dir)
    assert not any(trace in after for trace in traces)
    assert not (graded.settings.out / "Hopper").exists()
    assert "Hopper" not in (graded.settings.out / "summary.csv").read_text()
    assert (graded.settings.out / "grace" / "sheet.json").exists()
    assert audit(graded) == [("erase", "file 12")]
    assert "Nobody here is called" in error(run("erase", "Hopper", "--yes")).message


def test_results_stay_without_a_name(graded: Desk, run: Command) -> None:
    run("erase", "grace", "--yes")
    with store_at(graded.settings.data_dir) as store:
        cohort = read_cohort(store.database, "tiny_sum", "spring")
        assert sorted((each.candidate, each.percent) for each in cohort.members) == [("", 70), ("Ada Lovelace", 100)]
        assert [each.sheet.candidate for each in read_sheets(store.database, "tiny_sum")] == ["Ada Lovelace"]
        assert [person.name for person in People(store.database).everybody()] == ["Ada Lovelace"]


def test_who_was_erased_and_hands_in_again_is_somebody_new(graded: Desk, run: Command) -> None:
    run("erase", "grace", "--yes")
    graded.grade(graded.stage.write("grace", "earns A1 0.5"))
    assert read_sheet(graded.settings.out / "grace" / "sheet.json").candidate == "grace"
    assert sum(graded.runs.played.values()) == 1  # not recognised
    assert (graded.settings.out / "grace" / "sheet.json").exists()


def test_a_file_that_somebody_else_handed_in_too_stays(graded: Desk, run: Command) -> None:
    copy = graded.stage.write("hedy", "earns A1 0.5")
    (copy / "add.py").write_bytes((graded.stage.folder / "in" / "grace" / "add.py").read_bytes())
    graded.grade(copy)
    assert sum(graded.runs.played.values()) == 0  # Grace's run is hers as well
    told = json.loads(run("erase", "grace", "--yes", "--json").stdout)
    assert (told["anonymous_runs"], told["shared_runs"], told["shared_files"]) == (0, 1, 1)
    assert run("export", "hedy").exit_code == 0
    assert list((graded.stage.folder / "hedy-data").rglob("submission.tar.gz"))
    graded.grade(copy)
    assert sum(graded.runs.played.values()) == 0  # still recognised
    assert len(artefacts(graded)) == 3  # two archives, and a log that is the same for all
    run("erase", "hedy", "--yes")
    run("erase", "Ada Lovelace", "--yes")
    assert artefacts(graded) == []


def test_a_dry_run_changes_nothing_and_says_what_would_go(graded: Desk, run: Command) -> None:
    before = everything(graded.settings.out)
    result = run("erase", "grace", "--dry-run")
    assert str(graded.settings.out / "grace") in result.stdout
    assert "Nothing was erased." in result.stdout
    assert everything(graded.settings.out) == before
    assert audit(graded) == []
    assert run("export", "grace").exit_code == 0


@pytest.mark.parametrize("typed", ["n\n", ""])
def test_somebody_has_to_agree(graded: Desk, run: Command, typed: str) -> None:
    result = run("erase", "grace", input=typed)
    assert result.return_value == 1 if typed else "--yes" in error(result).hint
    assert (graded.settings.out / "grace").exists()
    assert run("erase", "grace", input="y\n").exit_code == 0
    assert not (graded.settings.out / "grace").exists()


def test_a_legal_hold_keeps_a_person(graded: Desk, run: Command) -> None:
    assert "--reason" in error(run("hold", "grace")).message
    assert "without the name" in error(run("hold", "grace", "--reason", "Grace sues")).hint
    assert run("hold", "grace", "--reason", "case 7").exit_code == 0
    refused = error(run("erase", "grace", "--yes"))
    assert "legal hold (case 7)" in refused.message
    assert "grader candidate release 'grace'" in refused.hint
    assert (graded.settings.out / "grace").exists()
    assert run("release", "grace", "--reason", "case closed").exit_code == 0
    assert "no legal hold" in error(run("release", "grace", "--reason", "again")).message
    assert run("erase", "grace", "--yes").exit_code == 0
    assert audit(graded) == [("hold", "case 7"), ("release", "case closed"), ("erase", "asked for it")]


def test_an_unknown_name_gets_the_nearest(run: Command) -> None:
    for name, hint in (("Grace", "'grace'"), ("ada lovelac", "'Ada Lovelace'"), ("zzz", "grader candidate list")):
        assert hint in error(run("erase", name, "--yes")).hint


def test_a_database_that_cannot_be_written_loses_nothing(
    graded: Desk, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = database._prepare_sqlite

    def read_only(connection: object, record: object) -> None:
        prepare(connection, record)  # type: ignore[arg-type]
        connection.execute("PRAGMA query_only = ON")  # type: ignore[attr-defined]

    monkeypatch.setattr(database, "_prepare_sqlite", read_only)
    before = everything(graded.settings.out), artefacts(graded)
    assert "cannot be written" in error(run("erase", "grace", "--yes")).message
    assert (everything(graded.settings.out), artefacts(graded)) == before
    assert run("export", "grace").exit_code == 0


def test_a_folder_that_cannot_be_removed_keeps_the_person(
    graded: Desk, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(papers.shutil, "rmtree", refuse)
        assert "was not erased" in error(run("erase", "grace", "--yes")).message
    assert "grace" in run("list").stdout
    assert run("erase", "grace", "--yes").exit_code == 0


def test_only_folders_of_the_person_are_removed(graded: Desk, run: Command) -> None:
    out = graded.settings.out
    older = out / "previous"
    older.mkdir()
    for source, name in (("grace", "grace-20260101T000000Z"), ("Ada_Lovelace", "grace-hopper")):
        (older / name).mkdir()
        (older / name / "sheet.json").write_bytes((out / source / "sheet.json").read_bytes())
    (older / "grace-notes").mkdir()
    told = json.loads(run("erase", "grace", "--yes", "--json").stdout)
    assert {Path(path).name for path in told["folders"]} == {"grace", "grace-20260101T000000Z"}
    assert [Path(each["path"]).name for each in told["left"]] == ["grace-notes"]
    assert sorted(path.name for path in older.iterdir()) == ["grace-hopper", "grace-notes"]


def test_nobody_is_erased_while_being_graded(graded: Desk, run: Command) -> None:
    with store_at(graded.settings.data_dir) as store, store.database.writing() as connection:
        connection.execute(update(schema.runs).values(status="running"))
    assert "is being graded now" in error(run("erase", "grace", "--yes")).message


def test_a_regrade_does_not_wait_for_who_was_erased(graded: Desk, run: Command) -> None:
    graded.change("checks/test_sums.py", "points=6", "points=16")
    report = graded.regrade()
    run("erase", "grace", "--yes")
    assert accept(graded.settings, "tiny_sum", report.regrade, "more points").changed == ["Ada Lovelace"]


def test_whoever_is_kept_for_too_long_is_listed_and_only_then_erased(
    graded: Desk, run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Nobody's last run is older" in run("retention", "--older-than", "1d").stdout
    run("hold", "grace", "--reason", "case 7")
    later = clock.now().replace(year=clock.now().year + 2, day=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    monkeypatch.setenv("GRADER_RETENTION", "18m")
    listed = run("retention").stdout
    assert "Nothing was erased" in listed
    assert "1 of them are under a legal hold" in listed
    assert run("retention", "--erase", input="n\n").return_value == 1
    told = json.loads(run("retention", "--erase", "--yes", "--json").stdout)
    assert {each["candidate"]: each["erased"] for each in told} == {"Ada Lovelace": True, "grace": False}
    assert "Ada" not in run("list").stdout


def test_an_age_has_to_be_said_and_read(run: Command) -> None:
    assert "--older-than 2y" in error(run("retention")).hint
    for wrong in ("2", "two years", "-1d", "0d", "99999y"):
        assert wrong in error(run("retention", f"--older-than={wrong}")).message


def test_months_and_years_go_by_the_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = clock.now().replace(year=2028, month=3, day=31, hour=1)
    monkeypatch.setattr(clock, "now", lambda: moment)
    assert [f"{clock.ago(age):%Y-%m-%d}" for age in ("1m", "13m", "1y", "2w", "31d")] == [
        "2028-02-29", "2027-02-28", "2027-03-31", "2028-03-17", "2028-02-29"
    ]  # fmt: skip

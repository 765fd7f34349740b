"""A person corrects a score: refused where it makes no sense, told everywhere where it does."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from grader.analysis.cohort_figures import items_of
from grader.analysis.comparison import compare
from grader.cli import overriding, regrading
from grader.cli.compare import _csv as table_as_csv
from grader.cli.main import cli
from grader.cli.overriding import Corrected, Typed
from grader.cli.overriding import _order as ordered
from grader.cli.own_sheet import is_genuine_file
from grader.cli.regrade import _sentences as sentences
from grader.cli.regrade import _show_accepted as show_accepted
from grader.errors import InfrastructureFault, UsageError
from grader.keys import Keyring
from grader.model.run import RunStatus
from grader.model.sheet import Audience, ScoreSheet
from grader.scoring.audience import for_audience
from grader.store import schema
from grader.store.cohorts import Cohort, read_cohort
from grader.store.exports import read_sheets
from grader.store.folder import SheetFolder, read_sheet
from grader.store.overrides import require_corrected
from grader.store.overriding import apply
from grader.store.results import read_results
from grader.wiring import store_at
from tests.factories import make_check_line, make_faulted_sheet, make_rejected_sheet, make_sheet
from tests.signatures import is_genuine
from tests.unit.cli.conftest import Desk

WHY = {"reason": "The data of A1 were wrong.", "by": "Bo Ek"}


@pytest.fixture
def graded(desk: Desk) -> Desk:
    """Ada has everything, Grace half of A1's six points: 7 of 10."""
    desk.grade(desk.stage.write("ada"), desk.stage.write("grace", "earns A1 0.5"))
    return desk


def sheet_of(desk: Desk, name: str = "grace") -> Path:
    return desk.settings.out / name / "sheet.json"


def override(desk: Desk, check: str = "A1", file: Path | None = None, **typed: Any) -> Corrected:
    with store_at(desk.settings.data_dir) as store:
        key = Keyring(desk.settings.config_dir).signing_key()
        order = Typed(check=check, **(WHY | typed))

        def key_of(file: Path) -> bytes | None:
            return key if is_genuine_file(file) else None

        return overriding.override(file or sheet_of(desk), order, store.runs, key_of)


def rows(desk: Desk, table: str) -> list[Any]:
    with store_at(desk.settings.data_dir) as store, store.database.reading() as connection:
        return list(connection.execute(select(schema.metadata.tables[table])).all())


def cohort_of(desk: Desk) -> Cohort:
    with store_at(desk.settings.data_dir) as store:
        return read_cohort(store.database, "tiny_sum")


def test_a_correction_is_on_the_sheet_in_the_store_and_in_the_log(graded: Desk) -> None:
    before = sheet_of(graded).read_bytes()
    corrected = override(graded, points="6")
    sheet = read_sheet(sheet_of(graded))
    assert (sheet.percent, is_genuine(sheet)) == (100, True)
    assert corrected.old.name == "sheet.before-override-1.json"
    assert corrected.old.read_bytes() == before
    assert "Corrected by a person." in sheet_of(graded).with_name("sheet.candidate.html").read_text()
    (row,) = rows(graded, "overrides")
    assert (row.check_id, row.earned, row.reason, row.who) == ("A1", 600, *WHY.values())
    (logged,) = rows(graded, "audit_log")
    assert (logged.action, json.loads(logged.details)["before"], json.loads(logged.details)["after"]) == (
        "override", 3.0, 6.0,
    )  # fmt: skip
    assert WHY["reason"] not in logged.reason + logged.details
    with (graded.settings.out / "summary.csv").open() as file:
        told = {row["candidate"]: (row["earned"], row["overrides"], row["measured"]) for row in csv.DictReader(file)}
    assert told == {"ada": ("10.0", "", "10.0"), "grace": ("10.0", "A1", "7.0")}


def test_tables_take_the_correction_and_statistics_the_measurement(graded: Desk) -> None:
    override(graded, share="0.75")
    people = cohort_of(graded)
    assert [(line.name, line.percent, line.corrected) for line in compare(people).lines] == [
        ("ada", 100, ()),
        ("grace", 85, ("A1",)),
    ]
    assert sorted(share or 0.0 for share in people.columns["A1"]) == [0.75, 1.0]
    measured = people.as_measured()
    assert {(member.percent, member.answers["A1"][0]) for member in measured.members} == {(100, 1.0), (70, 0.5)}
    assert [item.n for item in items_of(measured)] == [2] * len(items_of(measured))
    with store_at(graded.settings.data_dir) as store:
        exported = read_sheets(store.database, "tiny_sum")
        lines = [part for part in read_results(store.database, "tiny_sum")]
    assert [each.sheet.percent for each in exported] == [100, 85]
    found = {(who, check): (earned, given) for part in lines for who, check, earned, given in zip(
        part["candidate"], part["check"], part["earned"], part["override"], strict=True)}  # fmt: skip
    assert found["grace", "A1"] == (3.0, 4.5)
    assert found["ada", "A1"] == (6.0, None)


def test_taking_it_back_is_a_second_row(graded: Desk) -> None:
    override(graded, points="6")
    override(graded, withdraw=True, reason="It was right.")
    sheet = read_sheet(sheet_of(graded))
    assert (sheet.percent, sheet.overridden) == (70, ())
    assert [row.earned for row in rows(graded, "overrides")] == [600, None]
    assert [row.action for row in rows(graded, "audit_log")] == ["override", "withdraw"]
    assert {member.percent for member in cohort_of(graded).members} == {70, 100}
    assert cohort_of(graded).corrected == 0
    assert len(list(sheet_of(graded).parent.glob("sheet.before-override-*.json"))) == 2


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"check": "A9", "points": "1"}, "There is no check 'A9'"),
        ({"check": "a1", "points": "1"}, "There is no check 'a1'"),
        ({"points": "6.01"}, "is no number from 0 to 6"),
        ({"points": "-1"}, "is no number from 0 to 6"),
        ({"points": "nan"}, "is no number from 0 to 6"),
        ({"points": "1e999999999"}, "is no number from 0 to 6"),
        ({"points": "two"}, "is no number from 0 to 6"),
        ({"points": "1.005"}, "whole hundredths"),
        ({"share": "1.5"}, "is no number from 0 to 1"),
        ({"points": "3"}, "gives 3 points as measured"),
        ({"share": "0.5"}, "gives 3 points as measured"),
        ({"withdraw": True}, "no override of A1"),
        ({}, "one of --points, --share and --withdraw"),
        ({"points": "1", "withdraw": True}, "one of --points, --share and --withdraw"),
        ({"points": "1", "reason": " "}, "Say why"),
        ({"points": "1", "reason": "a\x1b[31mb"}, "--reason must be one line"),
        ({"points": "1", "reason": "x" * 2001}, "--reason must be one line"),
        ({"points": "1", "by": ""}, "--by must be one line"),
        ({"points": "1", "by": "Bo\nEk"}, "--by must be one line"),
    ],
)
def test_what_makes_no_sense_is_refused(typed: dict[str, Any], said: str) -> None:
    line = make_check_line(id="A1", possible=Decimal(6), earned=Decimal(3))
    with pytest.raises(UsageError, match=said):
        ordered(make_sheet(checks=(line,)), Typed(**({"check": "A1"} | WHY | typed)))


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (for_audience(make_sheet(), Audience.RECRUITER), "made for the recruiter"),
        (make_rejected_sheet(), "is rejected, and no check was run"),
        (make_faulted_sheet(), "The run is not complete, and A1 was measured"),
    ],
)
def test_sheets_on_which_nothing_can_be_corrected(sheet: ScoreSheet, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ordered(sheet, Typed(check="A1", points="0", **WHY))


def test_the_same_correction_twice() -> None:
    line = make_check_line(id="A1", possible=Decimal(6), earned=Decimal(3))
    typed = Typed(check="A1", points="4.5", **WHY)
    once = apply(make_sheet(checks=(line,)), ordered(make_sheet(checks=(line,)), typed))
    with pytest.raises(UsageError, match=r"has 4.5 points by an override already, by Bo Ek"):
        ordered(once, typed)
    with pytest.raises(UsageError, match="as measured") as refused:
        ordered(once, Typed(check="A1", points="3", **WHY))
    assert "--withdraw" in refused.value.hint


def test_a_sheet_that_cannot_be_trusted_or_is_not_the_present_one(graded: Desk, tmp_path: Path) -> None:
    copy = tmp_path / "copy" / "sheet.json"
    copy.parent.mkdir()
    copy.write_bytes(sheet_of(graded).read_bytes())
    override(graded, points="6")
    with pytest.raises(UsageError, match="not the present sheet"):
        override(graded, file=copy, points="1")
    with store_at(graded.settings.data_dir) as store:
        require_corrected(store.database, read_sheet(sheet_of(graded)))
        with pytest.raises(UsageError, match="this copy of its sheet does not say the same"):
            require_corrected(store.database, read_sheet(copy))  # as before a review
    with pytest.raises(UsageError, match=r"is not the sheet of a run's folder"):
        override(graded, file=copy.rename(copy.with_name("other.json")), points="1")
    changed = sheet_of(graded, "ada")
    changed.write_text(changed.read_text().replace('"ada"', '"eve"'))
    with pytest.raises(UsageError, match="was changed since it was signed"):
        override(graded, file=changed, points="1")
    assert len(rows(graded, "overrides")) == 1


def test_a_run_that_the_store_does_not_know(graded: Desk) -> None:
    graded.settings = graded.settings.model_copy(update={"data_dir": graded.settings.data_dir.with_name("elsewhere")})
    with pytest.raises(UsageError, match="is not in the store"):
        override(graded, points="1")


def test_a_folder_that_cannot_be_written_leaves_all_as_it_was(graded: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> Path:
        raise InfrastructureFault("The disk is full.")

    monkeypatch.setattr(SheetFolder, "renew", full)
    with pytest.raises(InfrastructureFault):
        override(graded, points="6")
    assert rows(graded, "overrides") == rows(graded, "audit_log") == []
    monkeypatch.undo()
    assert override(graded, points="6").sheet.percent == 100


def test_equal_work_gets_the_same_now_and_later(desk: Desk) -> None:
    same = [desk.stage.write(name, "earns A1 0.5") for name in ("grace", "hedy", "zoe")]
    desk.grade(*same[:2])
    corrected = override(desk, points="6")
    assert list(corrected.others) == ["hedy"]
    desk.grade(*same)
    for name in ("grace", "hedy", "zoe"):
        sheet = read_sheet(sheet_of(desk, name))
        assert (sheet.candidate, sheet.percent, is_genuine(sheet)) == (name, 100, True)
    with store_at(desk.settings.data_dir) as store:
        store.runs.keep_renewed(read_sheet(sheet_of(desk)).model_copy(update={"ai_use": "as people left it"}))
    desk.grade(*same, out=desk.settings.out.with_name("again"))
    again = read_sheet(desk.settings.out.with_name("again") / "grace" / "sheet.json")
    assert (again.percent, again.ai_use) == (100, "as people left it")
    with store_at(desk.settings.data_dir) as store:
        assert [each.sheet.percent for each in read_sheets(store.database, "tiny_sum")] == [100] * 3


def test_a_person_decides_what_could_not_be_measured(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from grader.engine.batch import Plan

    monkeypatch.setattr(Plan.__init__, "__kwdefaults__", {**(Plan.__init__.__kwdefaults__ or {}), "back_off": 0.0})
    desk.grade(desk.stage.write("grace", "breaks 4"))
    sheet = read_sheet(sheet_of(desk))
    assert (sheet.status, sheet.earned) == (RunStatus.FAULTED, None)
    for check in sheet.checks:
        override(desk, check.id, share="0.5")
    sheet = read_sheet(sheet_of(desk))
    assert (sheet.status, sheet.percent, sheet.measured_earned) == (RunStatus.GRADED, 50, None)
    people = cohort_of(desk)
    assert [member.percent for member in people.members] == [50]
    assert (people.as_measured().members, people.as_measured().faulted) == ([], 1)
    monkeypatch.setenv("GRADER_DATA_DIR", str(desk.settings.data_dir))
    told = json.loads(CliRunner().invoke(cli, ["stats", "tiny_sum", "--json"]).stdout)
    assert (told["n"], told["faulted"], told["corrected"]) == (0, 1, 1)
    played = sum(desk.runs.played.values())
    desk.grade(desk.stage.write("grace", "breaks 4"))
    assert sum(desk.runs.played.values()) == played
    desk.change("checks/test_sums.py", "points=6", "points=16")
    (line,) = desk.regrade().lines  # measured, and not folded from what a person said
    assert sum(desk.runs.played.values()) == played + 1
    assert (line.after and line.after.percent, len(line.dropped)) == (100, len(sheet.checks))
    override(desk, sheet.checks[0].id, withdraw=True)
    assert read_sheet(sheet_of(desk)).status is RunStatus.FAULTED
    assert rows(desk, "runs")[0].status == "faulted"


def test_the_command_line(graded: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("data_dir", "config_dir"):
        monkeypatch.setenv(f"GRADER_{name.upper()}", str(getattr(graded.settings, name)))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*words: object) -> str:
        done = CliRunner().invoke(cli, list(map(str, words)), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    command = ("sheet", "override", sheet_of(graded), "A1", "--reason", "[red]wrong", "--by", "Bo Ek")
    told = run(*command, "--points", "4")
    assert "8 of 10 points." in told
    assert "Corrected by people: A1 has 4 of 6 points (measured: 3). The total as measured: 7 of 10." in told
    assert "sheet.before-override-1.json" in told
    assert "Genuine." in run("sheet", "verify", sheet_of(graded))
    assert "80.0* ±" in run("compare", "tiny_sum")
    table = compare(cohort_of(graded))
    (_, line) = csv.DictReader(io.StringIO(table_as_csv(table, list(table.lines))))
    assert (line["candidate"], line["overrides"]) == ("grace", "A1")
    assert "People have corrected 1 of the scores" in run("stats", "tiny_sum")
    assert "[red]wrong (Bo Ek," in run("sheet", "show", sheet_of(graded))
    done = json.loads(run(*command, "--withdraw", "--json"))
    assert (done["points"], done["earned"], done["overrides"]) == (3, 7, [])


def test_a_regrade_names_what_it_would_drop_and_acceptance_says_so(
    graded: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    override(graded, points="6")
    graded.change("checks/test_sums.py", "points=6", "points=16")
    report = graded.regrade()
    grace = next(line for line in report.lines if line.candidate == "grace")
    assert (grace.before.percent, grace.after and grace.after.percent, grace.dropped) == (100, 60, ("A1",))
    assert grace.change is not None
    assert (grace.change.by, grace.change.checks) == (-40, (("A1", 2.0),))  # from 6 of 6 to 8 of 16
    assert "Corrected by people, which a new run does not hold: grace (A1)." in " ".join(sentences(report, [grace]))
    show_accepted(regrading.accept(graded.settings, "tiny_sum", report.regrade, "A1 weighs more"), as_json=False)
    assert "does not count any more: grace: A1." in capsys.readouterr().out
    logged = [json.loads(row.details) for row in rows(graded, "audit_log") if row.action == "accept"]
    assert [each["overrides"] for each in logged if "overrides" in each] == [["A1"]]
    assert len(rows(graded, "overrides")) == 1
    (old,) = (graded.settings.out / "previous").glob("grace-*/sheet.json")
    with pytest.raises(UsageError, match="does not count"):
        override(graded, file=old, points="1")
    assert override(graded, points="16").sheet.percent == 100


def test_a_regrade_that_changes_nothing_keeps_it(graded: Desk) -> None:
    override(graded, points="6")
    report = graded.regrade()
    assert [line.dropped for line in report.lines] == [(), ()]
    accepted = regrading.accept(graded.settings, "tiny_sum", report.regrade, "checked")
    assert (accepted.changed, accepted.dropped) == ([], [])
    assert cohort_of(graded).corrected == 1


def test_grading_afresh_says_which_corrections_are_left_behind(
    graded: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    override(graded, points="6")
    both = [graded.stage.folder / "in" / name for name in ("ada", "grace")]
    capsys.readouterr()
    graded.grade(*both)
    assert "Done by people" not in capsys.readouterr().err, "what is graded stays, corrections included"
    graded.grade(*both, fresh=True, replace=True)
    told = " ".join(capsys.readouterr().err.split())
    assert "Done by people, which a new run does not hold: grace (A1)." in told
    assert str(graded.settings.out / "previous") in told

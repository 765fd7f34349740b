"""What `grade` shows at the end, of sheets and of submissions that have none."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from grader.cli import grading
from grader.cli.main import cli
from grader.errors import ExerciseDefect, UsageError
from grader.store import schema
from grader.wiring import store_at
from tests.unit.cli.conftest import Desk


def test_machines_are_told_of_each_what_its_sheet_says(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    rows = desk.grade(desk.stage.write("ada", "earns A1 0.5"), desk.stage.write("grace"))
    grading.show(rows, desk.settings.out, as_json=True)
    told = {each["submission"]: each for each in json.loads(capsys.readouterr().out)}
    assert [(name, each["status"], each["earned"]) for name, each in told.items()] == [
        ("ada", "graded", 7.0),
        ("grace", "graded", 10.0),
    ]
    assert told["ada"]["sheet"] == str(desk.settings.out / "ada" / "sheet.json")


def test_people_are_shown_a_table_and_where_the_sheets_are(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    rows = desk.grade(desk.stage.write("ada", "earns A1 0.5"), desk.stage.write("grace"))
    grading.show(rows, desk.settings.out, as_json=False)
    shown = capsys.readouterr().out
    assert "7 / 10" in shown
    assert str(desk.settings.out / "grace" / "sheet.html") in shown
    assert grading.exit_status(rows, fail_under=80) == 1
    assert grading.exit_status(rows, fail_under=70) == 0


def test_nothing_is_graded_with_a_calibration_that_cannot_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Path) -> None:
        raise ExerciseDefect("cut short", file="calibration.json")

    monkeypatch.setattr(grading, "read_calibration", broken)
    with pytest.raises(ExerciseDefect, match=r"calibration\.json: cut short"):
        desk.grade(desk.stage.write("ada"))
    assert not (desk.settings.out / "ada").exists()


@pytest.mark.parametrize("command", ["grade", "regrade", "compare", "stats", "similar", "export"])
@pytest.mark.parametrize("name", ["\x1b[31mred", "spring\n", "\udcff", "\u202egnirps", " ", "x" * 121])
def test_a_batch_is_called_what_can_be_read(command: str, name: str) -> None:
    name = f".{name}." if name.strip() else name
    paths = {"grade": ["ada.zip"], "export": ["all.csv"]}.get(command, [])
    refused = CliRunner().invoke(cli, [command, "tiny_sum", *paths, "--batch", name]).exception
    assert isinstance(refused, UsageError)
    assert "--batch must be one line" in refused.message


def test_a_batch_without_a_name_is_called_after_its_folder_as_far_as_that_can_be_read(desk: Desk) -> None:
    desk.grade(desk.stage.write("ada"), out=desk.settings.out.with_name("a\x1b[31m\u202e"))
    with store_at(desk.settings.data_dir) as store, store.database.reading() as connection:
        (name,) = connection.execute(select(schema.batches.c.name)).scalars()
    assert name == "a\\u{1b}[31m\\u{202e}"


def test_a_second_folder_of_the_same_name_is_another_batch_and_that_is_said(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    ada, elsewhere = desk.stage.write("ada"), desk.settings.out.parent / "elsewhere" / desk.settings.out.name
    for out in (desk.settings.out, elsewhere, elsewhere):
        desk.grade(ada, out=out)
    name = desk.settings.out.name
    assert capsys.readouterr().err.count(f"This batch is called {name}-2: there is one called {name}") == 2
    with store_at(desk.settings.data_dir) as store, store.database.reading() as connection:
        rows = connection.execute(select(schema.batches.c.name, schema.batches.c.folder)).all()
    assert {row.name: row.folder for row in rows} == {name: str(desk.settings.out), f"{name}-2": str(elsewhere)}


def test_a_batch_that_is_named_stays_in_its_folder_and_nothing_of_another_is_moved(desk: Desk) -> None:
    ada, elsewhere = desk.stage.write("ada"), desk.settings.out.with_name("elsewhere")
    desk.grade(ada, batch="spring")
    desk.grade(ada, out=elsewhere)
    before = sorted(path.relative_to(elsewhere) for path in elsewhere.rglob("*"))
    with pytest.raises(UsageError, match="already, and its sheets are in"):
        desk.grade(ada, out=elsewhere, batch="spring", replace=True, fresh=True)
    assert sorted(path.relative_to(elsewhere) for path in elsewhere.rglob("*")) == before


def test_one_dead_address_in_a_list_does_not_hold_up_the_others(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed, work = tmp_path / "list.csv", desk.stage.write("ada")
    listed.write_text(f"candidate,path\nGrace,file://{tmp_path}/none.git\nAda,{work}\n", encoding="utf-8")
    rows = desk.grade(manifest=listed)
    told = capsys.readouterr().err
    assert re.search(r"^Grace: .*none\.git cannot be fetched", told, re.MULTILINE)
    assert "git ls-remote" in told
    assert [row.status.value for row in rows] == ["faulted", "graded"]
    assert grading.exit_status(rows, None) == 4
    grading.show(rows, desk.settings.out, as_json=True)
    grace, ada = json.loads(capsys.readouterr().out)
    assert (grace["candidate"], grace["submission"], grace["sheet"]) == ("Grace", "none", None)
    assert "cannot be fetched" in grace["faults"][0]["message"]
    assert ada["earned"] == 10.0


def test_nobody_is_graded_under_the_name_of_a_file_and_by_a_list_in_one_folder(desk: Desk, tmp_path: Path) -> None:
    listed, ada, grace = tmp_path / "list.csv", desk.stage.write("ada"), desk.stage.write("grace", "earns A1 0.5")
    desk.grade(ada)
    listed.write_text(f"candidate,path\nGrace Hopper,{grace}\nAda Lovelace,{ada}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="Ada Lovelace would count twice") as caught:
        desk.grade(manifest=listed, replace=True)
    assert str(desk.settings.out / "ada") in caught.value.message
    assert "--out" in caught.value.hint
    assert [path.name for path in desk.settings.out.iterdir() if path.is_dir()] == ["ada"]
    desk.grade(manifest=listed, out=desk.settings.out.with_name("by-list"))
    listed.write_text(f"candidate,path\nada,{ada}\nGrace Hopper,{grace}\n", encoding="utf-8")
    assert [row.status.value for row in desk.grade(manifest=listed)] == ["graded", "graded"], "named as before"

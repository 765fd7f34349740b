"""What `grade` shows at the end, of sheets and of submissions that have none."""

from __future__ import annotations

import json

import pytest

from grader.cli import grading
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

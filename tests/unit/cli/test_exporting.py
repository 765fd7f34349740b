"""All scores in one file: complete, and with nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from grader.analysis.parquet import as_parquet, columns
from grader.cli.exporting import FORMATS
from grader.cli.main import cli
from grader.errors import UsageError
from grader.model.sheet import ScoreSheet
from grader.store.erasing import Eraser
from grader.store.exports import Exported, read_sheets
from grader.store.results import read_results
from grader.wiring import store_at
from tests.factories import make_rejected_sheet, make_sheet
from tests.signatures import is_genuine
from tests.unit.cli.conftest import Desk

KEY = b"k" * 32
EVIL = '=HYPERLINK("http://example.com")'


def export(name: str, sheets: Sequence[ScoreSheet]) -> bytes:
    return FORMATS[name][0]([Exported(sheet=sheet, place=f"s{number}") for number, sheet in enumerate(sheets)], KEY)


def test_csv_has_a_line_for_each_and_no_formula() -> None:
    sheets = [make_sheet(candidate=EVIL), make_rejected_sheet()]
    rows = list(csv.DictReader(io.StringIO(export("csv", sheets).decode())))
    assert [row["status"] for row in rows] == ["graded", "rejected"]
    assert rows[0]["candidate"] == "'" + EVIL


def test_a_workbook_holds_texts_and_numbers_and_no_formula(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(export("xlsx", [make_sheet(candidate=EVIL), make_rejected_sheet()]))) as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
        texts = book.read("xl/sharedStrings.xml").decode()
        assert not [name for name in book.namelist() if "externalLink" in name or "vba" in name]
    assert "<f>" not in page
    assert "hyperlink" not in page
    assert "'=HYPERLINK" in texts
    numbers = {round(float(value), 6) for value in re.findall(r"<c[^>]*><v>([^<]*)</v>", page)}
    assert float(make_sheet().earned or 0) in numbers


def test_json_lines_are_sheets_that_can_be_verified() -> None:
    lines = export("jsonl", [make_sheet(), make_rejected_sheet()]).decode().splitlines()
    sheets = [ScoreSheet.model_validate_json(line) for line in lines]
    assert [is_genuine(sheet) for sheet in sheets] == [True, True]
    assert not any(check.metrics or check.source for sheet in sheets for check in sheet.checks)


def test_results_have_a_line_for_each_check() -> None:
    sheet = make_sheet()
    lines = [json.loads(line) for line in export("results", [sheet, make_rejected_sheet()]).decode().splitlines()]
    assert [line["check"] for line in lines] == [check.id for check in sheet.checks]
    assert sum(line["earned"] for line in lines) == pytest.approx(float(sheet.earned or 0))


@pytest.mark.parametrize("name", ["jsonl", "results"])
def test_a_line_is_one_line_for_every_reader(name: str) -> None:
    candidate = "Ada\u2028\u2029\u0085\u202e\u009b"  # what str.splitlines and JavaScript take for ends of lines
    text = export(name, [make_sheet(candidate=candidate)]).decode()
    lines = text.splitlines()
    assert len(lines) == text.count("\n")
    assert {json.loads(line)["candidate"] for line in lines} == {candidate}
    assert not set(text) & set(candidate[3:])


def test_gradescope_gets_a_folder_for_each_and_equal_files_for_equal_sheets() -> None:
    with zipfile.ZipFile(io.BytesIO(export("gradescope", [make_sheet(), make_sheet()]))) as archive:
        assert archive.namelist() == ["s0/results.json", "s1/results.json"]
        assert json.loads(archive.read("s0/results.json"))["score"] == float(make_sheet().earned or 0)
    assert export("gradescope", [make_sheet()]) == export("gradescope", [make_sheet()])


def test_exports_are_the_scores_that_count(desk: Desk) -> None:
    desk.grade(desk.stage.write("ada"), desk.stage.write("grace", "earns A1 0.5"))
    desk.change("checks/test_sums.py", "points=6", "points=16")
    desk.regrade()  # not accepted, so it does not count
    with store_at(desk.settings.data_dir) as store:
        found = read_sheets(store.database, "tiny_sum", "spring")
        assert [(each.place, each.sheet.percent) for each in found] == [("ada", 100), ("grace", 70)]
        with pytest.raises(UsageError, match="no batch 'autumn'"):
            read_sheets(store.database, "tiny_sum", "autumn")
        with pytest.raises(UsageError, match="Nothing was graded"):
            read_sheets(store.database, "other")


def test_parquet_has_a_row_for_each_check_of_all_runs_and_says_which_count(desk: Desk) -> None:
    desk.grade(desk.stage.write("ada"), desk.stage.write("grace", "earns A1 0.333333"))
    desk.change("checks/test_sums.py", "import pytest", "import os, pytest")
    desk.runs.shares = {"B1": 0.0}
    desk.regrade()  # not accepted
    with store_at(desk.settings.data_dir) as store:
        Eraser(store.database, store.artefacts).erase("grace", "on request", "me")
        content, count = as_parquet(read_results(store.database, "tiny_sum", "spring"))
    table = pq.read_table(io.BytesIO(content))
    assert table.schema.equals(columns())
    assert table.num_rows == count
    rows = table.to_pylist()
    assert {(row["check"], row["group"], row["started"].tzinfo is None) for row in rows if row["check"] == "A1"} == {
        ("A1", "A", False)
    }
    told = {(row["candidate"], row["counts"], row["check"]): row["earned"] for row in rows}
    assert told == {
        ("ada", True, "A1"): 6, ("ada", True, "B1"): 2, ("ada", True, "B2"): 2,
        ("ada", False, "A1"): 6, ("ada", False, "B1"): 0, ("ada", False, "B2"): 2,
        (None, True, "A1"): 1.99, (None, True, "B1"): 2, (None, True, "B2"): 2,
    }  # fmt: skip
    assert {row["regrade"] is None for row in rows if row["counts"]} == {True}
    assert [row["fraction"] for row in rows if row["candidate"] is None and row["check"] == "A1"] == [0.333333]


def test_the_command(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    desk.grade(desk.stage.write("ada"))
    monkeypatch.setenv("GRADER_DATA_DIR", str(desk.settings.data_dir))
    monkeypatch.setenv("GRADER_CONFIG_DIR", str(desk.settings.config_dir))

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(cli, ["export", "tiny_sum", *map(str, arguments)])

    assert "1 submissions" in run(tmp_path / "all.csv").stdout
    assert (tmp_path / "all.csv").read_text().splitlines()[1].startswith('"ada","tiny_sum"')
    assert run(tmp_path / "all.zip").exit_code == 0
    assert "3 results" in run(tmp_path / "all.parquet").stdout
    assert pq.read_table(tmp_path / "all.parquet").num_rows == 3
    assert "no results of" in CliRunner().invoke(cli, ["export", "x", f"{tmp_path}/x.parquet"]).exception.message
    assert "no batch 'autumn'" in run(tmp_path / "x.parquet", "--batch", "autumn").exception.message
    wrong = run(tmp_path / "all.docx")
    assert isinstance(wrong.exception, UsageError)
    assert "--format" in wrong.exception.hint

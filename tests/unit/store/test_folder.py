"""The folder of sheets: nothing is overwritten, nothing is half."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import InfrastructureFault, UsageError
from grader.store.folder import SheetFolder, read_sheet
from tests.factories import make_faulted_sheet, make_sheet

SHEET = {"sheet.json": make_sheet().model_dump_json(), "sheet.html": "<p>"}


def test_writes_all_files_of_a_submission(tmp_path: Path) -> None:
    folder = SheetFolder(tmp_path / "out")
    (place,) = folder.places(["ada"], replace=False)
    folder.write(place, SHEET)
    assert sorted(path.name for path in place.iterdir()) == ["sheet.html", "sheet.json"]
    assert [path for path, _ in folder.sheets()] == [place / "sheet.json"]


def test_refuses_a_folder_that_holds_a_sheet(tmp_path: Path) -> None:
    folder = SheetFolder(tmp_path)
    folder.write(*folder.places(["ada"], replace=False), SHEET)
    with pytest.raises(UsageError, match="already holds") as refused:
        folder.places(["ada"], replace=False)
    assert "--replace" in refused.value.hint


@pytest.mark.parametrize("replace", [True, False])
def test_never_writes_where_something_else_is(tmp_path: Path, replace: bool) -> None:
    (tmp_path / "ada").mkdir()
    assert SheetFolder(tmp_path).places(["ada"], replace=replace) == [tmp_path / "ada"]
    (tmp_path / "ada" / "clean.py").touch()
    (tmp_path / "grace").touch()
    for label in ("ada", "grace"):
        with pytest.raises(UsageError, match=f"{label} is where a score sheet would go, and holds something else"):
            SheetFolder(tmp_path).places([label], replace=replace)


def test_keeps_the_sheet_of_the_same_run(tmp_path: Path) -> None:
    folder = SheetFolder(tmp_path)
    (place,) = folder.places(["ada"], replace=False)
    folder.put(place, make_sheet(), lambda: SHEET)
    assert folder.places(["ada"], replace=True, keep=lambda index, sheet: sheet.run == make_sheet().run) == [place]
    folder.put(place, make_sheet(), lambda: pytest.fail("it is there already"))
    assert not (tmp_path / "previous").exists()
    folder.put(place, make_sheet(run="f" * 32), lambda: {"sheet.json": make_sheet(run="f" * 32).model_dump_json()})
    assert len(list((tmp_path / "previous").glob("ada-*/sheet.json"))) == 1
    assert read_sheet(place / "sheet.json").run == "f" * 32


def test_a_faulted_run_is_no_score_and_makes_room(tmp_path: Path) -> None:
    folder = SheetFolder(tmp_path)
    folder.write(*folder.places(["ada"], replace=False), {"sheet.json": make_faulted_sheet().model_dump_json()})
    (place,) = folder.places(["ada"], replace=False)
    assert not place.exists()
    assert len(list((tmp_path / "previous").glob("ada-*/sheet.json"))) == 1


def test_moves_old_sheets_aside_on_request(tmp_path: Path) -> None:
    folder = SheetFolder(tmp_path)
    for _ in range(3):
        folder.write(*folder.places(["ada"], replace=True), SHEET)
    assert len(list((tmp_path / "previous").glob("ada-*/sheet.json"))) == 2
    assert len(list(folder.sheets())) == 1


def test_equal_labels_get_folders_of_their_own(tmp_path: Path) -> None:
    names = [place.name for place in SheetFolder(tmp_path).places(["ada", "ada", "ada"], replace=False)]
    assert names == ["ada", "ada-2", "ada-3"]


def test_no_submission_takes_the_place_of_what_is_not_one(tmp_path: Path) -> None:
    """An archive may be called summary.csv.zip; the batch would end without a summary, or without this sheet."""
    folder = SheetFolder(tmp_path)
    for place in folder.places(["summary.csv", "previous"], replace=False):
        folder.write(place, SHEET)
    folder.write_summary("candidate")
    assert (tmp_path / "summary.csv").read_text() == "candidate"
    assert len(list(folder.sheets())) == 2


def test_labels_that_some_systems_confuse_get_folders_of_their_own(tmp_path: Path) -> None:
    names = [place.name for place in SheetFolder(tmp_path).places(["Ada", "ada"], replace=False)]
    assert names == ["Ada", "ada-2"]


def test_a_folder_that_no_sheet_can_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no text in UTF-8"):
        SheetFolder(tmp_path / "a\udcff").places(["ada"], replace=False)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("label", ["../../etc", "a/b", "..", "", "\x1b[31m", "a" * 300])
def test_a_strangers_label_never_leads_out(tmp_path: Path, label: str) -> None:
    (place,) = SheetFolder(tmp_path).places([label], replace=False)
    assert place.parent == tmp_path
    assert 0 < len(place.name) <= 80


def test_a_file_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        SheetFolder(tmp_path / "out").places(["ada"], replace=False)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    folder = SheetFolder(tmp_path)
    with pytest.raises(InfrastructureFault, match="cannot be written"):
        folder.write(tmp_path / "ada", {"no/such/folder": ""})
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_sheet_is_said(tmp_path: Path) -> None:
    path = tmp_path / "sheet.json"
    path.write_text(SHEET["sheet.json"].replace('"status"', '"statue"'))
    with pytest.raises(UsageError, match="not a score sheet"):
        read_sheet(path)

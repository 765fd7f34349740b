"""Reviews are in the store and in the sheet's folder, or in neither."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.cli.reviewing import Reviewed, review
from grader.errors import InfrastructureFault, StoreFailed, UsageError
from grader.keys import Keyring
from grader.model.sheet import ScoreSheet
from grader.render.files import sheet_files
from grader.scoring.signing import sign
from grader.store import runs
from grader.store.folder import SheetFolder, read_sheet
from grader.store.reviewing import write_form
from grader.wiring import store_at
from tests.factories import make_notebook_sheet
from tests.unit.cli.conftest import Desk

Rate = Callable[..., Reviewed]


@pytest.fixture
def file(desk: Desk) -> Path:
    """Grace's sheet, with a notebook that can be rated."""
    desk.grade(desk.stage.write("grace"))
    file = desk.settings.out / "grace" / "sheet.json"
    key = Keyring(desk.settings.config_dir).signing_key()
    sheet = sign(read_sheet(file).model_copy(update={"decision": make_notebook_sheet().decision}), key)
    SheetFolder(desk.settings.out).renew(file.parent, sheet_files(sheet, key))
    with store_at(desk.settings.data_dir) as store:
        store.runs.keep_renewed(sheet)
    return file


@pytest.fixture
def rate(desk: Desk, file: Path, tmp_path: Path) -> Rate:
    form = write_form(read_sheet(file), tmp_path)
    text = form.read_text().replace('reviewer = ""', 'reviewer = "Bo Ek"').replace('why = ""', 'why = "clear"')
    form.write_text(text.replace("rating = 0", "rating = 3"))

    def invoke(place: Path = file) -> Reviewed:
        key = Keyring(desk.settings.config_dir).signing_key()
        with store_at(desk.settings.data_dir) as store:
            return review(place, [form], store.runs, restart=False, key_of=lambda _: key)

    return invoke


def in_store(desk: Desk, run: str) -> ScoreSheet:
    with store_at(desk.settings.data_dir) as store, store.database.reading() as connection:
        submission = connection.exec_driver_sql("SELECT id FROM submissions").scalar_one()
        return store.runs.sheet_of(run, submission)


def test_a_review_is_in_the_store_and_in_the_folder(desk: Desk, file: Path, rate: Rate) -> None:
    rated = rate().sheet
    assert rated.decision is not None
    assert rated.decision.human is not None
    assert read_sheet(file) == in_store(desk, rated.run) == rated


def test_a_copy_that_lacks_a_review_takes_none(file: Path, rate: Rate, tmp_path: Path) -> None:
    """It would become the sheet that counts, and the first review would be gone without a word."""
    copy = tmp_path / "copy" / "sheet.json"
    copy.parent.mkdir()
    copy.write_bytes(file.read_bytes())
    rated = rate().sheet
    with pytest.raises(UsageError, match="another copy of it was reviewed or corrected"):
        rate(copy)
    assert read_sheet(file) == rated


def test_what_the_store_cannot_keep_is_not_in_the_folder(
    file: Path, rate: Rate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise StoreFailed("The database is locked.")

    before = {path.name: path.read_bytes() for path in file.parent.iterdir()}
    with monkeypatch.context() as failing:
        failing.setattr(runs, "keep_sheet", broken)
        with pytest.raises(StoreFailed):
            rate()
    assert {path.name: path.read_bytes() for path in file.parent.iterdir()} == before
    assert rate().old.exists()


def test_what_the_folder_cannot_hold_is_not_in_the_store(
    desk: Desk, file: Path, rate: Rate, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise InfrastructureFault("The disk is full.")

    before = read_sheet(file)
    monkeypatch.setattr(SheetFolder, "renew", full)
    with pytest.raises(InfrastructureFault):
        rate()
    assert in_store(desk, before.run) == read_sheet(file) == before

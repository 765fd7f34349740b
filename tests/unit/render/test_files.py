"""One call from a sheet to its files: redacted, signed, rendered."""

from __future__ import annotations

import json

import pytest

from grader.errors import UsageError
from grader.model.sheet import Audience, ScoreSheet
from grader.render.files import export_sheet, sheet_files
from grader.render.formats import FORMATS
from grader.scoring.audience import for_audience
from tests.factories import make_faulted_sheet, make_rejected_sheet, make_sheet
from tests.signatures import is_genuine

KEY = bytes(range(32))


@pytest.mark.parametrize("sheet", [make_sheet(), make_rejected_sheet(), make_faulted_sheet()])
def test_a_submissions_folder_gets_all_its_files(sheet: ScoreSheet) -> None:
    files = sheet_files(sheet, KEY)
    assert files.keys() == {
        "sheet.json", "sheet.html", "sheet.md", "sheet.candidate.html", "results.json", "junit.xml"
    }  # fmt: skip
    assert all(files.values())


def test_the_json_file_is_the_authors_and_signed() -> None:
    sheet = ScoreSheet.model_validate_json(sheet_files(make_sheet(), KEY)["sheet.json"])
    assert sheet.audience is Audience.AUTHOR
    assert is_genuine(sheet)


def test_candidates_files_hold_nothing_hidden() -> None:
    files = sheet_files(make_sheet(), KEY)
    for name in ("sheet.candidate.html", "results.json"):
        assert "0 of 927" not in files[name]
    assert "0 of 927" in files["sheet.html"]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_exported_for_its_usual_audience(name: str) -> None:
    assert export_sheet(make_sheet(), name).endswith("\n")


def test_an_export_may_be_for_somebody_else() -> None:
    exported = export_sheet(make_sheet(), "json", Audience.CANDIDATE, KEY)
    sheet = ScoreSheet.model_validate_json(exported)
    assert sheet.audience is Audience.CANDIDATE
    assert is_genuine(sheet)


def test_an_export_without_a_key_carries_no_stale_signature() -> None:
    assert json.loads(export_sheet(make_sheet(), "json", Audience.RECRUITER))["signature"] is None


def test_a_candidates_sheet_exports_as_what_it_is() -> None:
    sheet = for_audience(make_sheet(), Audience.CANDIDATE)
    assert "Thank you for the work" in export_sheet(sheet, "html")
    with pytest.raises(UsageError, match="made for the candidate"):
        export_sheet(sheet, "html", Audience.AUTHOR)


def test_a_misspelt_format_gets_the_nearest_one_offered() -> None:
    with pytest.raises(UsageError) as caught:
        export_sheet(make_sheet(), "junitt")
    assert caught.value.hint == "Did you mean 'junit'?"


def test_a_format_like_no_other_gets_the_list() -> None:
    with pytest.raises(UsageError) as caught:
        export_sheet(make_sheet(), "0000")
    assert "json, html, md, csv, junit, gradescope" in caught.value.hint

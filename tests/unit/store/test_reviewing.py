"""Reviews on a sheet: by different people, never over a final rating, never over an old file."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import InfrastructureFault, UsageError
from grader.model.decision import RatingState
from grader.model.sheet import Audience, ScoreSheet
from grader.scoring.audience import for_audience
from grader.store.folder import SheetFolder, read_sheet
from grader.store.reviewing import review_sheet, write_form
from tests.factories import (
    STARTED,
    make_faulted_sheet,
    make_notebook_sheet,
    make_rejected_sheet,
    make_review,
    make_sheet,
)

SHEET = make_notebook_sheet()


def fill(path: Path, reviewer: str, rating: int) -> Path:
    text = path.read_text().replace('reviewer = ""', f'reviewer = "{reviewer}"')
    path.write_text(text.replace("rating = 0", f"rating = {rating}").replace('why = ""', 'why = "because"'))
    return path


@pytest.fixture
def forms(tmp_path: Path) -> list[Path]:
    """Three forms: 3, 3 and 5."""
    return [fill(write_form(SHEET, tmp_path), name, rating) for name, rating in (("Ada", 3), ("Bob", 3), ("Cyd", 5))]


def human(sheet: ScoreSheet) -> tuple[RatingState, object]:
    assert sheet.decision is not None
    assert sheet.decision.human is not None
    return sheet.decision.human.state, sheet.decision.human.earned


def test_forms_never_overwrite(tmp_path: Path) -> None:
    first = write_form(SHEET, tmp_path)
    first.write_text("filled in")
    assert [write_form(SHEET, tmp_path).name for _ in range(2)] == ["review-2.toml", "review-3.toml"]
    assert first.read_text() == "filled in"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_form(SHEET, tmp_path / "missing")


def test_two_people_make_points(forms: list[Path]) -> None:
    assert human(review_sheet(SHEET, forms[:2], STARTED)) == (RatingState.FINAL, 3)


def test_reviews_can_come_one_by_one(forms: list[Path]) -> None:
    first = review_sheet(SHEET, forms[:1], STARTED)
    assert human(first) == (RatingState.SECOND_NEEDED, None)
    second = review_sheet(first, forms[2:], STARTED)
    assert human(second) == (RatingState.THIRD_NEEDED, None)
    assert human(review_sheet(second, forms[1:2], STARTED)) == (RatingState.FINAL, 3)


def test_nobody_counts_twice(forms: list[Path]) -> None:
    with pytest.raises(UsageError, match="Two reviews are by Ada"):
        review_sheet(SHEET, [forms[0], forms[0]], STARTED)
    first = review_sheet(SHEET, forms[:1], STARTED)
    forms[1].write_text(forms[1].read_text().replace('"Bob"', '" aDA "'))
    with pytest.raises(UsageError, match="Two reviews are by aDA"):
        review_sheet(first, [forms[1]], STARTED)


def test_a_final_rating_stays_unless_it_is_begun_anew(forms: list[Path]) -> None:
    rated = review_sheet(SHEET, forms[:2], STARTED)
    with pytest.raises(UsageError, match="rated already, by Ada, Bob") as refused:
        review_sheet(rated, forms[2:], STARTED)
    assert "--restart" in refused.value.hint
    assert human(review_sheet(rated, forms[1:2], STARTED, restart=True)) == (RatingState.SECOND_NEEDED, None)


def test_four_are_too_many(forms: list[Path]) -> None:
    third = make_notebook_sheet(make_review("Dan", 1, 1), make_review("Eve", 5, 5))
    with pytest.raises(UsageError, match="4 reviews"):
        review_sheet(third, forms[:2], STARTED)


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (make_sheet(), "no decision notebook"),
        (make_rejected_sheet(), "it is rejected"),
        (make_notebook_sheet(handed_in=False), "No notebook was handed in"),
        (for_audience(SHEET, Audience.RECRUITER), "made for the recruiter"),
        (SHEET.model_copy(update={"status": make_faulted_sheet().status}), "not complete"),
    ],
)
def test_where_there_is_nothing_to_rate(sheet: ScoreSheet, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        write_form(sheet, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_renewed_and_its_old_sheets_are_kept(tmp_path: Path) -> None:
    folder = SheetFolder(tmp_path)
    (place,) = folder.places(["ada"], replace=False)
    first = make_sheet().model_dump_json()
    folder.write(place, {"sheet.json": first, "sheet.html": "old"})
    second = make_sheet(candidate="B").model_dump_json()
    olds = [folder.renew(place, {"sheet.json": second, "sheet.html": "new"}) for _ in range(2)]
    assert [path.name for path in olds] == ["sheet.before-review-1.json", "sheet.before-review-2.json"]
    assert [path.read_text() for path in olds] == [first, second]
    assert (place / "sheet.html").read_text() == "new"
    assert read_sheet(place / "sheet.json").candidate == "B"
    assert [path for path, _ in folder.sheets()] == [place / "sheet.json"]
    assert not [path for path in place.iterdir() if path.name.startswith(".")]


def test_a_folder_that_is_gone_is_no_review(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureFault, match="cannot be written anew"):
        SheetFolder(tmp_path).renew(tmp_path / "gone", {"sheet.json": "{}"})

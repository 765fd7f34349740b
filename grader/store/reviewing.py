"""Putting reviews on a sheet: nothing that was there before is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from grader.errors import UsageError
from grader.model.decision import RatingState, Review
from grader.model.rubric import REVIEWERS_AT_MOST
from grader.model.run import RunStatus
from grader.model.sheet import Audience, ScoreSheet
from grader.scoring.decision import with_reviews
from grader.store.review_form import empty_form, read_form


def write_form(sheet: ScoreSheet, folder: Path) -> Path:
    """Write an empty form under the first name that is free.

    Raises:
        UsageError: The sheet has no notebook to rate, or the folder cannot be written.
    """
    require_notebook(sheet)
    number = 1
    while True:
        path = folder / ("review.toml" if number == 1 else f"review-{number}.toml")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(empty_form(sheet))
        except FileExistsError:
            number += 1
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}", hint="Choose another folder.") from error
        else:
            return path


def require_notebook(sheet: ScoreSheet) -> None:
    """Make sure that there is something to rate.

    Raises:
        UsageError: There is not, or not yet.
    """
    if sheet.audience is not Audience.AUTHOR:
        raise UsageError(
            f"This sheet was made for the {sheet.audience}; reviews go onto the one that holds everything.",
            hint="Name the sheet.json that was written when the submission was graded.",
        )
    if sheet.decision is None:
        raise UsageError(
            f"This sheet has no decision notebook to rate: it is {sheet.status}, or {sheet.exercise.id} asks for none."
        )
    if sheet.status is not RunStatus.GRADED:
        raise UsageError("The run is not complete, so there is nothing to rate yet.", hint="Grade again first.")
    if not sheet.decision.handed_in:
        raise UsageError("No notebook was handed in, so there is nothing to rate.")


def review_sheet(sheet: ScoreSheet, forms: Sequence[Path], recorded: datetime, *, restart: bool = False) -> ScoreSheet:
    """Return the sheet with the reviews of these forms added, unsigned.

    Args:
        sheet: The author's sheet.
        forms: Filled-in forms.
        recorded: When they are recorded.
        restart: Forget the reviews that are on the sheet already.

    Raises:
        UsageError: A form is wrong, two are by one person, or the rating is final already.
    """
    require_notebook(sheet)
    assert sheet.decision is not None
    human = None if restart else sheet.decision.human
    if human is not None and human.state is RatingState.FINAL:
        raise UsageError(
            f"The notebook is rated already, by {', '.join(review.reviewer for review in human.reviews)}.",
            hint="Add --restart to rate it anew; the sheet as it is now is kept beside the new one.",
        )
    reviews = [*(human.reviews if human else ()), *(read_form(path, sheet.run, recorded) for path in forms)]
    _require_independent(reviews)
    return with_reviews(sheet, reviews)


def _require_independent(reviews: Sequence[Review]) -> None:
    seen: set[str] = set()
    for review in reviews:
        name = review.reviewer.casefold()
        if name in seen:
            raise UsageError(
                f"Two reviews are by {review.reviewer}.",
                hint="Reviewers are different people, who rate independently; --restart forgets earlier reviews.",
            )
        seen.add(name)
    if len(reviews) > REVIEWERS_AT_MOST:
        raise UsageError(
            f"There are {len(reviews)} reviews, with those on the sheet already; at most {REVIEWERS_AT_MOST} count.",
            hint="Name fewer forms, or add --restart to forget those on the sheet.",
        )

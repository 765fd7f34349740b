"""What `grader sheet review` does: read forms, rate, sign, and write a run's folder anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader import clock
from grader.cli.console import out, print_json
from grader.cli.own_sheet import KeyOf, read_own_sheet
from grader.model.sheet import ScoreSheet
from grader.render import notebook_words
from grader.render.files import sheet_files
from grader.scoring.signing import sign
from grader.store.folder import SheetFolder
from grader.store.overrides import require_corrected
from grader.store.overriding import require_present
from grader.store.reviewing import review_sheet
from grader.store.summary import renew_summary

if TYPE_CHECKING:
    from grader.store.runs import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A sheet with its reviews: the new one, its file, and where the old one is."""

    sheet: ScoreSheet
    file: Path
    old: Path


def review(file: Path, forms: Sequence[Path], runs: RunStore, *, restart: bool, key_of: KeyOf) -> Reviewed:
    """Put forms on a sheet, in the store and in its folder, or in neither.

    A copy that lacks what people have done to another one is refused: it would become the sheet that counts.

    Args:
        file: The sheet.json of a run's folder.
        forms: Filled-in forms.
        runs: The store.
        restart: Forget earlier reviews.
        key_of: Gives the signing key for the file of a sheet that is genuine and ours.

    Raises:
        UsageError: Sheet or forms cannot be used; nothing was written then.
        StoreFailed: The store cannot keep it; nothing was written either.
    """
    sheet, key = read_own_sheet(file, key_of, "Reviews")
    require_corrected(runs.database, sheet)
    require_present(runs.database, sheet)
    rated = sign(review_sheet(sheet, forms, clock.now(), restart=restart), key)
    place = file.resolve().parent
    files = sheet_files(rated, key)
    old: list[Path] = []
    # A sheet that the store does not know would be refused by whatever comes after it.
    runs.keep_renewed(rated, lambda: old.append(SheetFolder(place.parent).renew(place, files)))
    renew_summary(place.parent)
    return Reviewed(sheet=rated, file=file, old=old[0])


def show(reviewed: Reviewed, *, as_json: bool) -> None:
    """Print what the sheet says now, and where the old one is."""
    part = reviewed.sheet.decision
    assert part is not None
    assert part.human is not None
    human = part.human
    if as_json:
        print_json(
            {
                "sheet": str(reviewed.file),
                "before": str(reviewed.old),
                "state": human.state.value,
                "reviewers": [review.reviewer for review in human.reviews],
                "human": None if human.earned is None else float(human.earned),
                "total": None if part.total is None else float(part.total),
            }
        )
        return
    console = out()
    console.print(notebook_words.sentence(reviewed.sheet), markup=False, soft_wrap=True)
    console.print(f"The sheet as it was: {reviewed.old}", markup=False, soft_wrap=True)

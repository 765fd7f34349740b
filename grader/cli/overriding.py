"""What `grader sheet override` does: correct a check, sign, and write the folders of a run anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from grader import clock
from grader.cli.console import operator, out, print_json
from grader.cli.own_sheet import KeyOf, read_own_sheet
from grader.errors import InfrastructureFault, UsageError
from grader.model.sheet import ScoreSheet
from grader.render import override_words, words
from grader.render.files import sheet_files
from grader.scoring.signing import sign
from grader.store.folder import SHEET, SheetFolder, read_sheet
from grader.store.summary import renew_summary

if TYPE_CHECKING:
    from grader.store.overriding import Order, Renewed
    from grader.store.runs import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What somebody typed; one of `points`, `share` and `withdraw` is given."""

    check: str
    points: str | None = None
    share: str | None = None
    withdraw: bool = False
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A sheet with a correction.

    Attributes:
        sheet: The new one.
        file: Where it is.
        old: Where the old one is.
        check: What was corrected.
        others: Who handed in the very same, so that their sheets are corrected as well.
        elsewhere: Further files that were written anew.
        left: What could not be written: what happened.
    """

    sheet: ScoreSheet
    file: Path
    old: Path
    check: str
    others: Sequence[str]
    elsewhere: Sequence[Path]
    left: Sequence[str]


def override(file: Path, typed: Typed, runs: RunStore, key_of: KeyOf) -> Corrected:
    """Correct a check of a run.

    Args:
        file: The sheet.json of the run's folder.
        typed: What is to be done.
        runs: The store.
        key_of: Gives the signing key for the file of a sheet that is genuine and ours.

    Raises:
        UsageError: Sheet, check, points or words cannot be used; nothing was changed then.
    """
    from grader.store.overriding import OverrideStore

    sheet, key = read_own_sheet(file, key_of, "Overrides")
    order = _order(sheet, typed)
    desk = _Desk(file, key)
    renewed = OverrideStore(runs).keep(sheet, order, operator(), lambda each: sign(each, key), desk.write)
    first, *others = renewed
    return Corrected(
        sheet=first.sheet,
        file=file,
        old=desk.old,
        check=order.check,
        others=[each.sheet.candidate for each in others],
        elsewhere=desk.elsewhere,
        left=desk.left,
    )


def _order(sheet: ScoreSheet, typed: Typed) -> Order:
    from grader.store.overriding import Order, as_points, require_change, require_line, require_words

    if (typed.points is not None) + (typed.share is not None) + typed.withdraw != 1:
        raise UsageError(
            "Say what the check shall give: one of --points, --share and --withdraw.",
            hint="For example: --points 4, or --share 0.5; --withdraw lets count again what was measured.",
        )
    reason, by = require_words(typed.reason, typed.by)
    line = require_line(sheet, typed.check)
    text = typed.points if typed.points is not None else typed.share
    points = None if text is None else as_points(text, line.possible, is_share=typed.points is None)
    require_change(line, points)
    return Order(check=line.id, points=points, reason=reason, by=by, made=clock.now())


@dataclass(slots=True)
class _Desk:
    """Writes the folders that hold a run's sheets."""

    file: Path
    key: bytes
    old: Path = field(default=Path())
    elsewhere: list[Path] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    def write(self, renewed: Sequence[Renewed]) -> None:
        """Write all folders; only the one that was named can fail the whole."""
        own = self.file.resolve().parent
        self.old = self._renew(own, renewed[0].sheet)
        for each in renewed:
            for place in dict.fromkeys((Path(folder) / name).resolve() for folder, name in each.places):
                if place != own and self._holds(place, each.sheet):
                    with self._told():
                        self._renew(place, each.sheet)
                        self.elsewhere.append(place / SHEET)
        for folder in dict.fromkeys(path.parent for path in (own, *(sheet.parent for sheet in self.elsewhere))):
            with self._told():
                renew_summary(folder)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except InfrastructureFault as error:
            self.left.append(error.message)

    def _renew(self, place: Path, sheet: ScoreSheet) -> Path:
        return SheetFolder(place.parent).renew(place, sheet_files(sheet, self.key), "override")

    def _holds(self, place: Path, sheet: ScoreSheet) -> bool:
        """Whether a folder holds an older sheet of the same run and person."""
        try:
            there = read_sheet(place / SHEET)
        except UsageError:  # moved away, or never on this machine
            return False
        return (there.run, there.candidate) == (sheet.run, sheet.candidate)


def show(corrected: Corrected, *, as_json: bool) -> None:
    """Print what the sheet says now, and where the old one is."""
    sheet = corrected.sheet
    if as_json:
        line = next(each for each in sheet.checks if each.id == corrected.check)
        print_json(
            {
                "sheet": str(corrected.file),
                "before": str(corrected.old),
                "also": [str(path) for path in corrected.elsewhere],
                "left": list(corrected.left),
                "check": corrected.check,
                "points": None if line.earned is None else float(line.earned),
                "overrides": [each.id for each in sheet.overridden],
                "status": sheet.status.value,
                "earned": None if sheet.earned is None else float(sheet.earned),
                "measured": None if sheet.measured_earned is None else float(sheet.measured_earned),
            }
        )
        return
    told = [words.headline(sheet), override_words.sentence(sheet) or "There is no override on this sheet any more."]
    if corrected.others:
        told.append(
            f"The very same was handed in by {', '.join(corrected.others)}: what was corrected is so there too."
        )
    told.append(f"The sheet as it was: {corrected.old}")
    told += [f"Written anew as well: {path}" for path in corrected.elsewhere]
    told += [f"The score is corrected, but: {each}" for each in corrected.left]
    for line_told in told:
        out().print(line_told, soft_wrap=True)

"""A folder of score sheets: one folder per submission, and a summary of all on top.

Nothing that was graded is ever overwritten: a folder that holds a sheet is refused, or moved aside on request.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from grader import clock
from grader.errors import InfrastructureFault, UsageError
from grader.intake.file_names import file_names
from grader.model.run import RunStatus
from grader.model.sheet import ScoreSheet

SHEET = "sheet.json"
SUMMARY = "summary.csv"
PREVIOUS = "previous"
SHEET_BEFORE = "sheet.before-"


class SheetFolder:
    """The folder that `--out` names.

    Args:
        folder: Where sheets go; made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is made yet."""
        self.folder = folder

    def places(
        self, labels: Sequence[str], *, replace: bool, keep: Callable[[int, ScoreSheet], bool] = lambda *_: False
    ) -> list[Path]:
        """Choose a folder for each submission, before anything is graded.

        Args:
            labels: What the submissions are called; equal ones get numbers.
            replace: Move sheets that are in the way to `previous/`, instead of refusing.
            keep: Asked about a label's index and the sheet in its place: whether it is the same run's. The sheet of a
                faulted run is no score, and is moved aside in any case.

        Raises:
            UsageError: The folder cannot be written, or holds another submission's sheet or something else.
        """
        self._make_writable()
        chosen = [self.folder / name for name in file_names(labels, taken=(PREVIOUS, SUMMARY))]
        foreign = next((place for place in chosen if _is_foreign(place)), None)
        if foreign is not None:
            raise UsageError(
                f"{foreign} is where a score sheet would go, and holds something else.",
                hint="Choose another folder with --out, such as --out grading.",
            )
        in_the_way = [place for index, place in enumerate(chosen) if self._is_in_the_way(place, index, keep)]
        refused = [] if replace else [place for place in in_the_way if not self._is_faulted(place)]
        if refused:
            raise UsageError(
                f"{refused[0]} already holds the score sheet of something else.",
                hint="Choose another folder with --out, or add --replace to move the old sheet to "
                f"{self.folder / PREVIOUS}.",
            )
        for place in in_the_way:
            self._set_aside(place)
        return chosen

    def _is_in_the_way(self, place: Path, index: int, keep: Callable[[int, ScoreSheet], bool]) -> bool:
        if not (place / SHEET).exists():
            return False
        try:
            return not keep(index, read_sheet(place / SHEET))
        except UsageError:
            return True

    def _is_faulted(self, place: Path) -> bool:
        try:
            return read_sheet(place / SHEET).status is RunStatus.FAULTED
        except UsageError:
            return False

    def put(self, place: Path, sheet: ScoreSheet, files: Callable[[], Mapping[str, str | bytes]]) -> None:
        """Write a submission's files, unless its place holds a sheet of the same run; another one is set aside.

        Raises:
            InfrastructureFault: The disk is full or the folder is gone.
        """
        if (place / SHEET).exists():
            with suppress(UsageError):
                if read_sheet(place / SHEET).run == sheet.run:
                    return
            self._set_aside(place)
        self.write(place, files())

    def _make_writable(self) -> None:
        try:
            str(self.folder.resolve()).encode()  # it is kept in the database, and written on sheets
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "its name is no text in UTF-8"
            raise UsageError(
                f"Score sheets cannot be written to {self.folder}: {why}",
                hint="Choose another folder with --out.",
            ) from error

    def _set_aside(self, place: Path) -> None:
        stamp = clock.now().strftime("%Y%m%dT%H%M%SZ")
        target = self.folder / PREVIOUS / f"{place.name}-{stamp}"
        number = 2
        while target.exists():
            target, number = target.with_name(f"{place.name}-{stamp}-{number}"), number + 1
        target.parent.mkdir(exist_ok=True)
        place.rename(target)

    def write(self, place: Path, files: Mapping[str, str | bytes]) -> None:
        """Write a submission's files; the folder appears whole or not at all.

        Raises:
            InfrastructureFault: The disk is full or the folder is gone.
        """
        draft = None
        try:
            draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=self.folder))
            draft.chmod(0o755)
            for name, content in files.items():
                (draft / name).write_bytes(content.encode() if isinstance(content, str) else content)
            draft.rename(place)
        except OSError as error:
            if draft is not None:
                shutil.rmtree(draft, ignore_errors=True)
            raise InfrastructureFault(
                f"The score sheet cannot be written to {place}: {error.strerror}",
                hint="Free some space or choose another folder with --out, then grade again.",
            ) from error

    def add(self, place: Path, files: Mapping[str, bytes]) -> None:
        """Write further files beside a sheet, in place of older ones of their names.

        Raises:
            InfrastructureFault: The disk is full or the folder is gone.
        """
        try:
            for name, content in files.items():
                (place / name).write_bytes(content)
        except OSError as error:
            raise InfrastructureFault(
                f"Logs cannot be written to {place}: {error.strerror}", hint="The sheet itself is safe."
            ) from error

    def renew(self, place: Path, files: Mapping[str, str | bytes], what: str = "review") -> Path:
        """Write a submission's files anew, each in one step, and keep its sheet as it was beside them.

        The sheet comes last: until then the old one counts.

        Args:
            place: The submission's folder.
            files: All of its files.
            what: What changes the sheet, for the name of the old one.

        Returns:
            Where the old sheet is now.

        Raises:
            InfrastructureFault: The disk is full or the folder is gone.
        """
        old, number = place / f"{SHEET_BEFORE}{what}-1.json", 2
        while old.exists():
            old, number = place / f"{SHEET_BEFORE}{what}-{number}.json", number + 1
        try:
            shutil.copyfile(place / SHEET, old)
            for name in sorted(files, key=lambda name: name == SHEET):
                content = files[name]
                draft = place / f".{name}.{os.getpid()}"
                draft.write_bytes(content.encode() if isinstance(content, str) else content)
                draft.replace(place / name)
        except OSError as error:
            raise InfrastructureFault(
                f"The score sheet in {place} cannot be written anew: {error.strerror}",
                hint=f"Free some space and try again. {SHEET} is as it was, unless it is newer than {old.name}.",
            ) from error
        return old

    def write_summary(self, content: str) -> Path:
        """Replace the summary in one step."""
        target = self.folder / SUMMARY
        draft = target.with_name(f".{SUMMARY}.{os.getpid()}")
        try:
            draft.write_text(content, encoding="utf-8")
            draft.replace(target)
        except OSError as error:
            raise InfrastructureFault(
                f"{target} cannot be written: {error.strerror}", hint="The sheets themselves are safe."
            ) from error
        return target

    def sheets(self) -> Iterable[tuple[Path, ScoreSheet]]:
        """All sheets of this folder that can be read, in the order of their folders' names."""
        for path in sorted(self.folder.glob(f"*/{SHEET}")):
            if path.parent.name != PREVIOUS:
                try:
                    yield path, read_sheet(path)
                except UsageError:
                    continue


def _is_foreign(place: Path) -> bool:
    """Whether something is there that no sheet belongs to, such as the submission itself."""
    if (place / SHEET).exists() or not place.exists():
        return False
    return not place.is_dir() or any(place.iterdir())


def read_sheet(path: Path) -> ScoreSheet:
    """Read a sheet.json.

    Raises:
        UsageError: There is no such file, or it is not a sheet that this version understands.
    """
    try:
        return ScoreSheet.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="Name the sheet.json of a run.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise UsageError(
            f"{path} is not a score sheet of this version: {first['msg']} (at {place}).",
            hint="If it was a sheet once, it has been changed or damaged since.",
        ) from error

"""The folders of sheets that people open, of one person: `ada` below the batch's folder, and older ones beside it.

A folder is removed only where its sheet says that it is this person's. Whatever cannot be told is left, and named.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.errors import StoreFailed, UsageError
from grader.store.folder import PREVIOUS, SHEET, read_sheet
from grader.store.summary import renew_summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Folders of one person.

    Attributes:
        folders: Hold this person's sheet.
        left: Path, and why it is left to people.
    """

    folders: tuple[Path, ...]
    left: tuple[tuple[Path, str], ...]


def look(name: str, places: Iterable[tuple[str, str]]) -> Papers:
    """Find the folders of a person.

    Args:
        name: What the sheets call them.
        places: Folder of a batch, and the name of theirs below it.
    """
    folders: list[Path] = []
    left: list[tuple[Path, str]] = []
    for batch, place in places:
        if not Path(batch).is_dir():
            left.append((Path(batch) / place, "is not on this machine, or was moved"))
            continue
        for path in _candidates(Path(batch), place):
            why = _not_theirs(path, name)
            if why is None:
                folders.append(path)
            elif why:
                left.append((path, why))
    return Papers(folders=tuple(dict.fromkeys(folders)), left=tuple(dict.fromkeys(left)))


def _candidates(batch: Path, place: str) -> Iterator[Path]:
    """The folder itself, and those of its name that were set aside."""
    if (batch / place).is_dir():
        yield batch / place
    older = batch / PREVIOUS
    if older.is_dir():
        yield from sorted(each for each in older.iterdir() if each.name.startswith(f"{place}-"))


def _not_theirs(path: Path, name: str) -> str | None:
    """None where a folder is this person's; otherwise why it is left, or "" where it is plainly somebody else's."""
    if path.is_symlink():
        return "is a link"
    try:
        return None if read_sheet(path / SHEET).candidate == name else ""
    except UsageError:
        return f"has no {SHEET} that can be read, so nobody can tell whose it is"


def remove(papers: Papers) -> None:
    """Remove folders, and write the summaries anew.

    Raises:
        StoreFailed: One cannot be removed; those before it are gone.
        InfrastructureFault: A summary cannot be written.
    """
    for path in papers.folders:
        try:
            shutil.rmtree(path)
        except OSError as error:
            raise StoreFailed(
                f"{path} cannot be removed: {error.strerror or error}. The person was not erased.",
                hint="Make the folder writable, then type the same command again: it does the rest.",
            ) from error
    batches = {path.parent.parent if path.parent.name == PREVIOUS else path.parent for path in papers.folders}
    for batch in sorted(batches):
        renew_summary(batch)

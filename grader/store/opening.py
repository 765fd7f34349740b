"""Opening the tables that settings name; enough for who only reads, without an engine's libraries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from grader.config import Settings
from grader.errors import StoreFailed
from grader.store.artefacts import ArtefactFolder, Artefacts
from grader.store.database import Database, open_database, sqlite_url


@contextmanager
def open_tables(settings: Settings) -> Iterator[Database]:
    """Open the database of an installation, which is made when it is not there.

    Raises:
        UsageError: The settings or the version of the database are wrong.
        StoreFailed: It cannot be opened or written.
    """
    with tables_at(settings.data_dir, settings.database) as database:
        yield database


@contextmanager
def tables_at(folder: Path, url: str | None = None) -> Iterator[Database]:
    """Open the database in a folder, or at a URL; see `open_tables`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFailed(
            f"{folder} cannot be made: {error.strerror}", hint="Set GRADER_DATA_DIR to another folder."
        ) from error
    database = open_database(url or sqlite_url(folder))
    try:
        yield database
    finally:
        database.close()


def kept_files(settings: Settings) -> Artefacts:
    """The files that belong to the database of an installation, wherever that is.

    Raises:
        UsageError: The URL in the settings cannot be used, or a package is missing.
    """
    return kept_at(settings.data_dir, settings.artefacts)


def kept_at(folder: Path, place: str | None = None) -> Artefacts:
    """The files that belong to the database in a folder, or those at a URL or in another folder; see `kept_files`."""
    if place is None:
        return ArtefactFolder(folder / "artefacts")
    if "://" not in place:
        return ArtefactFolder(Path(place).expanduser())
    if place.startswith("file://"):  # no driver keeps files as safely as a folder does
        return ArtefactFolder(Path(unquote(urlsplit(place).path)))
    from grader.store.objects import ArtefactObjects

    return ArtefactObjects(place)

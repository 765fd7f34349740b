"""From what was typed to the entries of a batch: paths, patterns, folders of archives, or a list of candidates."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.cli.fetching import fetch
from grader.errors import UsageError
from grader.intake.addresses import Address
from grader.intake.candidates import Row, read_candidates
from grader.intake.receive import is_archive_name, label_of, plain_name, receive, refuse_address
from grader.model.exercise import Exercise
from grader.model.submission import Submission

MANIFEST = "submission.toml"
_JUNK = ("__MACOSX", "Thumbs.db", "desktop.ini")

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Something to be graded, and whose it is; without a name, it is called after its folder or archive.

    Attributes:
        path: Where it is.
        candidate: Whose it is.
        variant_of: Whose variant it is graded on.
        extra_time: Factor on limits of time.
        missing: Why it could not be fetched; nothing is at its path then.
    """

    path: Path
    candidate: str | None = None
    variant_of: str | None = None
    extra_time: float | None = None
    missing: UsageError | None = None

    @property
    def label(self) -> str:
        """What it is called."""
        return label_of(self.path)

    @property
    def folder_name(self) -> str:
        """What the folder of its sheet should be called."""
        return self.candidate or plain_name(self.label)

    def read(self) -> Submission:
        """Read it; raises as `grader.intake.receive.receive`, and what is said in `missing`."""
        if self.missing is not None:
            raise self.missing
        return receive(self.path)


def from_manifest(file: Path, fetched: Path, report: Report) -> list[Named]:
    """Read a list of candidates, and fetch the repositories that it names.

    Args:
        file: The list.
        fetched: Folder for what is fetched; it must stay until all is graded.
        report: Told what is fetched.

    Raises:
        UsageError: See `grader.intake.candidates.read_candidates`.
        InfrastructureFault: git is needed and not installed.
    """
    return [_named(row, fetched, report) for row in read_candidates(file)]


def _named(row: Row, fetched: Path, report: Report) -> Named:
    path, missing = row.path, None
    if isinstance(path, Address):
        report(f"fetching {path.shown}")
        try:
            path = fetch(path, fetched)
        except UsageError as error:  # one dead address does not hold up the others
            report(f"{row.candidate}: {error.message}\n{error.hint}")
            path, missing = fetched / path.name, error
    return Named(
        path=path, candidate=row.candidate, variant_of=row.variant_of, extra_time=row.extra_time, missing=missing
    )


def from_paths(texts: Sequence[str], candidate: str | None, exercise: Exercise, report: Report) -> list[Named]:
    """Turn what was typed into submissions.

    Args:
        texts: Paths; a pattern that the shell left as it is; folders that hold archives.
        candidate: Whose variant they are graded on.
        exercise: Tells a submission from a folder of submissions.
        report: Told what is left out.

    Raises:
        UsageError: A path does not exist or is a list, or a pattern fits nothing.
        SubmissionRejected: It is the address of something elsewhere.
    """
    listed = next((text for text in texts if text.lower().endswith(".csv") and Path(text).is_file()), None)
    if listed is not None:
        raise UsageError(f"{listed} is a list, and no submission.", hint=f"Did you mean --manifest {listed}?")
    paths = [path for text in texts for each in _expanded(text) for path in _members(each, exercise, report)]
    if candidate is not None and len(paths) > 1:
        raise UsageError("--candidate names one person, but there are several submissions.", hint=_LIST)
    unique = dict.fromkeys(paths)
    return [Named(path=path, variant_of=candidate, candidate=None) for path in unique]


NAMES_SHOWN = 20
_LIST = "Grade them one by one, or name everybody in a file: --manifest candidates.csv"


def _expanded(text: str) -> list[Path]:
    if glob.has_magic(text) and not Path(text).exists():
        found = sorted(glob.glob(text))  # noqa: PTH207  (Path.glob takes no absolute patterns)
        if not found:
            raise UsageError(f"Nothing fits {text!r}.", hint="Name a folder, or a zip or tar archive.")
        return [Path(each) for each in found]
    return [existing(text)]


def _members(path: Path, exercise: Exercise, report: Report) -> Iterator[Path]:
    """A path itself, or the archives in it where it is a folder of submissions."""
    archives = _archives(path, exercise)
    if not archives:
        yield path
        return
    others = [each.name for each in _visible(path) if each not in archives]
    if others:
        more = f" and {len(others) - NAMES_SHOWN} more" if len(others) > NAMES_SHOWN else ""
        report(
            f"{path} is taken for a folder of archives. What is no archive is graded only where you name it, "
            f"by itself or in a list (--manifest): {', '.join(others[:NAMES_SHOWN])}{more}"
        )
    yield from archives


def _archives(path: Path, exercise: Exercise) -> list[Path]:
    if not path.is_dir() or any((path / name).exists() for name in (MANIFEST, exercise.manifest.part.entry_path)):
        return []
    return [each for each in _visible(path) if is_archive_name(each.name)]


def _visible(folder: Path) -> list[Path]:
    try:
        return sorted(each for each in folder.iterdir() if not each.name.startswith(".") and each.name not in _JUNK)
    except OSError:
        return []  # whoever reads it as a submission will say why


def existing(text: str) -> Path:
    """Return the path that an operator named.

    Raises:
        UsageError: It does not exist.
        SubmissionRejected: It is the address of something elsewhere.
    """
    refuse_address(text)
    path = Path(text)
    try:
        path.stat()
    except (OSError, ValueError) as error:
        why = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be opened: {error}"
        raise UsageError(f"{path} {why}.", hint="Name a folder, or a zip or tar archive.") from error
    return path

"""The kit: what a candidate receives. Built from the shared skeleton, the exercise's template and its public data.

Nothing else of an exercise is ever looked at here, so nothing hidden can slip in; `leaks` looks again.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from grader import clock
from grader.catalog.files import read
from grader.catalog.kit_files import ANYBODY, SKELETON, GradingImage, Person, generated
from grader.catalog.marks import marked
from grader.catalog.repository import commit, midnight
from grader.errors import ExerciseDefect, UsageError
from grader.model.exercise import Exercise

# Names that would mean something to git, to an editor or to setuptools if the skeleton itself had them.
_RENAMED = {"gitignore": ".gitignore", "gitattributes": ".gitattributes", "devcontainer": ".devcontainer"}
_MADE_BY_TOOLS = ("__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".DS_Store")


def build_kit(
    exercise: Exercise,
    source: Path,
    public_data: Path,
    destination: Path,
    *,
    image: GradingImage,
    person: Person = ANYBODY,
) -> None:
    """Write a kit; the destination appears whole or not at all.

    Args:
        exercise: The exercise.
        source: Its folder.
        public_data: What its generator made for the public split.
        destination: Folder to write; must not exist, or be empty.
        image: What its program will run in.
        person: Whom the kit is for; its README says so.

    Raises:
        UsageError: The destination holds something, or cannot be written.
        ExerciseDefect: Two sources of the kit have a file in common, or its Python imports what nobody has.
        InfrastructureFault: git is missing, or failed.
    """
    if person.name is not None and not person.name.isprintable():
        raise UsageError("The candidate's name has characters in it that cannot be seen.", hint="Type it again.")
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise UsageError(f"{destination} already holds something.", hint="Name a folder that does not exist yet.")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".kit-", dir=destination.parent) as workshop:
            draft = Path(workshop) / "kit"
            _fill(draft, exercise, source, public_data, image, person)
            today = clock.now().date()
            commit(draft, today)
            _settle(draft, today)
            if destination.exists():
                destination.rmdir()
            draft.rename(destination)
    except OSError as error:
        raise UsageError(f"The kit cannot be written to {destination}: {error.strerror or error}") from error


def _fill(
    draft: Path,
    exercise: Exercise,
    source: Path,
    public_data: Path,
    image: GradingImage,
    person: Person,
) -> None:
    for folder in (source / "template", public_data, SKELETON):
        for path in _files_in(folder):
            if path.suffix != ".j2":
                inside = path.relative_to(folder)
                first = _RENAMED.get(inside.parts[0], inside.parts[0])
                content = path.read_bytes()
                if person.mark and folder == source / "template" and first != "checks":
                    content = marked(path.name, content, person.mark)
                _write(draft / Path(first, *inside.parts[1:]), content, draft)
    _write(draft / "brief.md", read(source, "brief.md"), draft)
    for name, text in generated(exercise, source, public_data, image, person).items():
        _write(draft / name, text.encode(), draft)


def _files_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise ExerciseDefect("links are not accepted in a kit", file=path.name)
        if path.is_file() and not any(part in _MADE_BY_TOOLS for part in path.parts):
            yield path


def _write(target: Path, content: bytes, draft: Path) -> None:
    """Write one file of a kit; modes and times of our own files are nobody's business."""
    if target.exists():
        name = target.relative_to(draft).as_posix()
        raise ExerciseDefect(
            f"{name} is in the kit twice: the template, the public data and the skeleton must not overlap.",
            file=f"template/{name}",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _settle(draft: Path, day: date) -> None:
    """Give everything one time, so that none tells when and in which order we worked."""
    moment = midnight(day).timestamp()
    for path in [*draft.rglob("*"), draft]:
        os.utime(path, (moment, moment))

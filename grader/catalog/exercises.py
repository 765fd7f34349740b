"""Finding exercises, and loading one at its present version."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

from grader.catalog import files
from grader.catalog.checks import read_checks
from grader.catalog.manifest import FILE, read_manifest
from grader.errors import UsageError
from grader.model.exercise import Competency, Exercise


def find_exercises(folders: Iterable[Path]) -> dict[str, Path]:
    """Find exercises by the folders that hold them.

    Args:
        folders: Each holds one folder per exercise; one that does not exist holds none.

    Returns:
        Exercise id, which is the folder's name, to its folder; in alphabetical order.

    Raises:
        UsageError: Two exercises have one id, or a folder cannot be read.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for path in _folders_in(folder):
            known = found.setdefault(path.name, path)
            if known.resolve() != path.resolve():
                raise UsageError(
                    f"The exercise {path.name!r} is in {known.parent} and in {folder}.",
                    hint="Rename one of them, or name only one of the folders in your settings.",
                )
    return dict(sorted(found.items()))


def some_exercises(folders: Sequence[Path]) -> dict[str, Path]:
    """Find exercises as `find_exercises` does, and at least one.

    Raises:
        UsageError: There is none; or as `find_exercises`.
    """
    found = find_exercises(folders)
    if not found:
        raise UsageError(
            f"There is no exercise in {', '.join(map(str, folders)) or 'no folder at all'}.",
            hint="Name a folder that holds folders of exercises, each with an exercise.toml: --exercises DIR",
        )
    return found


def _folders_in(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if (path / FILE).is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UsageError(
            f"The exercises in {folder} cannot be read: {error.strerror}.", hint="Check the folder's permissions."
        ) from error


def resolve(exercise_id: str, folders: Iterable[Path]) -> Path:
    """Return the folder of an exercise.

    Raises:
        UsageError: There is none of this id; the nearest is offered.
    """
    looked_in = tuple(folders)
    found = find_exercises(looked_in)
    if exercise_id in found:
        return found[exercise_id]
    near = difflib.get_close_matches(exercise_id.lower().replace("-", "_"), found, n=1, cutoff=0.5)
    listed = f"There are: {', '.join(found)}." if found else f"There are none in {', '.join(map(str, looked_in))}."
    raise UsageError(
        f"There is no exercise {exercise_id!r}.",
        hint=f"{f'Did you mean {near[0]!r}? ' if near else ''}{listed} Exercises elsewhere: --exercises DIR.",
    )


def load_competencies() -> tuple[Competency, ...]:
    """Return every competency that a check may name, in the order of the list."""
    text = resources.files("grader.catalog").joinpath("competencies.toml").read_text(encoding="utf-8")
    return tuple(Competency.model_validate(each) for each in tomllib.loads(text)["competency"])


def load_exercise(folder: Path) -> Exercise:
    """Load an exercise: its manifest, its checks, the competencies that they name, its digest.

    Raises:
        ExerciseDefect: Something in the folder is wrong; file and line are named.
    """
    manifest = read_manifest(folder)
    competencies = {competency.id: competency for competency in load_competencies()}
    checks = read_checks(folder, manifest.groups, competencies)
    named = {check.competency for check in checks}
    return Exercise(
        manifest=manifest,
        checks=checks,
        competencies=tuple(competency for id_, competency in competencies.items() if id_ in named),
        digest=files.digest(folder, manifest.reference.solution if manifest.reference else ""),
    )


def grading_digest(exercise: Exercise, folder: Path) -> str:
    """Return the digest of what decides what a submission earns; see `grader.catalog.files.grading_digest`.

    Raises:
        ExerciseDefect: A file cannot be read, or is a link.
    """
    reference = exercise.manifest.reference
    return files.grading_digest(folder, reference.solution if reference else "")

"""Versions that were released: what each was made of. A released version is never edited.

`versions.toml` in the exercise's folder has one line per version: `"1.0.0" = "<digest>"`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

from grader.author.lint.findings import Finding, Level
from grader.catalog.files import VERSIONS
from grader.errors import ExerciseDefect
from grader.model.exercise import Exercise


def released(source: Path) -> dict[str, str]:
    """Return version to digest.

    Raises:
        ExerciseDefect: `versions.toml` cannot be used.
    """
    file = source / VERSIONS
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ExerciseDefect(f"not valid TOML: {error}", file=VERSIONS) from error
    return {str(version): str(digest) for version, digest in values.items()}


def version_is_unchanged(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """What was released under this version is what is here."""
    version = exercise.manifest.version
    known = released(source).get(version)
    if known is None:
        yield Finding(
            rule="versions",
            file=VERSIONS,
            line=0,
            message=f"version {version} is not recorded",
            hint="When it goes to candidates, record it: grader author lint --fix.",
            level=Level.WARNING,
        )
    elif known != exercise.digest:
        yield Finding(
            rule="versions",
            file="exercise.toml",
            line=0,
            message=f"version {version} was released as {known[:12]}, and is now {exercise.digest[:12]}",
            hint="Candidates were graded with it, so it may not change: give this one a new version.",
        )


def record(exercise: Exercise, source: Path) -> str | None:
    """Add the present version to `versions.toml`; return what was done, or None when it is there already."""
    version = exercise.manifest.version
    known = released(source)
    if version in known:
        return None
    lines = [f'"{name}" = "{digest}"' for name, digest in {**known, version: exercise.digest}.items()]
    head = "# Digests of released versions, written by `grader author lint --fix`. Never edit a released version.\n"
    (source / VERSIONS).write_text(head + "\n".join(lines) + "\n", encoding="utf-8")
    return f"recorded version {version} as {exercise.digest[:12]}"

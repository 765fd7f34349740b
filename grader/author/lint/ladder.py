"""Rules about the solution ladder: every check is failed by a rung that names it, and passed by others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from grader.author.lint.findings import Finding, Level
from grader.author.lint.parts import not_startable
from grader.catalog.ladder import SOLUTIONS, Rung, RungKind, load_ladder
from grader.catalog.manifest import line_of
from grader.model.exercise import Exercise

_NEEDED = {RungKind.REFERENCE: 1, RungKind.PLAIN: 1, RungKind.NAIVE: 1, RungKind.HOSTILE: 1}
_CHEATS = (RungKind.HOSTILE, RungKind.BROKEN)  # they fail everything, and show nothing of a single check
_WISHED = {RungKind.ALTERNATE: 2, RungKind.BROKEN: 1}


def ladder_is_complete(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """There are rungs of every kind, and for every check one that fails it."""
    rungs = load_ladder(source)
    kinds = Counter(rung.expected.rung for rung in rungs)
    for needed, level in ((_NEEDED, Level.ERROR), (_WISHED, Level.WARNING)):
        for kind, least in needed.items():
            if kinds[kind] < least:
                yield Finding(
                    rule="ladder",
                    file=SOLUTIONS,
                    line=0,
                    message=f"there are {kinds[kind]} rungs of the kind {kind}, at least {least} are needed",
                    hint=f"Add a folder below {SOLUTIONS}/ with an expected.toml that says rung = {kind.value!r}.",
                    level=level,
                )
    known = {check.id for check in exercise.checks}
    failed: set[str] = set()
    by_cheats_alone: set[str] = set()
    for rung in rungs:
        cheats = rung.expected.rung in _CHEATS
        (by_cheats_alone if cheats else failed).update(rung.expected.must_fail)
        for unknown in sorted(set(rung.expected.must_fail) - known):
            yield Finding(
                rule="ladder",
                file=f"{SOLUTIONS}/{rung.name}/expected.toml",
                line=_line_of_must_fail(rung),
                message=f"must_fail names {unknown}, which there is not",
                hint=f"There are: {', '.join(sorted(known))}.",
            )
    for check in exercise.checks:
        if check.id not in failed:
            cheated = check.id in by_cheats_alone
            yield Finding(
                rule="ladder",
                file=check.file,
                line=check.line,
                message=f"no rung{' that works' if cheated else ''} fails {check.id}",
                hint="Add a flaw that this check is there to find, and name the check in its must_fail.",
                level=Level.WARNING if cheated else Level.ERROR,
            )


def rungs_can_be_started(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """Every rung can be put together, and what is to be graded names a program that is there and is Python.

    Raises:
        ExerciseDefect: A rung cannot be put together.
    """
    for rung in load_ladder(source):
        files = rung.files()
        place = f"{SOLUTIONS}/{rung.name}"
        if not files and rung.expected.status == "graded":
            hint = "Add its files, or a patch.toml that says what differs from its parent."
            yield Finding(rule="ladder", file=place, line=0, message="the rung has no files", hint=hint)
        elif rung.expected.status == "graded":
            yield from not_startable(exercise, files, place, "ladder")


def _line_of_must_fail(rung: Rung) -> int:
    return line_of((rung.folder / "expected.toml").read_text(encoding="utf-8"), ("must_fail",))

"""What changed between two versions of an exercise, and whether their scores can be compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from grader.catalog.components import meaning_of
from grader.catalog.ladder import rung_named
from grader.model.exercise import CheckDeclaration, Exercise

_WORDS = ("title", "question", "feedback", "requirement")
_BRIEF = "brief.md"


class Effect(StrEnum):
    """What a change may do to scores."""

    SCORES = "scores"
    TASK = "task"
    WORDS = "words"


# Fields of the manifest that touch less than scores; None: compared elsewhere, or different by nature.
_EFFECTS = {
    "editor_schema": None, "schema_version": None, "id": None, "version": None, "limits": None, "reference": None,
    "hours": Effect.TASK, "public_seed": Effect.TASK,
    "groups": Effect.WORDS, "title": Effect.WORDS, "summary": Effect.WORDS, "labels": Effect.WORDS,
}  # fmt: skip
VERDICTS = {
    Effect.SCORES: "Scores of the two are not comparable. To link them, prove both and compare their ladders.",
    Effect.TASK: "Points are given alike, but candidates got another task: compare only where it asks for the same.",
    Effect.WORDS: "Scores stay comparable. Hidden worlds differ between versions, so the error band applies.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change.

    Attributes:
        part: What of the exercise: points, checks, data, limits, task, texts.
        what: In words.
        effect: What it may do to scores.
    """

    part: str
    what: str
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An exercise at a version, and the folder that holds it."""

    exercise: Exercise
    folder: Path


def changes(old: Version, new: Version) -> list[Change]:
    """Return everything that changed, the weightiest first.

    Raises:
        ExerciseDefect: A reference solution that submissions are compared with cannot be put together.
    """
    found = [*_checks(old, new), *_manifest(old, new), *_files(old, new), *_reference(old, new)]
    order = list(Effect)
    return sorted(found, key=lambda each: (order.index(each.effect), each.part))


def verdict(found: list[Change]) -> str:
    """Say whether scores stay comparable."""
    effects = {each.effect for each in found}
    return VERDICTS[next((each for each in Effect if each in effects), Effect.WORDS)]


def _checks(old: Version, new: Version) -> Iterator[Change]:
    before = {check.id: check for check in old.exercise.checks}
    after = {check.id: check for check in new.exercise.checks}
    for name in sorted(before.keys() | after.keys(), key=lambda each: (each[0], int(each[1:]))):
        if name not in after:
            yield Change(part="checks", what=f"{name} is gone: {before[name].title}", effect=Effect.SCORES)
        elif name not in before:
            yield Change(part="checks", what=f"{name} is new: {after[name].title}", effect=Effect.SCORES)
        else:
            yield from _check(before[name], after[name])


def _check(before: CheckDeclaration, after: CheckDeclaration) -> Iterator[Change]:
    if before.points != after.points:
        points = f"{before.points.normalize():f} became {after.points.normalize():f}"
        yield Change(part="points", what=f"{after.id}: {points}", effect=Effect.SCORES)
    if before.competency != after.competency:
        what = f"{after.id} counts for {after.competency}, no longer for {before.competency}"
        yield Change(part="points", what=what, effect=Effect.SCORES)
    if before.timed != after.timed:
        what = f"{after.id} {'has the machine for itself now' if after.timed else 'shares the machine now'}"
        yield Change(part="checks", what=what, effect=Effect.SCORES)
    for name in _WORDS:
        if getattr(before, name) != getattr(after, name):
            yield Change(part="texts", what=f"{after.id}: another {name}", effect=Effect.WORDS)


def _manifest(old: Version, new: Version) -> Iterator[Change]:
    before, after = old.exercise.manifest, new.exercise.manifest
    limits = zip(_leaves(before.limits.model_dump(), ""), _leaves(after.limits.model_dump(), ""), strict=True)
    for (name, was), (_, now) in limits:
        if was != now:
            yield Change(part="limits", what=f"{name}: {was} became {now}", effect=Effect.SCORES)
    for name in type(after).model_fields:
        effect = _EFFECTS.get(name, Effect.SCORES)  # what is not known to be harmless is not
        if effect is not None and getattr(before, name) != getattr(after, name):
            part = "texts" if effect is Effect.WORDS else "task"
            yield Change(part=part, what=f"exercise.toml: another {name}", effect=effect)


def _leaves(values: Mapping[str, object], above: str) -> Iterator[tuple[str, object]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _files(old: Version, new: Version) -> Iterator[Change]:
    for part, effect in (("checks", Effect.SCORES), ("data", Effect.SCORES), ("template", Effect.TASK)):
        folders = (old.folder / part, new.folder / part)
        names = {path.relative_to(folder).as_posix() for folder in folders for path in _paths(folder)}
        for name in sorted(names):
            before, after = (_meaning(folder / name) for folder in folders)
            if before != after:
                how = "is new" if before is None else "is gone" if after is None else "does something else"
                yield Change(part="task" if part == "template" else part, what=f"{part}/{name} {how}", effect=effect)
    if _meaning(old.folder / _BRIEF) != _meaning(new.folder / _BRIEF):
        yield Change(part="task", what=f"{_BRIEF} reads differently", effect=Effect.TASK)


def _paths(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _meaning(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    return meaning_of(path.read_bytes()) if path.suffix == ".py" else path.read_bytes()


def _reference(old: Version, new: Version) -> Iterator[Change]:
    """The solution that submissions are compared with, where checks do that."""
    named = [each.exercise.manifest.reference for each in (old, new)]
    if named == [None, None]:
        return
    files = [
        rung_named(each.folder, name.solution).files() if name else None
        for each, name in zip((old, new), named, strict=True)
    ]
    if files[0] != files[1]:
        yield Change(part="checks", what="the reference that submissions are compared with", effect=Effect.SCORES)

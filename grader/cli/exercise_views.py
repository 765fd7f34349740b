"""How exercises look in the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from grader.author.differences import Change
from grader.model.exercise import CheckDeclaration, Exercise


def as_dict(exercise: Exercise) -> dict[str, object]:
    """What machines are told of an exercise; the hidden checks' titles are public, their code is not."""
    manifest = exercise.manifest
    return {
        "id": exercise.id,
        "version": manifest.version,
        "title": manifest.title,
        "summary": manifest.summary,
        "kind": manifest.part.kind,
        "hours": manifest.hours,
        "possible": float(exercise.possible),
        "digest": exercise.digest,
        "checks": [
            {"id": check.id, "title": check.title, "points": float(check.points), "competency": check.competency}
            for check in exercise.checks
        ],
    }


def table(exercises: Sequence[Exercise]) -> Table:
    """One line per exercise."""
    result = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("ID", "Version", "Checks", "Hours", "Title"):
        result.add_column(title, justify="right" if title in ("Checks", "Hours") else "left")
    for exercise in exercises:
        manifest = exercise.manifest
        cells = (exercise.id, manifest.version, str(len(exercise.checks)), f"{manifest.hours:g}", manifest.title)
        result.add_row(*map(Text, cells))
    return result


def detail(exercise: Exercise) -> RenderableType:
    """Title, summary, and points by group and by competency."""
    manifest = exercise.manifest
    head = Text.assemble((manifest.title, "bold"), f"  {exercise.id} {manifest.version}\n{manifest.summary}\n")
    competencies = {each.id: each.title for each in exercise.competencies}
    by_group = [(f"{letter}  {title}", letter) for letter, title in manifest.groups.items()]
    groups = _points(exercise, "Check group", by_group, lambda check: check.group)
    named = [(title, name) for name, title in competencies.items()]
    return Group(head, groups, Text(), _points(exercise, "Competency", named, lambda check: check.competency))


def _points(
    exercise: Exercise, heading: str, rows: list[tuple[str, str]], key: Callable[[CheckDeclaration], str]
) -> Table:
    result = Table(box=None, pad_edge=False, header_style="bold")
    result.add_column(heading, min_width=28)
    result.add_column("Checks", justify="right")
    result.add_column("Points", justify="right")
    for title, name in rows:
        members = [check for check in exercise.checks if key(check) == name]
        if members:
            points = sum((check.points for check in members), Decimal(0))
            result.add_row(Text(title), str(len(members)), f"{points.normalize():f}")
    return result


def changes_table(found: Sequence[Change]) -> RenderableType:
    """One line per change between two versions."""
    if not found:
        return Text("Nothing changed that matters to anybody who is graded.")
    result = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("Touches", "Part", "Change"):
        result.add_column(title)
    for each in found:
        result.add_row(Text(each.effect.value), Text(each.part), Text(each.what))
    return result

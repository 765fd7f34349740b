"""`grader exercises [ID]`."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import exercises_option, json_option, settings
from grader.errors import UsageError


@click.command("exercises")
@click.argument("exercise_id", required=False, metavar="[ID]")
@click.option("--diff", nargs=2, metavar="V1 V2", help="Tell what changed between two versions of one.")
@exercises_option
@json_option
def command(
    exercise_id: str | None, diff: tuple[str, str] | None, exercise_folders: tuple[Path, ...], as_json: bool
) -> None:
    """List the exercises, or show one: its groups, points and competencies.

    With --diff: what changed between two versions, and whether their scores can be compared. Earlier versions come
    from the git history of the exercise's folder.
    """
    from grader.catalog.exercises import load_exercise, resolve, some_exercises
    from grader.cli import exercise_views as views
    from grader.cli.console import out, print_json

    folders = settings(exercise_folders=exercise_folders).exercises
    if diff is not None:
        if exercise_id is None:
            raise UsageError("--diff is about one exercise.", hint="Name it: grader exercises ID --diff V1 V2")
        if diff[0] == diff[1]:
            raise UsageError(f"--diff {diff[0]} {diff[1]} compares a version with itself.", hint="Name two versions.")
        _compare(resolve(exercise_id, folders), diff, as_json=as_json)
        return
    if exercise_id is None:
        loaded = [load_exercise(folder) for folder in some_exercises(folders).values()]
        if as_json:
            print_json([views.as_dict(exercise) for exercise in loaded])
        else:
            out().print(views.table(loaded))
        return
    exercise = load_exercise(resolve(exercise_id, folders))
    if as_json:
        print_json(views.as_dict(exercise))
    else:
        out().print(views.detail(exercise))


def _compare(source: Path, names: tuple[str, str], *, as_json: bool) -> None:
    from tempfile import TemporaryDirectory

    from grader.author.differences import Version, changes, verdict
    from grader.catalog.exercises import load_exercise
    from grader.catalog.versions import folder_of_version
    from grader.cli import exercise_views as views
    from grader.cli.console import out, print_json

    with TemporaryDirectory(prefix="grader-versions-") as workshop:
        folders = [folder_of_version(source, name, Path(workshop)) for name in names]
        old, new = (Version(exercise=load_exercise(folder), folder=folder) for folder in folders)
        found = changes(old, new)
    if as_json:
        listed = [{"part": each.part, "what": each.what, "effect": each.effect.value} for each in found]
        print_json({"exercise": new.exercise.id, "versions": list(names), "changes": listed, "verdict": verdict(found)})
    else:
        out().print(views.changes_table(found))
        out().print(verdict(found), markup=False)

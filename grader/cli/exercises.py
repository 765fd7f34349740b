"""`grader exercises [ID]`."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import exercises_option, json_option, settings


@click.command("exercises")
@click.argument("exercise_id", required=False, metavar="[ID]")
@exercises_option
@json_option
def command(exercise_id: str | None, exercise_folders: tuple[Path, ...], as_json: bool) -> None:
    """List the exercises, or show one: its groups, points and competencies."""
    from grader.catalog.exercises import find_exercises, load_exercise, resolve
    from grader.cli import exercise_views as views
    from grader.cli.console import out, print_json

    folders = settings(exercise_folders=exercise_folders).exercises
    if exercise_id is None:
        loaded = [load_exercise(folder) for folder in find_exercises(folders).values()]
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

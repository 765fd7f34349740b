"""`grader author`: what engineers use who write exercises."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import exercises_option, json_option, settings

_jobs_option = click.option(
    "--jobs",
    default=1,
    show_default=True,
    type=click.IntRange(1, 256),
    help="Solutions graded at once; always one of an exercise that says that its timing is exclusive.",
)


@click.group("author")
def command() -> None:
    """Write exercises, and prove that they grade fairly."""


@command.command("new")
@click.argument("exercise", metavar="ID")
@click.option(
    "--kind",
    required=True,
    type=click.Choice(("callable", "service", "command", "notebook")),
    help="What candidates hand in: a class, a web service, a program, or a notebook.",
)
@click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder of exercises to write it into. Default: the first one of the settings.",
)
def new(exercise: str, kind: str, folder: Path | None) -> None:
    """Write a complete exercise that works, for you to change.

    It passes lint and prove as it is: brief, seeded generator, three checks, and a ladder of ten solutions.
    Nothing is ever overwritten.
    """
    from grader.author.scaffolding import write_exercise
    from grader.cli.console import err, out

    parent = folder or settings().exercises[0]
    written = write_exercise(exercise, kind, parent)
    out().print(f"{written.folder}: {written.files} files.", markup=False, soft_wrap=True)
    for note in written.notes:
        err().print(note, style="yellow", markup=False, soft_wrap=True)
    for verb in ("lint", "prove"):
        err().print(f"Next: grader author {verb} {written.folder}", style="dim", markup=False, soft_wrap=True)


@command.command("prove")
@click.argument("exercises", nargs=-1, metavar="[ID|PATH]...")
@exercises_option
@click.option("--rungs", default="", metavar="A,B", help="Only these solutions (and their parents).")
@click.option("--variants", default=3, show_default=True, type=click.IntRange(1, 50), help="Hidden worlds.")
@click.option("--repeats", default=1, show_default=True, type=click.IntRange(1, 50), help="Times for the first.")
@click.option("--fresh", is_flag=True, help="Forget earlier runs; otherwise only what has changed is graded.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the matrix as a page, too.")
@_jobs_option
def prove(
    exercises: tuple[str, ...],
    exercise_folders: tuple[Path, ...],
    rungs: str,
    variants: int,
    repeats: int,
    fresh: bool,
    html: Path | None,
    jobs: int,
) -> int:
    """Grade the whole solution ladder in the real sandbox, and compare with what is expected.

    Without names every exercise is proved. First the checks of its kit must pass on the reference and the alternates.
    The kit as it is handed out, an empty submission and four cheats are graded with each ladder. Finished runs are
    kept, so that an interrupted proof goes on where it stopped.
    Exit status 5 when a solution does not do what its expected.toml says, each time; 4 when only the machine failed.
    """
    from grader.cli.proving import Order, prove_all

    order = Order(names=exercises, rungs=rungs, variants=variants, repeats=repeats, fresh=fresh, html=html, jobs=jobs)
    return prove_all(settings(exercise_folders=exercise_folders), order)


@command.command("lint")
@click.argument("exercises", nargs=-1, metavar="[ID|PATH]...")
@exercises_option
@click.option("--fix", is_flag=True, help="Record the present version in versions.toml when nothing is wrong.")
@click.option("--no-kit", is_flag=True, help="Leave out what candidates receive; no engine is needed then.")
@json_option
def lint(exercises: tuple[str, ...], exercise_folders: tuple[Path, ...], fix: bool, no_kit: bool, as_json: bool) -> int:
    """Look for what is wrong with exercises, without grading anything.

    Without names every exercise is looked at. Exit status 5 when there are errors. The sample that candidates
    receive is generated twice when it is not known yet, which takes longer the first time.
    """
    from grader.cli.linting import lint_all
    from grader.errors import UsageError

    if fix and no_kit:
        raise UsageError(
            "--fix records a version with which nothing is wrong, and --no-kit leaves out the kit.",
            hint="Leave out one of them.",
        )
    return lint_all(exercises, settings(exercise_folders=exercise_folders), fix=fix, as_json=as_json, kits=not no_kit)


@command.command("calibrate")
@click.argument("exercise", metavar="ID|PATH")
@exercises_option
@click.option("--variants", default=10, show_default=True, type=click.IntRange(1, 100), help="Hidden worlds.")
@click.option("--repeats", default=10, show_default=True, type=click.IntRange(1, 100), help="Times for the first.")
@click.option("--mutants", default=20, show_default=True, type=click.IntRange(0, 500), help="Mutants of the reference.")
@click.option("--rungs", default="", metavar="A,B", help="Only these solutions; the page then says so.")
@_jobs_option
@click.option(
    "--ladders",
    default=1,
    show_default=True,
    type=click.IntRange(1, 100),
    help="Hidden worlds on which every solution is graded; on the others only the principal ones are.",
)
@click.option("--fresh", is_flag=True, help="Forget earlier runs, also those that are kept in the exercise.")
def calibrate(
    exercise: str,
    exercise_folders: tuple[Path, ...],
    variants: int,
    repeats: int,
    mutants: int,
    rungs: str,
    jobs: int,
    ladders: int,
    fresh: bool,
) -> int:
    """Measure how far scores move, and what the checks tell apart; write CALIBRATION.md into the exercise.

    Score sheets take their error band from calibration.json, which is written beside it, but not with --rungs.
    Exit status 4 or 5 when a run has no result, as the machine or the exercise failed.

    Finished runs are kept, those of prove included, so that it goes on where it stopped. Those that the page rests
    on are written beside it, to calibration.jsonl, from which it also goes on elsewhere.
    """
    from grader.author.calibration import Scope
    from grader.cli.calibrating import Order
    from grader.cli.calibrating import calibrate as carry_out

    candidates = tuple(f"v{number}" for number in range(1, variants + 1))
    scope = Scope(candidates=candidates, repeats=repeats, ladders=ladders)
    order = Order(name=exercise, scope=scope, mutants=mutants, rungs=rungs, jobs=jobs, fresh=fresh)
    return carry_out(settings(exercise_folders=exercise_folders), order)

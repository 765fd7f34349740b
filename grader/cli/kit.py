"""`grader kit ID DEST`."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import exercises_option, settings


@click.command("kit")
@click.argument("exercise_id", metavar="ID")
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path))
@click.option("--candidate", metavar="NAME", help="Whom the kit is for; named in its README.")
@exercises_option
def command(exercise_id: str, destination: Path, candidate: str | None, exercise_folders: tuple[Path, ...]) -> None:
    """Write the kit that a candidate receives: brief, template, sample data, public checks."""
    from grader.catalog.exercises import load_exercise, resolve
    from grader.catalog.kit import build_kit
    from grader.cli.console import err, out
    from grader.engine.boxes import Boxes
    from grader.engine.variants import VariantStore
    from grader.sandbox.images import named_packages
    from grader.sandbox.port import Role
    from grader.wiring import open_harness

    chosen = settings(exercise_folders=exercise_folders)
    source = resolve(exercise_id, chosen.exercises)
    exercise = load_exercise(source)

    def report(text: str) -> None:
        err().print(text, style="dim", markup=False)

    with open_harness(chosen, report) as harness:
        store = VariantStore(harness.cache / "variants", Boxes(harness.sandbox, harness.images, "0" * 32))
        data = store.data(exercise, source, exercise.manifest.public_seed, "public", report)
    packages = named_packages(Role.SUBMISSION)
    build_kit(exercise, source, data, destination, packages=packages, candidate=candidate)
    out().print(str(destination), markup=False, soft_wrap=True)

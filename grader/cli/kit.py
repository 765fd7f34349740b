"""`grader kit ID DEST`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import candidate_option, exercises_option, settings
from grader.intake.limits import MOST_EXTRA_TIME

if TYPE_CHECKING:
    from grader.catalog.kit_files import GradingImage
    from grader.config import Settings
    from grader.engine.grade import Harness


@click.command("kit")
@click.argument("exercise_id", metavar="ID")
@click.argument("destination", metavar="DEST", type=click.Path(path_type=Path))
@candidate_option("Whom the kit is for; named in its README, and its files are marked.")
@click.option(
    "--extra-time",
    metavar="FACTOR",
    type=click.FloatRange(1, MOST_EXTRA_TIME),
    default=1,
    help="How many times the exercise's hours this person has, for example 1.5. The README says it in hours.",
)
@exercises_option
def command(
    exercise_id: str,
    destination: Path,
    candidate: str | None,
    extra_time: float,
    exercise_folders: tuple[Path, ...],
) -> None:
    """Write the kit that a candidate receives: brief, template, sample data, public checks.

    It is a git repository with one commit. Send it as a folder or an archive. For `make box-check`,
    candidates need a file of the image: docker save --output image.tar NAME, with the name in kit.toml.
    """
    from grader.catalog.exercises import load_exercise, resolve
    from grader.catalog.kit import build_kit
    from grader.catalog.kit_files import Person
    from grader.catalog.marks import kit_mark
    from grader.cli.console import err, out
    from grader.engine.boxes import Boxes
    from grader.engine.variants import VariantStore
    from grader.wiring import open_harness

    chosen = settings(exercise_folders=exercise_folders)
    source = resolve(exercise_id, chosen.exercises)
    exercise = load_exercise(source)

    def report(text: str) -> None:
        err().print(text, style="dim", markup=False)

    with open_harness(chosen, report) as harness:
        store = VariantStore(harness.cache / "variants", Boxes(harness.sandbox, harness.images, "0" * 32))
        data = store.data(exercise, source, exercise.manifest.public_seed, "public", report)
        image = grading_image(chosen, harness)
        mark = kit_mark(harness.keyring.server_key(), exercise.id, candidate) if candidate else None
    person = Person(name=candidate, extra_time=extra_time, mark=mark)
    build_kit(exercise, source, data, destination, image=image, person=person)
    out().print(str(destination), markup=False, soft_wrap=True)


def grading_image(chosen: Settings, harness: Harness) -> GradingImage:
    """Return what kits tell of the image that submissions run in."""
    from grader.catalog.kit_files import GradingImage
    from grader.sandbox.docker_engine import connect
    from grader.sandbox.images import expected_images, locked_packages, named_packages
    from grader.sandbox.port import Role

    with connect(chosen) as engine:
        name = expected_images(engine.version.arch).runtime
    return GradingImage(
        name=name,
        digest=harness.images[Role.SUBMISSION],
        named=named_packages(Role.SUBMISSION),
        pinned=locked_packages(Role.SUBMISSION),
        for_checks=locked_packages(Role.CHECKER),
    )

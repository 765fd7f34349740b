"""`grader grade ID PATH...`."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import batch_option, candidate_option, exercises_option, json_option, out_option, settings

OPTIONS = "grader.cli.grade.pytest"


class _WithOptionsForPytest(click.Command):
    """Keeps what stands behind `--` for pytest, where the checks are debugged."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the options for pytest away before click reads the rest."""
        before, behind = (args[: args.index("--")], args[args.index("--") + 1 :]) if "--" in args else (args, [])
        if any(each.startswith("--checker") for each in before):
            ctx.meta[OPTIONS] = behind
            return super().parse_args(ctx, before)
        return super().parse_args(ctx, args)


@click.command("grade", cls=_WithOptionsForPytest)
@click.argument("exercise_id", metavar="ID")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--manifest",
    type=click.Path(path_type=Path),
    metavar="FILE.csv",
    help="Who handed in what: columns candidate, path (or a git address that ends in .git, perhaps with #branch); "
    "also variant (own, shared, a name) and extra_time.",
)
@candidate_option("Grade on this candidate's own variant (one PATH only).")
@out_option("Where score sheets go. Default: ./grading")
@batch_option("What to call it later. Default: the name of --out.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), metavar="N", help="Runs at once. Default: what cores and memory allow."
)
@click.option("--keep", is_flag=True, help="Also write the logs of the boxes, for debugging.")
@click.option("--replace", is_flag=True, help="Move other sheets that are in the way aside; the new scores count.")
@click.option("--fresh", is_flag=True, help="Grade anew, even what is finished.")
@click.option(
    "--fail-under", type=click.FloatRange(0, 100), metavar="N", help="Exit with 1 when a total is below N percent."
)
@click.option(
    "--checker",
    type=click.Choice(("box", "process")),
    default="box",
    show_default=True,
    help="process: debug the checks of one PATH; what follows -- is for pytest, such as -- --pdb -k name.",
)
@exercises_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    exercise_id: str,
    paths: tuple[str, ...],
    manifest: Path | None,
    candidate: str | None,
    out: Path | None,
    batch: str | None,
    jobs: int | None,
    keep: bool,
    replace: bool,
    fresh: bool,
    fail_under: float | None,
    checker: str,
    exercise_folders: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Grade submissions: folders, zip or tar archives, folders full of archives, or whom a list names.

    Each gets a folder below --out with its score sheet as JSON, HTML and Markdown, and
    a page for the candidate; summary.csv on top has a row for each sheet. What could not even
    be opened or fetched has none: it stands in the table, and in --json.

    Whatever ends it, run it again: what is finished is not graded twice. Finished is what has
    the same files, exercise, images and variant, whatever it is called.
    """
    from grader.cli import grading
    from grader.errors import UsageError

    if bool(paths) == (manifest is not None):
        raise UsageError(
            "Name what to grade: either paths, or a list with --manifest.",
            hint="For example: grader grade clean_parquet submissions/*.zip",
        )
    if candidate is not None and manifest is not None:
        raise UsageError("--candidate and --manifest exclude each other.", hint="The list says who is who.")
    chosen = settings(exercise_folders=exercise_folders, out=out)
    if checker == "process":
        from grader.cli.debugging import debug
        from grader.cli.entries import existing

        if len(paths) != 1:
            raise UsageError("--checker process is for one PATH.", hint="What is for pytest stands behind --.")
        return debug(chosen, exercise_id, existing(paths[0]), candidate, ctx.meta.get(OPTIONS, []))
    order = grading.Order(
        exercise_id=exercise_id,
        out=chosen.out,
        paths=paths,
        manifest=manifest,
        candidate=candidate,
        batch=batch or "",
        jobs=jobs,
        keep=keep,
        replace=replace,
        fresh=fresh,
    )
    rows = grading.grade_all(chosen, order)
    grading.show(rows, chosen.out, as_json=as_json)
    return grading.exit_status(rows, fail_under)

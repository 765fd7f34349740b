"""`grader setup`."""

from __future__ import annotations

import click

from grader.cli.options import settings


@click.command("setup")
@click.option("--refresh", is_flag=True, help="Build the images anew, so that security updates get in.")
def command(refresh: bool) -> None:
    """Make sure of a Docker engine and build the images. Quick when all is there."""
    from grader.cli.console import err
    from grader.sandbox.engine_setup import ensure_engine
    from grader.sandbox.images import ensure_images

    def report(text: str) -> None:
        err().print(text, markup=False)

    chosen = settings()
    with ensure_engine(chosen, report) as engine:
        ensure_images(engine, chosen, report, refresh=refresh)

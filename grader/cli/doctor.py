"""`grader doctor [--clean]`."""

from __future__ import annotations

import click

from grader.cli.options import json_option, settings


@click.command("doctor")
@click.option("--clean", is_flag=True, help="Remove left-over boxes and outdated images.")
@json_option
def command(clean: bool, as_json: bool) -> int:
    """Tell what is there and what is wrong: engine, images, walls, disk, keys."""
    from grader.cli.console import err, out, print_json
    from grader.render.terminal import findings_table
    from grader.sandbox import doctor

    chosen = settings()
    if clean:
        for line in doctor.clean(chosen):
            err().print(line, markup=False)
    findings = doctor.examine(chosen)
    if as_json:
        print_json([finding.model_dump(mode="json") for finding in findings])
    else:
        out().print(findings_table(findings))
    return 4 if any(finding.level == "error" for finding in findings) else 0

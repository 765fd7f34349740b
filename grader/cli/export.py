"""`grader export ID FILE`."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import batch_option, settings


@click.command("export")
@click.argument("exercise_id", metavar="ID")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--format",
    "format_name",
    metavar="FORMAT",
    help="csv, xlsx, jsonl (sheets), results (a line for each check), gradescope (a zip), parquet (a row for each "
    "check of all runs). Default: FILE's ending.",
)
@batch_option("Only who is in this batch.")
def command(exercise_id: str, file: Path, format_name: str | None, batch: str | None) -> None:
    """Write the scores that count into one file for other programs.

    Parquet holds all runs, with a column that tells those that count.
    What begins like a formula is written so that a spreadsheet shows it and does not calculate it.
    """
    from grader.cli.console import out
    from grader.cli.exporting import FORMATS, PARQUET, write_parquet
    from grader.cli.writing import write_bytes
    from grader.errors import UsageError
    from grader.keys import Keyring
    from grader.store.exports import read_sheets
    from grader.store.opening import open_tables

    name = format_name or {".zip": "gradescope"}.get(file.suffix, file.suffix.lstrip("."))
    if name not in (*FORMATS, PARQUET):
        listed = "; ".join(f"{known}: {told}" for known, (_, told) in FORMATS.items())
        hint = f"Say which with --format. {listed}; {PARQUET}: a row for each check of all runs."
        raise UsageError(f"There is no format {name!r}.", hint=hint)
    chosen = settings()
    with open_tables(chosen) as database:
        if name == PARQUET:
            count = write_parquet(database, exercise_id, batch, file)
            out().print(f"{count} results: {file}", markup=False, soft_wrap=True)
            return
        exported = read_sheets(database, exercise_id, batch)
    write_bytes(file, FORMATS[name][0](exported, Keyring(chosen.config_dir).signing_key()))
    out().print(f"{len(exported)} submissions: {file}", markup=False, soft_wrap=True)

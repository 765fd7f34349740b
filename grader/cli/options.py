"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from grader.config import Settings

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
exercises_option = click.option(
    "--exercises",
    "exercise_folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder that holds exercises; may be repeated. Default: the exercises that come with grader.",
)


def candidate_option(help_text: str) -> Callable[[Any], Any]:
    """`--candidate NAME`."""
    return click.option("--candidate", metavar="NAME", callback=_name, help=help_text)


def batch_option(help_text: str) -> Callable[[Any], Any]:
    """`--batch NAME`."""
    return click.option("--batch", metavar="NAME", callback=_name, help=help_text)


def _name(_context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    """Take a name as a list of candidates would: the same person has the same hidden world, blanks or not."""
    if value is None:
        return None
    from grader.errors import UsageError
    from grader.intake.names import NAME_CAP, as_kept, is_name

    name = as_kept(value)
    if not is_name(name):
        raise UsageError(
            f"{parameter.opts[0]} must be one line of 1 to {NAME_CAP} characters.",
            hint="Give the name as people write it, or leave it out.",
        )
    return name


def out_option(help_text: str) -> Callable[[Any], Any]:
    """`--out DIR`."""
    return click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help=help_text)


def settings(*, exercise_folders: tuple[Path, ...] = (), **flags: object) -> Settings:
    """Read the settings with these flags on top."""
    from grader.config import load_settings

    folders = os.pathsep.join(map(str, exercise_folders)) or None
    return load_settings(exercises=folders, **flags)

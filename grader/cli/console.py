"""Two consoles: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from grader.render.text import visible

if TYPE_CHECKING:
    from grader.errors import GraderError


def out() -> Console:
    """The console for results."""
    return Console(highlight=False, soft_wrap=False)


def err() -> Console:
    """The console for progress and diagnostics."""
    return Console(stderr=True, highlight=False)


def show_error(error: GraderError) -> None:
    """Print what happened, and what to do next."""
    from grader.errors import InfrastructureFault

    # An engine's log has lines of its own; a stranger's words never get to begin one.
    message = visible(error.message or str(error), lines=isinstance(error, InfrastructureFault))
    text = Text("Error: ", style="bold red").append(message, style="not bold default")
    console = err()
    console.print(text, soft_wrap=True)
    if error.hint:
        console.print(Text(visible(error.hint), style="default"), soft_wrap=True)


def operator() -> str:
    """Who types, for the audit log."""
    import getpass
    import socket

    return f"{getpass.getuser()}@{socket.gethostname()}"


def print_json(value: Mapping[str, object] | Sequence[object]) -> None:
    """Print one JSON document on stdout, for machines."""
    import click

    click.echo(json.dumps(value, indent=2, ensure_ascii=False))

"""Two consoles: results on stdout, everything else on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from grader.render.json_text import json_text
from grader.render.text import visible, written_out

if TYPE_CHECKING:
    from rich.table import Table

    from grader.errors import GraderError

_WIDEST = 1000


class PlainConsole(Console):
    """A console that prints what it is given, and obeys none of it.

    Strings hold no markup (`[red]`, `:skull:`), and what a terminal would obey, or a reader not see, is written out.
    So no caller need think of it; styles are given to `rich.text.Text`.
    """

    def render_str(self, text: str, **more: Any) -> Text:
        """Make a text of a string: its characters, and no more."""
        kept = {name: more[name] for name in ("justify", "overflow") if name in more}
        return Text(written_out(text), style=more.get("style") or "", **kept)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as every console does, and then write out what is left of a stranger's characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(written_out(segment.text), segment.style)


def out(width: int | None = None) -> PlainConsole:
    """The console for results; as wide as the terminal unless said otherwise."""
    return PlainConsole(highlight=False, soft_wrap=False, width=width)


def fitting(console: Console, layouts: Sequence[Callable[[int], Table]]) -> tuple[int, Table, list[int]]:
    """Choose the first of several layouts of a table that fits into a console, or else the last.

    rich narrows columns until nothing can be read, and then leaves some out, without a word.

    Args:
        console: Where it is to be shown.
        layouts: Each makes the table, with so many columns to spare for what can do with more or less of them.

    Returns:
        The place of the layout in the list, the table, and the columns that each layout needs.
    """
    least = [_columns(console, make(0)) for make in layouts]
    place = next((place for place, needed in enumerate(least) if needed <= console.width), len(layouts) - 1)
    return place, layouts[place](max(0, console.width - least[place])), least


def _columns(console: Console, table: Table) -> int:
    """Columns of a terminal that a table needs as it is."""
    lines = console.render_lines(table, console.options.update(width=_WIDEST), pad=False)
    return max(sum(segment.cell_length for segment in line) for line in lines)


def err() -> PlainConsole:
    """The console for progress and diagnostics."""
    return PlainConsole(stderr=True, highlight=False)


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

    click.echo(json_text(value))

"""`grader`: finds the command that is asked for and imports only that one."""

from __future__ import annotations

import importlib
import signal
import sys
from typing import Any

import click

from grader import __version__
from grader.errors import GraderError, UsageError

# name -> (module below grader.cli, one line of help); in the order of a first visit
COMMANDS = {
    "doctor": "Tell what is there and what is wrong on this machine.",
    "setup": "Make sure of a Docker engine and build the images.",
    "demo": "Grade three sample submissions, to see what comes out.",
    "exercises": "List the exercises, or show one.",
    "kit": "Write the kit that a candidate receives.",
    "preflight": "Find out whether a submission can be graded; no score.",
    "grade": "Grade submissions and write their score sheets.",
    "regrade": "Grade anew after a change: who changes, by how much, why.",
    "compare": "Put candidates side by side, with error bands.",
    "stats": "What the scores tell about the exercise itself.",
    "similar": "Submissions that share code, as passages for a person to look at.",
    "export": "Write all scores that count into one file: CSV, XLSX, JSON lines, Parquet, Gradescope.",
    "sheet": "Show, export or verify a score sheet.",
    "candidate": "What is kept of a person: list, export, hold, erase; who is kept for too long.",
    "author": "Write exercises, and prove that they grade fairly.",
}
_ALLOW = "Look at its permissions, or name another place."
INTERRUPTED = 130


class LazyGroup(click.Group):
    """Knows all commands by name, and imports one only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order of a first visit."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"grader.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Offer the nearest name for one that does not exist."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(f"There is no command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def cli() -> None:
    """Grade practical machine-learning take-home exercises, fairly and in a sandbox.

    Exit status: 0 graded, 1 below --fail-under, 2 wrong usage, 3 submission rejected,
    4 infrastructure, 5 exercise defect, 130 interrupted.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run a command; every error becomes a message and an exit status, never a traceback."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # boxes are removed then, too
    try:
        status: Any = cli.main(args=arguments, prog_name="grader", standalone_mode=False)
    except GraderError as error:
        from grader.cli.console import show_error

        show_error(error)
        status = error.exit_code
    except click.exceptions.Abort:
        status = INTERRUPTED
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except KeyboardInterrupt:
        status = INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # nobody reads any more; say nothing about it
        status = 0
    except OSError as error:
        from grader.cli.console import show_error

        if error.filename is None:
            raise  # not about a file that somebody named: a defect of grader
        show_error(UsageError(f"{error.filename} cannot be used: {error.strerror}.", hint=_ALLOW))
        status = UsageError.exit_code
    if status == INTERRUPTED:
        click.echo("Interrupted. Boxes have been removed; finished sheets are kept.", err=True)
    sys.exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    main()

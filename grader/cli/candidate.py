"""`grader candidate list|export|hold|release|erase|retention`."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.options import json_option, settings

name_argument = click.argument("name")
reason_option = click.option(
    "--reason", default="", metavar="TEXT", help="Why, for the audit log; without the person's name."
)
yes_option = click.option("--yes", is_flag=True, help="Do not ask; for scripts.")


@click.group("candidate")
def command() -> None:
    """What is kept of a person: list, export, hold, erase; who is kept for too long.

    NAME is what the sheets call the person, letter by letter.
    """


@command.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List everybody whose work is kept."""
    from grader.cli.people import show_people
    from grader.store.opening import open_tables
    from grader.store.people import People

    with open_tables(settings()) as database:
        show_people(People(database).everybody(), as_json=as_json)


@command.command("export")
@name_argument
@click.argument("destination", required=False, metavar="[DEST]", type=click.Path(path_type=Path))
@click.option(
    "--audience",
    type=click.Choice(("author", "candidate")),
    default="author",
    show_default=True,
    help="author: everything. candidate: without what gives hidden checks away.",
)
@json_option
def export(name: str, destination: Path | None, audience: str, as_json: bool) -> None:
    """Write all that is kept about a person.

    Sheets, results, what was handed in, logs, and a README in plain words.

    DEST is a new folder, or a file that ends with .zip. Default: a folder here, called after the person.
    """
    from grader.cli.people import export_person

    export_person(settings(), name, destination, audience, as_json=as_json)


@command.command("hold")
@name_argument
@reason_option
def hold(name: str, reason: str) -> None:
    """Put a legal hold on a person: no erasing."""
    from grader.cli.console import operator, out
    from grader.store.opening import open_tables
    from grader.store.people import People

    with open_tables(settings()) as database:
        People(database).hold(name, reason, operator())
    out().print(f"{name} is under a legal hold now: nothing of this person can be erased.", markup=False)


@command.command("release")
@name_argument
@reason_option
def release(name: str, reason: str) -> None:
    """End a legal hold."""
    from grader.cli.console import operator, out
    from grader.store.opening import open_tables
    from grader.store.people import People

    with open_tables(settings()) as database:
        People(database).release(name, reason, operator())
    out().print(f"{name} is under no legal hold any more, and may be erased.", markup=False)


@command.command("erase")
@name_argument
@click.option("--reason", default="asked for it", show_default=True, metavar="TEXT", help="Why, for the audit log.")
@click.option("--dry-run", is_flag=True, help="Show what would go; change nothing.")
@yes_option
@json_option
def erase(name: str, reason: str, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Erase a person for good.

    Name, submissions, logs, evidence, sheets and their folders go.
    Anonymous results stay, so that statistics stay. A person under a legal hold is not erased.
    """
    from grader.cli.people import erase_person

    return erase_person(settings(), name, reason, dry_run=dry_run, yes=yes, as_json=as_json)


@command.command("retention")
@click.option("--older-than", metavar="AGE", help="90d, 6w, 18m or 2y. Default: the setting 'retention'.")
@click.option("--erase", "really", is_flag=True, help="Erase them; without this, they are only listed.")
@yes_option
@json_option
def retention(older_than: str | None, really: bool, yes: bool, as_json: bool) -> int:
    """List who is kept for too long; erase them.

    Too long: the last run is older than an age. Nobody is erased without --erase.
    Whoever is under a legal hold is listed, and stays.
    """
    from grader.cli.people import retain

    return retain(settings(), older_than, really=really, yes=yes, as_json=as_json)

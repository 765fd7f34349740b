"""`grader sheet show|export|verify|rubric|review|override FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from grader.cli.options import json_option, settings

AUDIENCES = ("candidate", "recruiter", "author")


@click.group("sheet")
def command() -> None:
    """Show, export, verify or correct a score sheet; have people rate its decision notebook."""


@command.command("show")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--audience", type=click.Choice(AUDIENCES), default="recruiter", show_default=True)
@json_option
def show(file: Path, audience: str, as_json: bool) -> None:
    """Show a sheet in the terminal."""
    from grader.cli.console import out
    from grader.cli.own_sheet import is_genuine_file
    from grader.model.sheet import Audience
    from grader.render import json_sheet
    from grader.render.terminal import sheet_view
    from grader.scoring.audience import for_audience
    from grader.scoring.signing import sign
    from grader.store.folder import read_sheet

    whole = read_sheet(file)
    sheet = for_audience(whole, Audience(audience))
    key = _own_key(file)
    if key is not None:
        sheet = sign(sheet, key)
    if as_json:
        click.echo(json_sheet.render(sheet), nl=False)
        return
    if whole.signature is not None and not is_genuine_file(file):
        out().print("This sheet has been changed since it was signed: see grader sheet verify.", style="bold red")
    out().print(sheet_view(sheet))


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_name", required=True, help="html, pdf, json, md, csv, junit or gradescope.")
@click.option("--audience", type=click.Choice(AUDIENCES), help="Default: whom the format is usually for.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Default: stdout.")
def export(file: Path, format_name: str, audience: str | None, output: Path | None) -> None:
    """Write a sheet in another format, for an audience."""
    from grader.errors import UsageError
    from grader.model.sheet import Audience
    from grader.render.files import PDF, export_pdf, export_sheet
    from grader.store.folder import read_sheet

    sheet = read_sheet(file)
    key = _own_key(file)
    if key is None:
        click.echo("This sheet is not genuine, or signed by somebody else: what is exported is not signed.", err=True)
    reader = Audience(audience) if audience else None
    if format_name == PDF:
        content = export_pdf(sheet, reader, key)
    else:
        content = export_sheet(sheet, format_name, reader, key).encode()
    if output is None:
        if format_name == PDF and sys.stdout.isatty():
            raise UsageError("A PDF is not for a terminal.", hint="Name a file: --output sheet.pdf")
        click.echo(content, nl=False)
        return
    try:
        with output.open("xb") as target:
            target.write(content)
    except FileExistsError as error:
        raise UsageError(f"{output} already exists.", hint="Choose another name.") from error
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error


@command.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--key", metavar="BASE64", help="The public key to trust. Default: this installation's own.")
@json_option
def verify(file: Path, key: str | None, as_json: bool) -> int:
    """Find out whether a sheet is just as it was signed, and by whom. Works offline."""
    from grader.cli.console import print_json
    from grader.cli.own_sheet import is_genuine_file
    from grader.keys import Keyring
    from grader.scoring.signing import fingerprint, public_key
    from grader.store.folder import read_sheet

    sheet = read_sheet(file)
    trusted = key or public_key(Keyring(settings().config_dir).signing_key())
    signer = sheet.signature.public_key if sheet.signature else None
    genuine = is_genuine_file(file)
    known = signer == trusted
    if as_json:
        print_json({"genuine": genuine, "known_signer": known, "public_key": signer})
    elif not genuine:
        _say("Not genuine. ", "bold red", "The sheet was changed after it was signed, or never signed.")
    elif known:
        _say("Genuine. ", "bold green", f"Signed with the key that you trust ({fingerprint(trusted)}).")
    else:
        unknown = (
            f"Unchanged since it was signed, but by {signer} ({fingerprint(signer or '')}), whom you do not trust."
        )
        _say("Unknown signer. ", "bold yellow", unknown)
    return 0 if genuine and known else 1


@command.command("rubric")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--to", "folder", type=click.Path(path_type=Path, file_okay=False), help="Default: beside FILE.")
def rubric(file: Path, folder: Path | None) -> None:
    """Write an empty form for rating the decision notebook, with what each rating means.

    One form for each reviewer; a form that is there already is never overwritten.
    """
    from grader.cli.console import out
    from grader.store.folder import read_sheet
    from grader.store.reviewing import write_form

    path = write_form(read_sheet(file), folder or file.parent)
    out().print(str(path), markup=False, soft_wrap=True)


@command.command("review")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("forms", nargs=-1, required=True, metavar="REVIEW.toml...", type=click.Path(path_type=Path))
@click.option("--restart", is_flag=True, help="Forget the reviews that are on the sheet already.")
@json_option
def review(file: Path, forms: tuple[Path, ...], restart: bool, as_json: bool) -> None:
    """Put filled-in forms on a sheet: every file of its folder is written anew and signed.

    Two reviewers give the points; a third is asked for when they differ by 2 or more, and then the median
    counts. The sheet as it was is kept beside the new one.
    """
    from grader.cli import reviewing
    from grader.wiring import open_store

    with open_store(settings()) as store:
        reviewed = reviewing.review(file, forms, store.runs, restart=restart, key_of=_own_key)
    reviewing.show(reviewed, as_json=as_json)


@command.command("override")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("check")
@click.option("--points", metavar="N", help="Points that the check shall give, instead of those that were measured.")
@click.option("--share", metavar="X", help="The same as a share of its points, from 0 to 1.")
@click.option("--withdraw", is_flag=True, help="Take an override back: what was measured counts again.")
@click.option("--reason", default="", metavar="TEXT", help="Why; needed. It stands on the sheet for interviewers.")
@click.option("--by", default="", metavar="NAME", help="Who decided it; needed.")
@json_option
def override(
    file: Path, check: str, points: str | None, share: str | None, withdraw: bool, reason: str, by: str, as_json: bool
) -> None:
    """Correct the points of one CHECK, with a reason and a name; or decide one that could not be measured.

    What was measured stays on the sheet beside the correction. Every file of its folder is written
    anew and signed, and the sheet as it was is kept. When a person has decided every check that
    could not be measured, the sheet has its total.
    """
    from grader.cli import overriding
    from grader.wiring import open_store

    typed = overriding.Typed(check=check, points=points, share=share, withdraw=withdraw, reason=reason, by=by)
    with open_store(settings()) as store:
        corrected = overriding.override(file, typed, store.runs, _own_key)
    overriding.show(corrected, as_json=as_json)


def _own_key(file: Path) -> bytes | None:
    """Our signing key, for a sheet that is genuine and ours; what we did not make, we do not sign."""
    from grader.cli.own_sheet import is_genuine_file
    from grader.keys import Keyring
    from grader.scoring.signing import public_key
    from grader.store.folder import read_sheet

    sheet = read_sheet(file)
    key = Keyring(settings().config_dir).signing_key()
    ours = sheet.signature is not None and sheet.signature.public_key == public_key(key)
    return key if ours and is_genuine_file(file) else None


def _say(head: str, style: str, explanation: str) -> None:
    from rich.text import Text

    from grader.cli.console import out

    out().print(Text.assemble((head, style), explanation), soft_wrap=True)

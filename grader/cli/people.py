"""What `grader candidate` does: show people, write what is kept of them, and erase them when that was confirmed."""

from __future__ import annotations

import io
import zipfile  # noqa: TID251  (an archive is written here, none is read)
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from grader import clock
from grader.cli.console import err, operator, out, print_json, show_error
from grader.cli.dossier import dossier_files
from grader.cli.writing import write_bytes
from grader.errors import GraderError, UsageError
from grader.intake.file_names import file_name
from grader.intake.limits import counted
from grader.keys import Keyring
from grader.model.sheet import Audience
from grader.render.text import visible
from grader.store.dossiers import read_dossier
from grader.store.erasing import Eraser, Erasure
from grader.store.opening import kept_files, open_tables
from grader.store.people import People, Person

if TYPE_CHECKING:
    from grader.config import Settings

DECLINED = 1


def show_people(people: Sequence[Person], *, as_json: bool) -> None:
    """Print people as a table, or as JSON."""
    if as_json:
        print_json([_data(person) for person in people])
        return
    if not people:
        out().print("Nothing of anybody is kept here.")
        return
    table = Table()
    for title in ("candidate", "submissions", "last run", "legal hold"):
        table.add_column(title, overflow="fold")  # a name is shown letter by letter, or it cannot be typed
    for person in people:
        hold = visible(person.hold or "")
        table.add_row(visible(person.name), str(person.submissions), f"{person.last:%Y-%m-%d}", hold)
    out().print(table)


def _data(person: Person) -> dict[str, object]:
    return {
        "candidate": person.name,
        "submissions": person.submissions,
        "last_run": person.last.isoformat(),
        "legal_hold": person.hold,
    }


def export_person(settings: Settings, name: str, destination: Path | None, audience: str, *, as_json: bool) -> None:
    """Write everything about a person to a folder or a zip.

    Raises:
        UsageError: Nobody is called like this, or the place cannot be used.
    """
    with open_tables(settings) as database:
        dossier = read_dossier(database, kept_files(settings), name)
    files = dossier_files(dossier, Audience(audience), Keyring(settings.config_dir).signing_key())
    target = destination or Path(file_name(name, otherwise="candidate") + "-data")
    if target.exists():
        raise UsageError(f"{target} exists already.", hint="Name a new folder, or a new file that ends with .zip.")
    if target.suffix.lower() == ".zip":
        write_bytes(target, _zipped(files))
    else:
        _write_folder(target, files)
    for each in dossier.missing:
        err().print(f"Not complete: {each}", style="yellow", markup=False, soft_wrap=True)
    if as_json:
        print_json({"destination": str(target), "files": sorted(files), "missing": list(dossier.missing)})
    else:
        out().print(f"{len(files)} files: {target}", markup=False, soft_wrap=True)


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    try:
        target.mkdir(mode=0o700, parents=True)
        for name, content in files.items():
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror}", hint="Choose another place; what is there is not complete."
        ) from error


def erase_person(settings: Settings, name: str, reason: str, *, dry_run: bool, yes: bool, as_json: bool) -> int:
    """Show what would go, ask, and erase; returns the exit status.

    Raises:
        UsageError: Nobody is called like this, they may not be erased, or nobody answered.
        StoreFailed: Something cannot be erased.
    """
    with open_tables(settings) as database:
        eraser = Eraser(database, kept_files(settings))
        planned = eraser.preview(name)
        if not as_json:
            _show_plan(planned)
        if dry_run:
            _tell(planned, erased=False, as_json=as_json)
            return 0
        if not yes and not _confirmed(f"Erase {name} for good?"):
            return _declined()
        _tell(eraser.erase(name, reason, operator()), erased=True, as_json=as_json)
    return 0


def _show_plan(erasure: Erasure) -> None:
    traces, papers = erasure.traces, erasure.papers
    say = out().print
    say(f"Of {visible(traces.person.name)} would go:", markup=False, soft_wrap=True)
    own, shared = len(traces.runs), len(traces.shared)
    lines = [
        "the name, and what could lead back to it",
        f"{counted(len(traces.submissions), 'submission')} and {counted(len(traces.artefacts), 'kept file')} "
        "(archives and logs)",
        f"{counted(traces.sheets, 'sheet')} with evidence, and what people wrote in reviews",
        *(f"the folder {path}" for path in papers.folders),
    ]
    stay = [f"as anonymous results: {counted(own, 'run')}, with outcomes, points and seconds of checks"] if own else []
    if shared or traces.shared_artefacts:
        both = f"{counted(shared, 'run')} and {counted(len(traces.shared_artefacts), 'kept file')}"
        stay.append(f"as they are somebody else's as well: {both}")
    stay += [f"{path} is left to you: it {why}" for path, why in papers.left]
    stay += [
        f"the name stays in the list of {other}, who was graded on this person's data" for other in traces.world_of
    ]
    for line in lines:
        say(f"  - {visible(line, 500)}", markup=False, soft_wrap=True)
    for line in stay:
        say(f"  * {visible(line, 500)}", markup=False, soft_wrap=True)
    say("Copies that were mailed, exported or backed up are not known here; see to them yourself.", soft_wrap=True)


def _tell(erasure: Erasure, *, erased: bool, as_json: bool) -> None:
    if as_json:
        print_json(_erasure_data(erasure, erased=erased))
    else:
        out().print("Erased. The audit log has a line about it, without the name." if erased else "Nothing was erased.")


def _erasure_data(erasure: Erasure, *, erased: bool) -> dict[str, object]:
    traces, papers = erasure.traces, erasure.papers
    return {
        "candidate": traces.person.name,
        "erased": erased,
        "submissions": len(traces.submissions),
        "anonymous_runs": len(traces.runs),
        "shared_runs": len(traces.shared),
        "sheets": traces.sheets,
        "files": len(traces.artefacts),
        "shared_files": len(traces.shared_artefacts),
        "folders": [str(path) for path in papers.folders],
        "left": [{"path": str(path), "why": why} for path, why in papers.left],
        "named_in_the_work_of": list(traces.world_of),
    }


def _confirmed(question: str) -> bool:
    try:
        return click.confirm(question, err=True)
    except click.Abort as error:
        raise UsageError("Nothing was erased: nobody answered.", hint="Scripts add --yes.") from error


def _declined() -> int:
    err().print("Nothing was erased.")
    return DECLINED


def retain(settings: Settings, older_than: str | None, *, really: bool, yes: bool, as_json: bool) -> int:
    """List who is kept for too long, and erase them where that was asked for; returns the exit status.

    One who cannot be erased does not keep the others.

    Raises:
        UsageError: No age is given, or it cannot be read.
    """
    age = older_than or settings.retention
    if age is None:
        raise UsageError(
            "It is not said how long people's work is kept.",
            hint="Say it: --older-than 2y, or the setting 'retention' (grader.toml or GRADER_RETENTION).",
        )
    try:
        moment = clock.ago(age)
    except ValueError as error:
        raise UsageError(f"--older-than: {error}.") from error
    with open_tables(settings) as database:
        people = People(database).last_before(moment)
        due = [person for person in people if person.hold is None]
        if not as_json:
            _show_due(people, age)
        if really and due and not yes and not _confirmed(f"Erase these {len(due)} for good?"):
            return _declined()
        eraser = Eraser(database, kept_files(settings))
        failed = _erase_all(eraser, due, f"retention: last run older than {age}") if really else {}
    if as_json:
        gone = {person.name for person in due} - failed.keys() if really else set()
        print_json([_data(each) | {"erased": each.name in gone, "error": failed.get(each.name)} for each in people])
    elif people:
        out().print(f"{len(due) - len(failed)} erased." if really else "Nothing was erased; add --erase for that.")
    return 4 if failed else 0


def _show_due(people: Sequence[Person], age: str) -> None:
    if not people:
        out().print(f"Nobody's last run is older than {age}.", markup=False)
        return
    out().print(f"Last run older than {age}:", markup=False)
    show_people(people, as_json=False)
    held = sum(person.hold is not None for person in people)
    if held:
        out().print(f"{held} of them are under a legal hold, and stay.", markup=False)


def _erase_all(eraser: Eraser, due: Sequence[Person], reason: str) -> dict[str, str]:
    failed = {}
    for person in due:
        try:
            eraser.erase(person.name, reason, operator())
        except GraderError as error:
            show_error(error)
            failed[person.name] = error.message
    return failed

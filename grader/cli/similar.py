"""`grader similar ID`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import batch_option, exercises_option, json_option, settings

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.model.exercise import Exercise
    from grader.similarity.documents import Entry
    from grader.similarity.report import Report, ShownPair

ROWS_SHOWN = 30
_DETAILED = 3


@click.command("similar")
@click.argument("exercise_id", metavar="ID")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@batch_option("Only who is in this batch.")
@click.option(
    "--threshold",
    type=click.FloatRange(1, 100),
    default=20,
    show_default=True,
    metavar="N",
    help="List pairs from this percentage of the smaller submission's code on.",
)
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Also write a page.")
@json_option
@exercises_option
def command(
    exercise_id: str,
    paths: tuple[str, ...],
    batch: str | None,
    threshold: float,
    html: Path | None,
    as_json: bool,
    exercise_folders: tuple[Path, ...],
) -> None:
    """List submissions that share code, with the passages beside each other.

    Compares what was graded and is in the store; or, where PATHs are given, those folders and archives.
    Names, numbers, texts, comments and layout do not count, nor does what everybody was given. No
    score changes. The page says what such a list shows and what it does not.
    """
    from grader import clock
    from grader.analysis.similar_page import similar_page
    from grader.catalog.exercises import load_exercise, resolve
    from grader.catalog.kit_files import SKELETON
    from grader.cli.console import print_json
    from grader.cli.writing import write_text
    from grader.errors import UsageError
    from grader.similarity.pairs import find_similar
    from grader.similarity.report import make_report
    from grader.similarity.sources import read_public

    if paths and batch:
        raise UsageError("--batch is of the store, and there are paths.", hint="Leave one of them out.")
    chosen = settings(exercise_folders=exercise_folders)
    source = resolve(exercise_id, chosen.exercises)
    exercise = load_exercise(source)
    notes: list[str] = []
    names: list[str] = []
    if paths:
        entries = _from_paths(paths, exercise, notes)
    else:
        entries, names = _from_store(chosen, exercise, batch, notes)
    public = read_public([source / "template", source / "data", source / "brief.md", SKELETON])
    similar = find_similar(entries, public, threshold / 100)
    title = exercise_id + (f", batch {batch}" if batch else "")
    report = make_report(similar, title, _kits(chosen, exercise, [*names, *(each.name for each in entries)]), notes)
    if html is not None:
        write_text(html, similar_page(report, clock.now()))
    if as_json:
        print_json(_data(report))
    else:
        _show(report)


def _from_store(
    chosen: Settings, exercise: Exercise, batch: str | None, notes: list[str]
) -> tuple[list[Entry], list[str]]:
    """What was handed in, and the names of all whom the store knows."""
    from grader.errors import StoreFailed
    from grader.similarity.documents import Entry
    from grader.similarity.sources import read_submission
    from grader.store.artefacts import unpack
    from grader.store.handed_in import names_of_all, read_handed_in
    from grader.store.opening import kept_files, open_tables

    with open_tables(chosen) as database:
        found, erased = read_handed_in(database, exercise.id, batch)
        names = names_of_all(database)
    artefacts = kept_files(chosen)
    entries = []
    unread = []
    for each in found:
        try:
            if each.artefact is None:
                raise StoreFailed("it could not be read when it was handed in")
            reading = read_submission(unpack(artefacts.get(each.artefact), each.label))
        except StoreFailed as error:
            unread.append(f"Not compared: the submission {each.label} of {each.candidate}. {error.message}")
            continue
        entries.append(Entry(person=each.person, name=each.candidate, label=each.label, reading=reading))
    notes += unread
    if erased:
        notes.append(f"{erased} submissions are of people who were erased, and were not compared.")
    return entries, names


def _from_paths(paths: Sequence[str], exercise: Exercise, notes: list[str]) -> list[Entry]:
    from grader.cli.console import err
    from grader.cli.entries import from_paths
    from grader.errors import SubmissionRejected
    from grader.intake.receive import receive
    from grader.similarity.documents import Entry
    from grader.similarity.sources import read_submission

    entries = []
    for named in from_paths(paths, None, exercise, lambda text: err().print(text, style="dim", markup=False)):
        try:
            reading = read_submission(receive(named.path))
        except SubmissionRejected as error:
            notes.append(f"Not compared: {named.label}. {error.message}")
            continue
        entries.append(Entry(person=str(named.path), name=named.folder_name, label=named.label, reading=reading))
    return entries


def _kits(chosen: Settings, exercise: Exercise, names: Sequence[str]) -> dict[str, str]:
    """Name to the mark of that person's kit."""
    from grader.catalog.marks import kit_mark
    from grader.keys import Keyring

    key = Keyring(chosen.config_dir).server_key()
    return {name: kit_mark(key, exercise.id, name) for name in names}


def _data(report: Report) -> dict[str, object]:
    """The report without code: where passages are, and not what they say."""
    data = asdict(report)
    for pair in data["pairs"]:
        for passage in pair["passages"]:
            passage["sides"] = [{name: side[name] for name in ("path", "first", "last")} for side in passage["sides"]]
    return data


def _show(report: Report) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from grader.cli.console import out
    from grader.render.text import visible
    from grader.similarity.report import WORDS

    console = out()
    title = Text(f"{report.title}: {report.submissions} submissions of {report.people} people")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=title)
    for heading, right in (("One", False), ("Other", False), ("Of one", True), ("Of other", True), ("Tokens", True)):
        table.add_column(heading, justify="right" if right else "left", overflow="fold")
    for pair in report.pairs[:ROWS_SHOWN]:
        names = [Text(visible(name)) for name in pair.names]
        table.add_row(*names, *(f"{percent:.0f} %" for percent in pair.percents), str(pair.tokens))
    console.print(table if report.pairs else title)
    more = report.more + max(0, len(report.pairs) - ROWS_SHOWN)
    lines = [f"and {more} more pairs; --html has the first {len(report.pairs)}"] if more else []
    if not report.pairs:
        lines.append("No two people's submissions have enough in common to be listed.")
    lines += [line for pair in report.pairs[:_DETAILED] for line in _where(pair, report.people)]
    lines += (*report.groups, *report.marks)
    lines += [f"Not compared: {path or 'the rest'} of {name}: {why}" for name, path, why in report.left_out[:10]]
    if len(report.left_out) > 10:
        lines.append(f"Not compared besides: {len(report.left_out) - 10} files; --html lists them.")
    for line in lines:
        console.print(Text(visible(line)), soft_wrap=True)
    for line in (*report.notes, *WORDS):
        console.print(Text(visible(line), style="dim"), soft_wrap=True)


def _where(pair: ShownPair, people: int) -> Iterator[str]:
    yield f"{pair.names[0]} and {pair.names[1]}:"
    for fact in pair.facts:
        yield f"  {fact}"
    for passage in pair.passages:
        one, other = (f"{side.path}:{side.first}-{side.last}" for side in passage.sides)
        yield f"  {one} and {other}: {passage.tokens} tokens, which {passage.people} of {people} people have"

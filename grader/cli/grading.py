"""What `grade` and `demo` share: from an order to score sheets in folders and in the store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from rich.text import Text

from grader.catalog.calibration import read_calibration
from grader.catalog.components import components
from grader.catalog.exercises import load_exercise, resolve
from grader.catalog.seeds import variant_for
from grader.cli.console import out, print_json
from grader.cli.entries import Named, Report, from_manifest, from_paths
from grader.cli.progress import BatchProgress, progress_bar
from grader.engine.batch import Batch, Done, Entry, Plan, fresh_series, images_of
from grader.engine.grade import NOT_READ
from grader.engine.jobs import default_jobs, machine_cores, machine_memory
from grader.engine.ordering import Forecast
from grader.errors import SubmissionRejected, UsageError
from grader.intake.names import NAME_CAP
from grader.intake.receive import label_of, plain_name
from grader.model.run import Party, RunStatus
from grader.model.sheet import ScoreSheet
from grader.render.files import sheet_files
from grader.render.terminal import SummaryRow, summary_row, summary_table
from grader.store.folder import PREVIOUS, SHEET, SheetFolder, read_sheet
from grader.store.port import run_key
from grader.store.summary import write_summary
from grader.wiring import Store, open_harness, open_store, store_at

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.engine.grade import Harness
    from grader.model.exercise import Exercise

NOBODY: frozenset[Party] = frozenset()
ROWS_SHOWN = 40
"""A table longer than this is for a spreadsheet; the terminal then lists what needs a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be graded, and where sheets go.

    Attributes:
        exercise_id: The exercise.
        out: Folder for sheets.
        paths: What was typed.
        manifest: A list of candidates instead.
        candidate: Whose variant the one path is graded on.
        batch: Name of the batch; the folder's when empty.
        jobs: Runs at once; None for as many as the machine carries.
        keep: Write the logs of the boxes beside the sheets.
        replace: Move sheets that are in the way aside.
        fresh: Grade anew what was graded before.
        apart: Remember nothing of it in the installation's store.
    """

    exercise_id: str
    out: Path
    paths: Sequence[str] = ()
    manifest: Path | None = None
    candidate: str | None = None
    batch: str = ""
    jobs: int | None = None
    keep: bool = False
    replace: bool = False
    fresh: bool = False
    apart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What is said of a submission that has no sheet: to people, and to machines."""

    line: SummaryRow
    told: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One finished submission: how it ended, and where its sheet is.

    A batch holds one for each of thousands of submissions, so it is small; what is shown is read from the sheet.

    Attributes:
        status: How the run ended.
        percent: Total, where there is one.
        parties: Who has to act.
        seconds: Wall time of the run.
        place: Folder of its sheet below that of the order.
        lost: What is said in place of a sheet, where there is none.
    """

    status: RunStatus
    percent: float | None
    parties: frozenset[Party]
    seconds: float
    place: str
    lost: Lost | None = None

    def line(self, folder: Path) -> SummaryRow:
        """What people are shown; the folder is the order's."""
        return self.lost.line if self.lost else summary_row(read_sheet(folder / self.place / SHEET))

    def data(self, folder: Path) -> Mapping[str, object]:
        """What machines are told; the folder is the order's."""
        place = folder / self.place
        return self.lost.told if self.lost else summary(read_sheet(place / SHEET), place)


def grade_all(settings: Settings, order: Order) -> list[Row]:
    """Grade everything of an order; what was graded before is not graded again.

    Raises:
        UsageError: Exercise, a path or the output folder is wrong; nothing has been graded then.
        InfrastructureFault: Nothing more can be graded or kept; what is finished is.
    """
    source = resolve(order.exercise_id, settings.exercises)
    exercise = load_exercise(source)
    read_calibration(source)  # every sheet would need it, at the end of its run
    with ExitStack() as stack:
        bar = stack.enter_context(progress_bar())
        say = partial(bar.console.print, style="dim", markup=False, soft_wrap=True)
        fetched = Path(stack.enter_context(TemporaryDirectory()))
        named = (
            from_manifest(order.manifest, fetched, say)
            if order.manifest
            else from_paths(order.paths, order.candidate, exercise, say)
        )
        harness = stack.enter_context(open_harness(settings, say))
        opened = store_at(Path(stack.enter_context(TemporaryDirectory()))) if order.apart else open_store(settings)
        work = Work(harness, exercise, source, stack.enter_context(opened), order)
        batch = work.open_batch(say)
        entries, seconds = work.plan(named, say)
        jobs = order.jobs or default_jobs(exercise.manifest, cores=machine_cores(), memory=machine_memory())
        places = [entry.place for entry in entries]
        progress = BatchProgress(bar, places, len(exercise.checks), Forecast(seconds, jobs))
        return work.carry_out(entries, seconds, batch, jobs, progress)


class Work:
    """One order at work.

    Args:
        harness: What every run shares.
        exercise: The exercise.
        source: Its folder.
        store: Remembers.
        order: What is to be done.
    """

    def __init__(self, harness: Harness, exercise: Exercise, source: Path, store: Store, order: Order) -> None:
        """Nothing is read yet."""
        self._harness = harness
        self._exercise = exercise
        self._source = source
        self._store = store
        self._order = order
        self._folder = SheetFolder(order.out)

    def open_batch(self, say: Report) -> str:
        """Find the batch that this belongs to, before anything in its folder is touched.

        Raises:
            UsageError: The batch that was named has its sheets in another folder.
        """
        runs, out = self._store.runs, self._order.out.resolve()
        runs.register(self._exercise, components(self._source, self._exercise))
        name = self._order.batch or label_of(out)[:NAME_CAP] or "grading"
        batch, called = runs.open_batch(name, self._exercise.id, str(out), exact=bool(self._order.batch))
        if called != name:
            say(f"This batch is called {called}: there is one called {name}, and its sheets are in another folder.")
        return batch

    def plan(self, named: Sequence[Named], say: Report) -> tuple[list[Entry], dict[str, float]]:
        """Choose a folder for each submission; returns entries, and expected seconds by place.

        What people did to sheets that are moved aside is told: no new run holds it.

        Raises:
            UsageError: The output folder cannot be used, or holds something else or somebody under another name.
        """
        digests = [_digest(each) for each in named]
        self._refuse_to_count_twice(named, digests)
        keys = [self._key(each, digest) for each, digest in zip(named, digests, strict=True)]

        left_behind: list[str] = []

        def keep(index: int, sheet: ScoreSheet) -> bool:
            same = self._key_of_sheet(sheet) == keys[index]
            kept = same and sheet.status is not RunStatus.FAULTED and not self._order.fresh
            if not kept and (done := _done_by_people(sheet)):
                left_behind.append(f"{sheet.candidate} ({done})")
            return kept

        places = self._folder.places([each.folder_name for each in named], replace=self._order.replace, keep=keep)
        if left_behind:
            told = f"Done by people, which a new run does not hold: {', '.join(left_behind)}."
            say(f"{told} The old sheets are in {self._folder.folder / PREVIOUS}.")
        series = fresh_series() if self._order.fresh else ""
        called = Counter(each.folder_name for each in named)
        entries = [
            self._entry(each, place.name, series, each.folder_name if called[each.folder_name] == 1 else place.name)
            for each, place in zip(named, places, strict=True)
        ]
        known = self._store.runs.seconds(self._exercise.id)
        pairs = zip(entries, digests, strict=True)
        return entries, {entry.place: known[digest] for entry, digest in pairs if digest in known}

    def _refuse_to_count_twice(self, named: Sequence[Named], digests: Sequence[str]) -> None:
        names = {each.folder_name for each in named}
        for each, digest in zip(named, digests, strict=True):
            before = self._order.out / plain_name(each.label)  # called so before a list told whose it is
            if before.name not in names and _digest_at(before) == digest:
                raise UsageError(
                    f"{before} holds a sheet of the same work, graded under the name of its file; "
                    f"{each.folder_name} would count twice. Nothing was graded.",
                    hint="Choose another folder with --out: its batch then has everybody once.",
                )

    def _entry(self, named: Named, place: str, series: str, who: str) -> Entry:
        return Entry(
            path=named.path,
            place=place,
            label=named.label,
            who=named.candidate or named.variant_of or who,
            variant_of=named.variant_of,
            extra_time=named.extra_time,
            read=named.read,
            series=series,
        )

    def _key(self, named: Named, digest: str) -> str:
        variant = variant_for(self._exercise, self._harness.keyring.server_key(), named.variant_of)
        images = images_of(self._harness)
        return run_key(submission=digest, exercise=self._exercise.digest, images=images, commitment=variant.commitment)

    def _key_of_sheet(self, sheet: ScoreSheet) -> str:
        made = sheet.provenance
        return run_key(
            submission=made.submission_digest,
            exercise=made.exercise_digest,
            images=made.images,
            commitment=made.variant_commitment,
        )

    def carry_out(
        self, entries: Sequence[Entry], seconds: Mapping[str, float], batch: str, jobs: int, progress: BatchProgress
    ) -> list[Row]:
        """Grade, write sheets and the summary; rows in the order of the entries."""
        store, replace = self._store, self._order.replace
        plan = Plan(batch=batch, jobs=jobs, deliver=self._deliver, watch=progress.watch, replace=replace)
        graded = Batch(self._harness, self._exercise, self._source, store.runs, store.artefacts, plan)
        rows: dict[str, Row] = {}
        try:
            for done in graded.run(entries, seconds):
                row = done.row or _lost(done)
                rows[done.entry.place] = row
                progress.done(done, row.status.value, row.seconds)
        finally:
            if rows:
                write_summary(self._folder.folder)
        return [rows[entry.place] for entry in entries]

    def _deliver(self, entry: Entry, sheet: ScoreSheet, logs: Mapping[str, bytes]) -> Row:
        place = self._order.out / entry.place

        def files() -> dict[str, str | bytes]:
            return {**sheet_files(sheet, self._harness.keyring.signing_key())}

        self._folder.put(place, sheet, files)
        if self._order.keep:
            self._folder.add(place, logs)
        return row_of(sheet, entry.place)


def _done_by_people(sheet: ScoreSheet) -> str:
    """Which checks of a sheet somebody has corrected, and whether its notebook was rated."""
    rated = sheet.decision is not None and sheet.decision.human is not None
    return ", ".join([*(check.id for check in sheet.overridden), *(["notebook rated"] if rated else [])])


def _digest(named: Named) -> str:
    """The digest of a submission, or that it cannot be read; whoever grades it will say why."""
    try:
        return named.read().digest
    except (SubmissionRejected, UsageError):
        return NOT_READ


def _digest_at(place: Path) -> str | None:
    """The digest of the submission that a sheet in a folder is of, if there is one."""
    try:
        return read_sheet(place / SHEET).provenance.submission_digest
    except UsageError:
        return None


def row_of(sheet: ScoreSheet, place: str) -> Row:
    """What is held of a finished submission."""
    return Row(
        status=sheet.status,
        percent=sheet.percent,
        place=place,
        parties=frozenset(fault.party for fault in sheet.open_faults) or NOBODY,
        seconds=sheet.seconds,
    )


def _lost(done: Done[Row]) -> Row:
    """The row of a submission without a sheet: its path vanished, or grader itself failed."""
    line = SummaryRow(
        candidate=done.entry.who,
        submission=done.entry.label,
        status=RunStatus.FAULTED,
        total="",
        percent=None,
        extremes=(),
        note=done.trouble,
    )
    fault = {"party": Party.INFRASTRUCTURE.value, "message": done.trouble, "hint": "Correct it, and grade again."}
    data = {
        "submission": done.entry.label,
        "candidate": done.entry.who,
        "status": RunStatus.FAULTED.value,
        **dict.fromkeys(("earned", "possible", "percent", "reason", "message")),
        "faults": [fault],
        "sheet": None,
    }
    return Row(
        status=RunStatus.FAULTED,
        percent=None,
        parties=frozenset({Party.INFRASTRUCTURE}),
        seconds=0.0,
        place=done.entry.place,
        lost=Lost(line=line, told=data),
    )


def show(rows: Sequence[Row], folder: Path, *, as_json: bool) -> None:
    """Print what was graded: a table and where to look, or JSON."""
    if as_json:
        print_json([row.data(folder) for row in rows])
        return
    console = out()
    if len(rows) <= ROWS_SHOWN:
        console.print(summary_table(row.line(folder) for row in rows))
        for place in (row.place for row in rows if row.lost is None):
            console.print(str(folder / place / "sheet.html"), markup=False, soft_wrap=True)
    else:
        faulted = [row for row in rows if row.parties][:ROWS_SHOWN]
        if faulted:
            console.print(summary_table(row.line(folder) for row in faulted))
        counts = Counter(row.status.value for row in rows)
        console.print(Text(", ".join(f"{count} {status}" for status, count in counts.most_common())))
    console.print(str(folder / "summary.csv"), markup=False, soft_wrap=True)


def summary(sheet: ScoreSheet, place: Path) -> dict[str, object]:
    """What machines are told of a finished submission."""
    return {
        "submission": sheet.submission,
        "candidate": sheet.candidate,
        "status": sheet.status.value,
        "earned": None if sheet.earned is None else float(sheet.earned),
        "possible": float(sheet.possible),
        "percent": sheet.percent,
        "reason": sheet.rejection.reason.value if sheet.rejection else None,
        "message": sheet.rejection.message if sheet.rejection else None,
        "faults": [fault.model_dump(mode="json") for fault in sheet.open_faults],
        "overrides": [check.id for check in sheet.overridden],
        "sheet": str(place / SHEET),
    }


def exit_status(rows: Sequence[Row], fail_under: float | None) -> int:
    """The worst of all: defect 5, infrastructure 4, rejected 3, below the bar 1, all well 0."""
    parties = {party for row in rows for party in row.parties}
    if Party.AUTHOR in parties:
        return 5
    if parties:
        return 4
    if any(row.status is RunStatus.REJECTED for row in rows):
        return 3
    below = fail_under is not None and any((row.percent or 0.0) < fail_under for row in rows)
    return 1 if below else 0

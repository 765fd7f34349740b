"""What `grader regrade` does: new runs beside those that count, a report, and, when somebody says so, the exchange."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import Progress

from grader.catalog.calibration import read_calibration
from grader.catalog.components import components, differing, only_texts_differ
from grader.catalog.exercises import load_exercise, resolve
from grader.catalog.seeds import variant_for
from grader.cli.console import operator
from grader.cli.progress import BatchProgress, progress_bar
from grader.engine.batch import Batch, Entry, Plan, images_of
from grader.engine.jobs import default_jobs, machine_cores, machine_memory
from grader.engine.ordering import Forecast
from grader.errors import StoreFailed, UsageError
from grader.keys import Keyring
from grader.model.sheet import ScoreSheet
from grader.model.submission import Submission
from grader.render.files import sheet_files
from grader.scoring.regrade import Change, Score, causes, change, refold
from grader.scoring.signing import sign
from grader.store.artefacts import unpack
from grader.store.folder import SheetFolder
from grader.store.summary import write_summary
from grader.wiring import Store, open_harness, open_store

if TYPE_CHECKING:
    from grader.config import Settings
    from grader.engine.grade import Harness
    from grader.store.regrades import Item, Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be graded anew."""

    exercise_id: str
    batch: str | None = None
    version: str | None = None
    again: bool = False
    jobs: int | None = None
    pass_mark: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One submission of the report.

    `change` is None while the new run is not complete. `dropped` are checks that people have corrected in the run that
    counts, where another one would take its place: they would have to be corrected again. `unrated` are those whose
    ratings of its notebook the other one does not hold: they would have to be recorded again.
    """

    candidate: str
    before: Score
    after: Score | None
    change: Change | None
    causes: tuple[str, ...]
    dropped: tuple[str, ...] = ()
    unrated: tuple[str, ...] = ()

    @property
    def is_unsteady(self) -> bool:
        """Whether the same files, exercise, images and hidden data gave other points."""
        return self.change is not None and self.change.is_one and not self.causes


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a regrade would change, or what an accepted one changed."""

    regrade: str
    exercise: str
    version: str
    lines: Sequence[Line]
    pass_mark: float | None


def regrade(settings: Settings, order: Order) -> Report:
    """Make new runs where something differs, and compare.

    Raises:
        UsageError: There is nothing to regrade.
    """
    with ExitStack() as stack:
        bar = stack.enter_context(progress_bar())
        store = stack.enter_context(open_store(settings))
        work = _Regrading(settings, order, store)
        work.fold_again()
        left = work.to_be_run()
        if left:
            say = partial(bar.console.print, style="dim", markup=False, soft_wrap=True)
            work.run(left, stack.enter_context(open_harness(settings, say)), bar)
        return work.report()


class _Regrading:
    def __init__(self, settings: Settings, order: Order, store: Store) -> None:
        from grader.store.regrades import RegradeStore, declared_in

        self._order = order
        self._store = store
        self._regrades = RegradeStore(store.runs)
        self._source = resolve(order.exercise_id, settings.exercises)
        self._exercise = load_exercise(self._source)
        self._now = components(self._source, self._exercise)
        self._keyring = Keyring(settings.config_dir)
        self._shown = [
            self._settled(each) for each in self._regrades.shown(self._exercise.id, order.batch, order.version)
        ]
        if not self._shown:
            raise UsageError(
                f"Nothing was graded of {order.exercise_id}" + (f" {order.version}" if order.version else "") + ".",
                hint="Only what this installation has graded and remembers can be graded anew.",
            )
        store.runs.register(self._exercise, self._now)
        scope = json.dumps({"batch": order.batch, "version": order.version, "again": order.again})
        self._id = self._regrades.open(self._exercise, scope)
        if order.again and self._is_complete():
            self._id = self._regrades.open(self._exercise, scope, anew=True)
        self._declared = declared_in(self._exercise)
        self._images: Mapping[str, str] | None = None

    def _settled(self, shown: Shown) -> Shown:
        """Make sure whose variant it was: older versions kept that of the first hand-in, whichever run counts."""
        manifest = self._exercise.manifest.model_copy(update={"version": shown.version})
        then, key = self._exercise.model_copy(update={"manifest": manifest}), self._keyring.server_key()
        for whose in (shown.variant_of, None, shown.candidate):
            if variant_for(then, key, whose).commitment == shown.commitment:
                return replace(shown, variant_of=whose)
        return shown

    def _is_complete(self) -> bool:
        items = {item.submission: item for item in self._regrades.items(self._id)}
        return all(self._ended(items.get(shown.submission), shown) for shown in self._shown)

    def _ended(self, item: Item | None, shown: Shown) -> bool:
        if item is None or item.before != shown.run or item.after is None:
            return False
        return self._regrades.score(item.after).status in ("graded", "rejected")

    def _is_refolded(self, shown: Shown) -> bool:
        other = shown.exercise != self._exercise.digest
        measured = shown.status in ("graded", "rejected") and shown.is_measured
        return other and measured and not self._order.again and only_texts_differ(shown.components, self._now)

    def fold_again(self) -> None:
        """Fold stored results where only points or texts differ; no box is started."""
        done = {item.submission: item for item in self._regrades.items(self._id)}
        calibration = read_calibration(self._source)
        for shown in filter(self._is_refolded, self._shown):
            known = done.get(shown.submission)
            if known and known.before == shown.run and known.after:
                continue
            fractions = self._regrades.fractions(shown.run)
            before = self._regrades.sheet(shown.submission, shown.run)
            run = self._regrades.refolded(shown.run, self._id) or secrets.token_hex(16)
            folded = refold(before, fractions, self._exercise, run, calibration)
            sheet = sign(folded, self._keyring.signing_key())
            self._regrades.keep_refolded(shown, sheet, fractions, self._id)
            self._regrades.put(self._id, shown.submission, shown.run, sheet.run)

    def to_be_run(self) -> list[Shown]:
        """Submissions that need boxes, as far as that can be said without an engine."""
        left = [shown for shown in self._shown if not self._is_refolded(shown)]
        for shown in left:
            if shown.artefact is None:  # it could not be read then, and there is nothing to read now
                self._regrades.put(self._id, shown.submission, shown.run, shown.run)
        return [shown for shown in left if shown.artefact is not None]

    def run(self, left: Sequence[Shown], harness: Harness, bar: Progress) -> None:
        """Grade in boxes what differs in anything that counts."""
        self._images = images_of(harness)
        differ = []
        for shown in left:
            if self._differs(shown, harness):
                differ.append(shown)
            else:
                self._regrades.put(self._id, shown.submission, shown.run, shown.run)
        by_place = {shown.submission: shown for shown in differ}
        entries = [self._entry(shown) for shown in differ]
        seconds = self._store.runs.seconds(self._exercise.id)
        manifest = self._exercise.manifest
        jobs = self._order.jobs or default_jobs(manifest, cores=machine_cores(), memory=machine_memory())

        def deliver(entry: Entry, sheet: ScoreSheet, logs: Mapping[str, bytes]) -> str:
            shown = by_place[entry.place]
            self._regrades.put(self._id, shown.submission, shown.run, sheet.run)
            return sheet.status.value

        progress = BatchProgress(bar, list(by_place), len(self._exercise.checks), Forecast({}, jobs))
        plan = Plan(batch=None, jobs=jobs, deliver=deliver, watch=progress.watch)
        batch = Batch(harness, self._exercise, self._source, self._store.runs, self._store.artefacts, plan)
        usual = sum(seconds.values()) / len(seconds) if seconds else 0.0
        for done in batch.run(entries):
            if done.row is None:
                bar.console.print(f"{done.entry.who}: {done.trouble}", markup=False, soft_wrap=True)
                self._regrades.put(self._id, done.entry.place, by_place[done.entry.place].run, None)
            progress.done(done, done.row or "faulted", usual)

    def _differs(self, shown: Shown, harness: Harness) -> bool:
        variant = variant_for(self._exercise, harness.keyring.server_key(), shown.variant_of)
        now = (self._exercise.digest, images_of(harness), variant.commitment)
        then = (shown.exercise, dict(shown.images), shown.commitment)
        return self._order.again or shown.status == "faulted" or now != then

    def _entry(self, shown: Shown) -> Entry:
        return Entry(
            path=Path(shown.label or "submission"),
            place=shown.submission,
            label=shown.label or "submission",
            who=shown.candidate,
            variant_of=shown.variant_of,
            read=self._reader(shown),
            series=self._id,
            parent=shown.run,
        )

    def _reader(self, shown: Shown) -> Callable[[], Submission]:
        def read() -> Submission:
            assert shown.artefact is not None
            try:
                return unpack(self._store.artefacts.get(shown.artefact), shown.label)
            except StoreFailed as error:  # one damaged file must not end the regrade of all others
                raise UsageError(error.message, hint=error.hint) from error

        return read

    def report(self) -> Report:
        """Compare each run that counts with the one that would."""
        items = {item.submission: item for item in self._regrades.items(self._id)}
        lines = [self._line(shown, items[shown.submission]) for shown in self._shown if shown.submission in items]
        return Report(
            regrade=self._id,
            exercise=self._exercise.id,
            version=self._exercise.manifest.version,
            lines=sorted(lines, key=_largest_first),
            pass_mark=self._order.pass_mark,
        )

    def _line(self, shown: Shown, item: Item) -> Line:
        before = self._regrades.score(item.before)
        after = self._regrades.score(item.after) if item.after else None
        complete = after is not None and after.status in ("graded", "rejected")
        return Line(
            candidate=shown.candidate,
            before=before,
            after=after if complete else None,
            change=change(before, after, self._order.pass_mark) if after and complete else None,
            causes=tuple(self._causes(shown, item)),
            dropped=() if item.after == shown.run else tuple(sorted(shown.corrected)),
            unrated=self._regrades.lost_reviews(shown.submission, shown.run, item.after),
        )

    def _causes(self, shown: Shown, item: Item) -> list[str]:
        other = shown.exercise != self._exercise.digest
        refolded = self._is_refolded(shown)
        key = self._keyring.server_key()
        world = not refolded and variant_for(self._exercise, key, shown.variant_of).commitment != shown.commitment
        images = not refolded and self._images is not None and dict(shown.images) != dict(self._images)
        parts = differing(shown.components, self._now)
        points = other and (refolded or self._regrades.declared(shown.exercise) != self._declared)
        overrides = bool(shown.corrected) and item.after != shown.run
        return causes(parts, points=points, images=images, world=world, overrides=overrides)


def _largest_first(line: Line) -> tuple[int, float, str]:
    if line.change is None:
        return (0, 0.0, line.candidate)
    by = line.change.by
    return (1, -abs(by) if by is not None else -1000.0, line.candidate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Whose score is another run's now.

    Attributes:
        changed: Candidates.
        dropped: Candidate and checks: what people had corrected in the run that counts no more.
        unrated: Candidate and reviewers: who had rated the notebook of that run, and not of the one that counts now.
    """

    changed: Sequence[str]
    dropped: Sequence[tuple[str, Sequence[str]]]
    unrated: Sequence[tuple[str, Sequence[str]]]


def accept(settings: Settings, exercise_id: str, start: str, reason: str) -> Accepted:
    """Let the new runs of a regrade count, and write their sheets where the old ones are.

    Raises:
        UsageError: There is no such regrade, it is not complete, or a score was changed meanwhile.
    """
    from grader.store.regrades import RegradeStore

    if not reason.strip():
        raise UsageError("Say why, with --reason.", hint="It goes into the audit log, which keeps it for ever.")
    with open_store(settings) as store:
        regrades = RegradeStore(store.runs)
        changed = regrades.accept(regrades.find(start, exercise_id), reason.strip(), operator())
        key = Keyring(settings.config_dir).signing_key()
        folders: set[Path] = set()
        for item in changed:
            assert item.after is not None
            sheet = regrades.sheet(item.submission, item.after)
            for folder, place in regrades.places(item.submission):
                if (Path(folder) / place).is_dir():
                    SheetFolder(Path(folder)).put(Path(folder) / place, sheet, partial(_files, sheet, key))
                    folders.add(Path(folder))
        for path in folders:
            write_summary(path)
        dropped = [(item.candidate, sorted(regrades.corrected(item.before))) for item in changed]
        unrated = [
            (item.candidate, regrades.lost_reviews(item.submission, item.before, item.after)) for item in changed
        ]
        return Accepted(
            changed=[item.candidate for item in changed],
            dropped=[each for each in dropped if each[1]],
            unrated=[each for each in unrated if each[1]],
        )


def _files(sheet: ScoreSheet, key: bytes) -> dict[str, str | bytes]:
    return {**sheet_files(sheet, key)}

"""Runs attacks, each between two honest submissions, and judges the six invariants of SECURITY section 2."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import jsonschema

from grader.catalog.exercises import load_exercise
from grader.clock import monotonic
from grader.engine.grade import Graded, Harness
from grader.model.result import Outcome
from grader.model.run import RunStatus
from grader.model.sheet import CheckLine, ScoreSheet
from grader.render.files import sheet_files
from grader.render.schema import score_sheet_schema
from grader.sandbox.docker_engine import Engine
from tests.attacks.canaries import Canaries, hostile_environment, planted_exercises
from tests.attacks.cases import Case, Expected, reference
from tests.attacks.leftovers import MIB, Snapshot, boxes_of, peak, reset_peak
from tests.conftest import Bench
from tests.signatures import is_genuine

MEMORY_CAP = 200 * MIB  # what one submission may cost the grading process

Files = Mapping[str, str | bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of an attack: one field per invariant, empty where it held.

    Attributes:
        case: The attack.
        seconds: How long it took.
        unexpected: I1, it did not end as expected.
        forged: I1, and it has points that it should not have.
        leaked: I2, canaries were seen.
        neighbours: I3, an honest submission after it lost points, or something was said of it.
        leftovers: I4, something is still there.
        budget: I5, it took too long or too much memory.
        sheet: I6, its score sheet is not as sheets are.
    """

    case: Case
    seconds: float
    unexpected: list[str]
    forged: list[str]
    leaked: list[str]
    neighbours: list[str]
    leftovers: list[str]
    budget: list[str]
    sheet: list[str]

    @property
    def problems(self) -> list[str]:
        """All that is wrong, in words."""
        named = ("unexpected", "forged", "leaked", "neighbours", "leftovers", "budget", "sheet")
        return [f"{name}: {each}" for name in named for each in getattr(self, name)]


@dataclass
class Battery:
    """Exercises with canaries, a harness to grade on, and room to work in.

    Attributes:
        harness: On real boxes.
        engine: Where those are.
        folder: For exercises and submissions.
        temporary: The folder of this process's temporary files.
    """

    harness: Harness
    engine: Engine
    folder: Path
    temporary: Path
    canaries: Canaries = field(default_factory=Canaries)
    _benches: dict[str, Bench] = field(default_factory=dict)
    _before: Snapshot | None = None

    def run(self, cases: Iterable[Case]) -> Iterator[Verdict]:
        """Run attacks, those on one exercise together. The honest submission after one is the one before the next."""
        exercise = ""
        for case in cases:
            if case.expected.exercise != exercise:
                exercise = case.expected.exercise
                first = self._honest_loss(exercise)
                assert not first, first
                self._before = Snapshot.take(self.temporary)
            yield self.judge(case)

    def judge(self, case: Case) -> Verdict:
        """Run one attack and an honest submission after it."""
        path = self._written(case.expected.exercise, case.name, case.files())
        reset_peak()
        memory, start = peak(), monotonic()
        graded = self._bench(case.expected.exercise).grade(path)
        seconds, grown = monotonic() - start, peak() - memory
        sheet, files = graded.sheet, self._files(graded)
        del graded
        boxes = boxes_of(self.engine, sheet.run)
        neighbours = self._honest_loss(case.expected.exercise)
        assert self._before is not None
        return Verdict(
            case=case,
            seconds=seconds,
            unexpected=unexpected(case.expected, sheet),
            forged=forged(case.expected, sheet),
            leaked=self.canaries.seen_in(files),
            neighbours=neighbours,
            leftovers=boxes + Snapshot.take(self.temporary).more_than(self._before),
            budget=[f"{seconds:.0f} s"] * (seconds > case.expected.seconds)
            + [f"{grown // MIB} MiB"] * (grown > MEMORY_CAP),
            sheet=faults_of_sheet(files),
        )

    def _files(self, graded: Graded) -> Files:
        """What a submission's folder holds when the logs are kept."""
        return {**sheet_files(graded.sheet, self.harness.keyring.signing_key()), **graded.logs}

    def points(self, cases: Sequence[Case], total: int, seed: int) -> dict[str, Decimal | None]:
        """Grade attacks mixed with honest submissions, `total` in all, in an order that the seed gives.

        Returns:
            What each of them earned, by name; None where it was refused.
        """
        exercises = sorted({case.expected.exercise for case in cases})
        honest = [f"honest_{number}" for number in range(total - len(cases))]
        batch: list[tuple[str, str, dict[str, bytes]]] = [
            (case.name, case.expected.exercise, case.files()) for case in cases
        ]
        for number, name in enumerate(honest):
            exercise = exercises[number % len(exercises)]
            batch.append((name, exercise, reference(exercise)))
        random.Random(seed).shuffle(batch)
        return {
            name: self._bench(exercise).grade(self._written(exercise, name, files)).sheet.earned
            for name, exercise, files in batch
        }

    def _honest_loss(self, exercise: str) -> list[str]:
        """Grade the reference; say what it did not earn."""
        files = reference(exercise) | {"name.txt": self.canaries.neighbour.encode()}
        sheet = self._bench(exercise).grade(self._written(exercise, self.canaries.neighbour, files)).sheet
        lost = [
            f"honest {exercise} lost {check.id}: {check.reason}: {check.because}"
            for check in sheet.checks
            if check.outcome is not Outcome.PASSED
        ]
        said = [fault.message for fault in sheet.faults] + [f"noticed: {each.sign}" for each in sheet.noticed]
        return lost + [f"honest {exercise}: {each}" for each in said]

    def _bench(self, exercise: str) -> Bench:
        if exercise not in self._benches:
            place = planted_exercises([exercise], self.folder / "exercises", self.canaries)[exercise]
            self._benches[exercise] = Bench(self.harness, load_exercise(place), place)
        return self._benches[exercise]

    def _written(self, exercise: str, name: str, files: Mapping[str, bytes]) -> Path:
        folder = self.folder / "submissions" / exercise / name
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder


@contextmanager
def opened_battery(harness: Harness, engine: Engine) -> Iterator[Battery]:
    """Make room for a battery, and set traps in the environment of this process."""
    with tempfile.TemporaryDirectory(prefix="attacks-") as room:
        folder, temporary = Path(room), Path(room) / "temporary"
        temporary.mkdir()
        before, tempfile.tempdir = tempfile.tempdir, str(temporary)
        battery = Battery(harness, engine, folder, temporary)
        try:
            with hostile_environment(battery.canaries):
                yield battery
        finally:
            tempfile.tempdir = before


def unexpected(expected: Expected, sheet: ScoreSheet) -> list[str]:
    """Say in what a sheet differs from what an attack's must be."""
    if sheet.status is RunStatus.FAULTED:
        return [fault.message for fault in sheet.faults]
    rejection = sheet.rejection.reason if sheet.rejection else None
    if rejection != expected.rejection:
        return [f"rejected: {rejection}, not {expected.rejection}"]
    seen = {each.sign for each in sheet.noticed}
    unsaid = [f"nobody is told of {sign}" for sign in expected.noticed if sign not in seen]
    return unsaid + [each for check in sheet.checks for each in _differences(expected, check)]


def _differences(expected: Expected, check: CheckLine) -> Iterator[str]:
    if check.id not in expected.lost:
        if check.outcome is not Outcome.PASSED:
            yield f"{check.id} lost points: {check.reason}: {check.because}"
    elif check.reason not in expected.reasons(check.id):
        yield f"{check.id}: {check.reason}, not {expected.lost[check.id]}: {check.because}"
    words = expected.says.get(check.id, "")
    said = " ".join([check.because, *(each.value for each in check.evidence)])
    if words not in said:
        yield f"{check.id} does not say {words!r}, but {said[:300]!r}"


def forged(expected: Expected, sheet: ScoreSheet) -> list[str]:
    """Say where a sheet has points that the attack must not have."""
    if expected.rejection:
        return [f"{sheet.earned} points"] * bool(sheet.earned)
    over = [
        f"{check.id} has {check.earned} of {check.possible}"
        for check in sheet.checks
        if check.id in expected.lost and check.earned is not None and check.earned >= check.possible
    ]
    if expected.earned is not None and sheet.earned is not None and sheet.earned > Decimal(str(expected.earned)):
        over.append(f"{sheet.earned} points, not {expected.earned}")
    return over


def faults_of_sheet(files: Files) -> list[str]:
    """Say why a submission's files are not as they must be: UTF-8, of the schema, signed."""
    text = files["sheet.json"]
    try:
        for content in files.values():
            if isinstance(content, str):
                content.encode("utf-8")
        jsonschema.validate(json.loads(text), score_sheet_schema())
        sheet = ScoreSheet.model_validate_json(text)
    except (ValueError, jsonschema.ValidationError) as error:
        return [str(error)[:200]]
    return [] if is_genuine(sheet) else ["its signature does not verify"]

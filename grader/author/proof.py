"""Grading rungs for real, and remembering what they earned, so that a proof goes on where it was stopped."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.author.cheats import generated_rungs
from grader.author.expectations import Earned, earned_by, violations
from grader.author.public_checks import right_solutions, verify_public_checks
from grader.catalog.exercises import grading_digest, load_exercise
from grader.catalog.ladder import SOLUTIONS, Rung, load_ladder, materialise
from grader.catalog.seeds import variant_for
from grader.engine.boxes import Boxes
from grader.engine.grade import NOT_READ, GradingRun, Harness, Watcher
from grader.engine.jobs import Place, machine_in_words
from grader.engine.variants import GENERATOR, VariantStore
from grader.errors import ExerciseDefect, SubmissionRejected, UsageError
from grader.intake.receive import receive
from grader.model.exercise import Exercise

Key = tuple[str, str, int]
"""Rung, candidate, repeat."""
NO_RUN = "0" * 32  # data are made before any run
PASSED = "public-checks-passed"
Report = Callable[[str], None]


@dataclass(slots=True, kw_only=True)
class Proof:
    """Grades rungs and remembers what they earned.

    Attributes:
        exercise: The exercise.
        source: Its folder.
        rungs: Those that are asked for, each after its parent.
        file: Where finished runs are appended.
        known: Finished runs.
        digest: What a submission earns is the same as long as this is.
    """

    exercise: Exercise
    source: Path
    rungs: Sequence[Rung]
    file: Path
    known: dict[Key, Earned] = field(default_factory=dict)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        """Look at the exercise once; it is expected to stay as it is."""
        self.digest = grading_digest(self.exercise, self.source)

    @classmethod
    def of(cls, source: Path, records: Path, rungs: str = "") -> Proof:
        """Prepare the proof of an exercise.

        Args:
            source: The exercise's folder.
            records: Folder that finished runs are kept in.
            rungs: Names of rungs, separated by commas; all when empty.

        Raises:
            ExerciseDefect: The exercise or its ladder is wrong.
            UsageError: There is no such rung.
        """
        exercise = load_exercise(source)
        own, made = load_ladder(source), generated_rungs(exercise, source)
        for taken in {rung.name for rung in own} & {rung.name for rung in made}:
            raise ExerciseDefect(
                f"{taken} is the name of a rung that every ladder gets, which would be graded in its place",
                file=f"{SOLUTIONS}/{taken}",
                hint="Give the folder another name.",
            )
        ladder = (*own, *made)
        file = records / f"{exercise.id}.jsonl"
        return cls(exercise=exercise, source=source, rungs=chosen(ladder, rungs), file=file)

    def recall(self, file: Path | None = None) -> None:
        """Read the runs of this exercise as it is that were finished before; a line that was cut short is no run.

        Args:
            file: Where they were kept, if not where this machine keeps its own.
        """
        file = file or self.file
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        for line in lines:
            try:
                earned = Earned.model_validate_json(line)
            except ValueError:
                continue
            if earned.exercise == self.digest:
                self.keep(earned)

    def prove(
        self, harness: Harness, rung: Rung, candidate: str, repeat: int, report: Report, place: Place | None = None
    ) -> Earned:
        """Grade a rung on a candidate's variant, unless the same was done before; return what it earned."""
        with tempfile.TemporaryDirectory(prefix="grader-prove-") as workshop:
            folder = Path(workshop) / rung.name
            materialise(rung, folder)
            before = self.known.get((rung.name, candidate, repeat))
            if before and before.submission == _digest(folder):
                return before
            report(f"{self.exercise.id}, {candidate}: {rung.name}")
            run = GradingRun(in_ladder_worlds(harness), self.exercise, self.source, candidate, Watcher())
            earned = earned_by(run.grade(folder, place=place).sheet, rung.name, candidate, repeat)
            earned = earned.model_copy(update={"exercise": self.digest, "machine": machine_in_words()})
        self.keep(earned)
        if earned.status != "faulted":  # a faulted run is repeated next time
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("a", encoding="utf-8") as file:
                file.write(earned.model_dump_json() + "\n")  # one write, whole even where rungs run side by side
        return earned

    def verify_generator(self, harness: Harness, candidates: Sequence[str], report: Report) -> None:
        """Make the first candidate's data, twice where that was not done before, and those of a second.

        Raises:
            ExerciseDefect: The generator fails, its two runs differ, or both candidates get the same.
        """
        key = in_ladder_worlds(harness).keyring.server_key()
        first, *others = (variant_for(self.exercise, key, candidate).number for candidate in candidates[:2])
        store = VariantStore(harness.cache / "variants", Boxes(harness.sandbox, harness.images, NO_RUN))
        data = store.verify(self.exercise, self.source, first, "hidden", report)
        for other in others:
            if same_content(data, store.data(self.exercise, self.source, other, "hidden", report)):
                raise ExerciseDefect(
                    "the hidden data of two candidates are the same, so that whoever has seen them knows all",
                    file=GENERATOR,
                    hint="Draw the hidden data from the seed that generate() is given.",
                )

    def verify_public_checks(self, harness: Harness, report: Report) -> None:
        """Run the public checks on every solution here that is right, where that was not done before.

        Raises:
            ExerciseDefect: They call one of them wrong, or cannot be run.
        """
        right = right_solutions(self.source, self.rungs)
        if not right:
            return
        boxes = Boxes(harness.sandbox, harness.images, NO_RUN)
        store = VariantStore(harness.cache / "variants", boxes)
        data = store.data(self.exercise, self.source, self.exercise.manifest.public_seed, "public", report)
        known = harness.cache / PASSED
        for rung in right:
            verify_public_checks(self.exercise, self.source, rung, data, boxes, known, report)

    def keep(self, earned: Earned) -> None:
        """Remember a finished run."""
        self.known[earned.rung, earned.candidate, earned.repeat] = earned

    def found(self, rung: Rung, candidate: str, repeat: int = 1) -> list[str]:
        """What a rung did otherwise than expected."""
        earned = self.known[rung.name, candidate, repeat]
        parent = self.known.get((rung.expected.parent, candidate, repeat))
        return list(violations(rung.expected, earned, parent))


def same_content(one: Path, other: Path) -> bool:
    """Whether two folders hold the same files with the same bytes."""

    def digests(folder: Path) -> dict[str, bytes]:
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).digest() for path in files}

    return digests(one) == digests(other)


def in_ladder_worlds(harness: Harness) -> Harness:
    """Return the harness that ladders are graded with: on worlds that are the same in every installation."""
    return replace(harness, keyring=harness.keyring.for_ladders())


def _digest(folder: Path) -> str:
    """The digest that a sheet names a submission by; some rungs are there because they cannot even be read."""
    try:
        return receive(folder).digest
    except SubmissionRejected:
        return NOT_READ


def chosen(ladder: Sequence[Rung], names: str) -> list[Rung]:
    """Return the rungs that were asked for, each after its parent.

    Raises:
        UsageError: One of them does not exist.
    """
    by_name = {rung.name: rung for rung in ladder}
    wanted = [name for name in names.split(",") if name] or list(by_name)
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise UsageError(f"There is no rung {unknown[0]!r}.", hint=f"There are: {', '.join(by_name)}.")
    parents = [by_name[name].expected.parent for name in wanted]
    return [by_name[name] for name in dict.fromkeys([*filter(None, parents), *wanted])]

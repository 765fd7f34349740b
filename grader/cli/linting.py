"""What `grader author lint` does: findings as lines that editors can jump to, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from grader.author.lint import release
from grader.author.lint.findings import Finding, Level
from grader.author.lint.lint import as_finding, lint
from grader.author.lint.sample import Sample
from grader.author.proof import NO_RUN
from grader.catalog.exercises import load_exercise
from grader.cli.console import err, out, print_json
from grader.cli.kit import grading_image
from grader.cli.proving import folders_of
from grader.engine.boxes import Boxes
from grader.engine.variants import VariantStore
from grader.errors import ExerciseDefect, InfrastructureFault
from grader.intake.limits import counted
from grader.wiring import open_harness

if TYPE_CHECKING:
    from typing import Self

    from grader.config import Settings
    from grader.engine.grade import Harness
    from grader.model.exercise import Exercise

NOT_LOOKED_AT = "kit"
_STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow"}


def lint_all(names: Sequence[str], settings: Settings, *, fix: bool, as_json: bool, kits: bool = True) -> int:
    """Lint exercises and return the exit status.

    Args:
        names: Ids or paths; all exercises when empty.
        settings: Where exercises and finished runs are.
        fix: Record versions with which nothing is wrong.
        as_json: Print for machines.
        kits: Look at what candidates receive, too; needs the engine.

    Raises:
        UsageError: There is no such exercise.
    """
    folders = folders_of(names, settings)
    with _Samples(settings, wanted=kits) as samples:
        found = {folder: _lint(folder, samples, settings) for folder in folders}
    done = [line for folder, each in found.items() if fix for line in _fix(folder, each)]
    if done:
        found = {folder: [each for each in findings if each.rule != "versions"] for folder, findings in found.items()}
    if as_json:
        print_json([{"exercise": folder.name, **asdict(each)} for folder, each in _pairs(found)])
    else:
        for line in done:
            out().print(line, style="green", markup=False)
        for folder, each in _pairs(found):
            _show(folder, each)
        out().print(_summary(found), markup=False)
    errors = sum(each.level is Level.ERROR for _, each in _pairs(found))
    return ExerciseDefect.exit_code if errors else 0


def _lint(folder: Path, samples: _Samples, settings: Settings) -> list[Finding]:
    sample, findings = samples.of(folder)
    return lint(folder, sample=sample, records=settings.cache_dir / "prove") + findings


class _Samples:
    """Makes samples as candidates receive them; connects with the engine when the first is asked for."""

    def __init__(self, settings: Settings, *, wanted: bool) -> None:
        self._settings = settings
        self._wanted = wanted
        self._stack = ExitStack()
        self._harness: Harness | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def of(self, folder: Path) -> tuple[Sample | None, list[Finding]]:
        """Return the sample of an exercise; or why there is none, as findings."""
        try:
            exercise = load_exercise(folder)
        except ExerciseDefect:
            return None, []  # lint itself says why
        try:
            return (self._made(exercise, folder), []) if self._wanted else (None, [])
        except ExerciseDefect as defect:
            return None, [as_finding("generator", defect)]
        except InfrastructureFault as fault:
            message, hint = f"the kit was not looked at: {fault.message}", fault.hint or "See grader doctor."
            return None, [
                Finding(
                    rule=NOT_LOOKED_AT, file="exercise.toml", line=0, message=message, hint=hint, level=Level.WARNING
                )
            ]

    def _made(self, exercise: Exercise, folder: Path) -> Sample:
        def report(text: str) -> None:
            err().print(text, style="dim", markup=False)

        if self._harness is None:
            self._harness = self._stack.enter_context(open_harness(self._settings, report))
        harness = self._harness
        store = VariantStore(harness.cache / "variants", Boxes(harness.sandbox, harness.images, NO_RUN))
        data = store.verify(exercise, folder, exercise.manifest.public_seed, "public", report)
        guess = store.guessed_labels(exercise, data) if exercise.manifest.labels else None
        return Sample(data=data, image=grading_image(self._settings, harness), guess=guess)


def _pairs(found: dict[Path, list[Finding]]) -> list[tuple[Path, Finding]]:
    return [(folder, each) for folder, findings in found.items() for each in findings]


def _fix(folder: Path, findings: Sequence[Finding]) -> list[str]:
    """Only what is derivable is fixed; a version is recorded when everything was looked at and nothing is wrong."""
    if any(each.level is Level.ERROR or each.rule == NOT_LOOKED_AT for each in findings):
        return []
    told = release.record(load_exercise(folder), folder)
    return [f"{folder.name}: {told}"] if told else []


def _show(folder: Path, finding: Finding) -> None:
    place = str(folder / finding.file) + (f":{finding.line}" if finding.line else "")
    out().print(
        Text.assemble(
            f"{place}: ", (finding.level.value, _STYLES[finding.level]), f" [{finding.rule}] {finding.message}. "
        ),
        Text(finding.hint, "dim"),
        soft_wrap=True,
    )


def _summary(found: dict[Path, list[Finding]]) -> str:
    lines = []
    for folder, findings in found.items():
        errors = sum(each.level is Level.ERROR for each in findings)
        lines.append(f"{folder.name}: {counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}")
    return "\n".join(lines)

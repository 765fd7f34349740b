"""What `grader author lint` does: findings as lines that editors can jump to, or as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from grader.author.lint import release
from grader.author.lint.findings import Finding, Level
from grader.author.lint.lint import lint
from grader.catalog.exercises import load_exercise
from grader.cli.console import out, print_json
from grader.cli.proving import folders_of
from grader.errors import ExerciseDefect

if TYPE_CHECKING:
    from grader.config import Settings

_STYLES = {Level.ERROR: "bold red", Level.WARNING: "yellow"}


def lint_all(names: Sequence[str], settings: Settings, *, fix: bool, as_json: bool) -> int:
    """Lint exercises and return the exit status.

    Raises:
        UsageError: There is no such exercise.
    """
    folders = folders_of(names, settings)
    done = [line for folder in folders if fix for line in _fix(folder)]
    found = {folder: lint(folder) for folder in folders}
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


def _pairs(found: dict[Path, list[Finding]]) -> list[tuple[Path, Finding]]:
    return [(folder, each) for folder, findings in found.items() for each in findings]


def _fix(folder: Path) -> list[str]:
    """Only what is derivable is fixed; a version is recorded when nothing speaks against it."""
    if any(each.level is Level.ERROR for each in lint(folder)):
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
        lines.append(f"{folder.name}: {errors} errors, {len(findings) - errors} warnings")
    return "\n".join(lines)

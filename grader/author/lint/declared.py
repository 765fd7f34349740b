"""Rules about what checks declare: points, words for people, and the requirements that they test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from grader.author.lint.findings import Finding, Level
from grader.model.exercise import CheckDeclaration, Exercise

CODE_POINTS, NOTEBOOK_POINTS = Decimal(100), Decimal(9)
_REQUIREMENT = re.compile(r"\bR\d{1,3}\b")
_BOLD = re.compile(r"\*\*[^*]+\*\*")
_GROUP_ROW = re.compile(r"\|\s*([A-Z])(?=[\s|])[^|]*\|\s*(\d+(?:\.\d+)?)\s*\|")


def points_add_up(exercise: Exercise) -> Iterator[Finding]:
    """Code checks give 100 points together, and the notebook's nine."""
    notebook = exercise.manifest.notebook
    group = notebook.group if notebook else ""
    sums = {"code": (CODE_POINTS, [each for each in exercise.checks if each.group != group])}
    if notebook:
        sums["notebook"] = (NOTEBOOK_POINTS, [each for each in exercise.checks if each.group == group])
    for what, (wanted, checks) in sums.items():
        total = sum((check.points for check in checks), Decimal(0))
        if total != wanted:
            yield Finding(
                rule="points",
                file="checks",
                line=0,
                message=f"the {what} checks give {total.normalize():f} points together, not {wanted}",
                hint="Change the points in the check marks.",
            )


def groups_are_used(exercise: Exercise) -> Iterator[Finding]:
    """Every group of the manifest has a check."""
    used = {check.group for check in exercise.checks}
    for group, title in exercise.manifest.groups.items():
        if group not in used:
            yield Finding(
                rule="groups",
                file="exercise.toml",
                line=0,
                message=f"group {group} ({title}) has no check",
                hint="Write one, or remove the group.",
            )


def words_for_people(exercise: Exercise) -> Iterator[Finding]:
    """Every check has a question for the interview and feedback for the candidate."""
    for check in exercise.checks:
        for name, text in (("question", check.question), ("feedback", check.feedback)):
            if not text:
                yield _at(check, "words", f"{check.id} has no {name}", f"Add {name}=... to the check mark.")
        if check.question and not check.question.rstrip().endswith("?"):
            yield _at(check, "words", f"{check.id}: the question asks nothing", "End it with a question mark.")


def requirements_match(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """Every requirement of the brief is tested, and every check names a requirement that is there."""
    stated = stated_requirements(source)
    tested: set[str] = set()
    for check in exercise.checks:
        named = set(_REQUIREMENT.findall(check.requirement))
        tested |= named
        if not named:
            said = f": {check.requirement!r} is none" if check.requirement else ""
            yield _at(
                check,
                "requirements",
                f"{check.id} names no requirement of the brief{said}",
                'Add requirement="R1" to the check mark, with the ids that the brief gives.',
            )
        for unknown in sorted(named - set(stated)):
            yield _at(
                check, "requirements", f"{check.id} tests {unknown}, which the brief does not state", "Correct it."
            )
    for name in sorted(set(stated) - tested):
        file, line = stated[name]
        yield Finding(
            rule="requirements",
            file=file,
            line=line,
            message=f"requirement {name} has no check",
            hint="Write one, or take the id away where it is only advice.",
        )


def stated_requirements(source: Path) -> dict[str, tuple[str, int]]:
    """Return the requirement ids that candidates read, each with file and line where it is stated.

    Where the texts set any id in bold, that is where rules are stated, and other mentions only speak of them.
    """
    mentioned: dict[str, tuple[str, int]] = {}
    stated: dict[str, tuple[str, int]] = {}
    for file, number, line in _lines(source):
        for name in _REQUIREMENT.findall(line):
            mentioned.setdefault(name, (file, number))
        for name in _in_bold(line):
            stated.setdefault(name, (file, number))
    return stated or mentioned


def requirements_are_stated_once(source: Path) -> Iterator[Finding]:
    """No two rules have the same id, or one of them could go untested."""
    seen: dict[str, tuple[str, int]] = {}
    for file, number, line in _lines(source):
        for name in _in_bold(line):
            before, at = seen.get(name, (file, number))
            if (before, at) not in ((file, number), (file, number - 1)):  # rows of a table may share an id
                message = f"{name} is stated a second time; it is in {before} line {at}, too"
                hint = "Give one of the two another id, or write it without bold where it is only spoken of."
                yield Finding(rule="requirements", file=file, line=number, message=message, hint=hint)
            seen[name] = file, number


def _in_bold(line: str) -> list[str]:
    return [name for text in _BOLD.findall(line) for name in _REQUIREMENT.findall(text)]


def points_are_told_right(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """A row of a table such as `| A Links | 70 | ... |` tells the points that the checks of the group have."""
    for file, number, line in _lines(source):
        row = _GROUP_ROW.match(line.strip())
        if row is None or row[1] not in exercise.manifest.groups:
            continue
        points = sum((check.points for check in exercise.checks if check.group == row[1]), Decimal(0))
        if Decimal(row[2]) != points:
            message = f"group {row[1]} has {row[2]} points here, and its checks give {points.normalize():f}"
            yield Finding(rule="points", file=file, line=number, message=message, hint="Correct one of them.")


def _lines(source: Path) -> Iterator[tuple[str, int, str]]:
    """What candidates read: file, number of the line, and the line."""
    for path in [source / "brief.md", *sorted((source / "template").glob("*.md"))]:
        if path.is_file():
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
                yield path.relative_to(source).as_posix(), number, line


def budget_is_stated(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """The brief says how long it takes and what to leave out."""
    text = (source / "brief.md").read_text(encoding="utf-8").lower() if (source / "brief.md").is_file() else ""
    if "short of time" not in text:
        yield Finding(
            rule="cut-line",
            file="brief.md",
            line=0,
            message="there is no cut-line",
            hint=f'Say what to leave out within {exercise.manifest.hours:g} hours: "If you are short of time, ...".',
            level=Level.WARNING,
        )


def _at(check: CheckDeclaration, rule: str, message: str, hint: str) -> Finding:
    return Finding(rule=rule, file=check.file, line=check.line, message=message, hint=hint)

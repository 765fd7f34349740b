"""Rules about the files of an exercise: they are there, can be read, and do not stand in each other's way."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.author.lint.findings import READABLE, Finding
from grader.errors import SubmissionRejected
from grader.intake.manifest import read_manifest
from grader.intake.programs import entry_of_program
from grader.model.exercise import Exercise
from grader.model.submission import Submission, SubmissionFile, digest_files


def parts_are_there(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """The files that every exercise needs, and a stub that can be graded."""
    needed = {
        "brief.md": "Write what candidates read: every rule that is graded.",
        "CHANGELOG.md": "Write what each version changed.",
        "data/generate.py": "Write generate(seed, split, destination).",
        "template/submission.toml": "Write how the program is started.",
        f"template/{exercise.manifest.part.entry_path}": "Write a stub that already runs.",
        "template/checks": "Write public checks, so that candidates can check themselves.",
    }
    for name, hint in needed.items():
        if not (source / name).exists():
            yield Finding(rule="files", file=name, line=0, message="it is missing", hint=hint)
    changes = source / "CHANGELOG.md"
    if changes.is_file() and exercise.manifest.version not in changes.read_text(encoding="utf-8"):
        yield Finding(
            rule="files",
            file="CHANGELOG.md",
            line=0,
            message=f"version {exercise.manifest.version} is not in it",
            hint="Say what it changed.",
        )


def stub_can_be_started(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """What candidates get names a program that is there, so that it could be handed in as it is."""
    folder = source / "template"
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    if files:
        yield from not_startable(exercise, files, "template", "files")


def not_startable(exercise: Exercise, files: Mapping[str, bytes], place: str, rule: str) -> Iterator[Finding]:
    """Say why a submission of these files could not even be started.

    Args:
        exercise: The exercise.
        files: Path to content.
        place: Where they come from, below the exercise's folder.
        rule: What the finding belongs to.
    """
    handed_in = tuple(SubmissionFile(path=path, content=files[path]) for path in sorted(files))
    submission = Submission(label=place, files=handed_in, digest=digest_files(handed_in))
    try:
        manifest, _ = read_manifest(submission, exercise.manifest.part)
        entry = entry_of_program(submission, manifest)
    except SubmissionRejected as rejection:
        message, hint = f"it would be rejected: {rejection.message.rstrip('.')}", rejection.hint
        yield Finding(rule=rule, file=f"{place}/submission.toml", line=0, message=message, hint=hint)
        return
    if entry is not None and entry.path.endswith(".py"):
        ast.parse(files[entry.path], f"{place}/{entry.path}")  # `lint` tells a syntax error


def texts_are_utf_8(source: Path) -> Iterator[Finding]:
    """What people read, and what rules look through, is UTF-8."""
    texts = [
        source / "brief.md",
        source / "CHANGELOG.md",
        source / "NOTES.md",
        *sorted((source / "template").rglob("*.md")),
    ]
    for path in filter(Path.is_file, texts):
        for number, line in enumerate(path.read_bytes().splitlines(), start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                file = path.relative_to(source).as_posix()
                yield Finding(
                    rule=READABLE,
                    file=file,
                    line=number,
                    message="is not UTF-8 text",
                    hint="Save it again with the encoding UTF-8.",
                )
                break


def modules_do_not_clash(source: Path) -> Iterator[Finding]:
    """Modules of `checks/` and `data/` share one path inside the checker's box."""
    data = {path.stem for path in (source / "data").glob("*.py")}
    for path in sorted((source / "checks").glob("*.py")):
        if path.stem in data:
            yield Finding(
                rule="modules",
                file=f"checks/{path.name}",
                line=0,
                message=f"data/ has a module {path.stem}, too",
                hint="Rename one of them: both folders are on one path.",
            )
        if path.name == "__init__.py":
            yield Finding(
                rule="modules",
                file=f"checks/{path.name}",
                line=0,
                message="makes a package of the checks, which would shadow others",
                hint="Remove it.",
            )

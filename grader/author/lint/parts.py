"""Rules about the files of an exercise: they are there, can be read, and do not stand in each other's way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from grader.author.lint.findings import READABLE, Finding
from grader.model.exercise import Exercise


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

"""The kit: what a candidate receives. Built from the shared skeleton, the exercise's template and its public data.

Nothing else of an exercise is ever looked at here, so nothing hidden can slip in.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.errors import ExerciseDefect, InfrastructureFault, UsageError
from grader.model.exercise import Exercise

SKELETON = Path(__file__).resolve().parent.parent.parent / "candidate_template"
_IDENTITY = ("-c", "user.name=grader", "-c", "user.email=grader@localhost", "-c", "commit.gpgsign=false")
_RENAMED = {"gitignore": ".gitignore"}


def build_kit(
    exercise: Exercise,
    source: Path,
    public_data: Path,
    destination: Path,
    *,
    packages: Mapping[str, str],
    candidate: str | None = None,
) -> None:
    """Write a kit; the destination appears whole or not at all.

    Args:
        exercise: The exercise.
        source: Its folder.
        public_data: What its generator made for the public split.
        destination: Folder to write; must not exist, or be empty.
        packages: Name to version of what is there while grading.
        candidate: Whom the kit is for; named in its README.

    Raises:
        UsageError: The destination holds something, or cannot be written.
        ExerciseDefect: Template and public data have a file in common.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise UsageError(f"{destination} already holds something.", hint="Name a folder that does not exist yet.")
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".kit-", dir=destination.parent) as workshop:
            draft = Path(workshop) / "kit"
            _fill(draft, exercise, source, public_data, packages, candidate)
            _commit(draft)
            if destination.exists():
                destination.rmdir()
            draft.rename(destination)
    except OSError as error:
        raise UsageError(f"The kit cannot be written to {destination}: {error.strerror or error}") from error


def _fill(
    draft: Path,
    exercise: Exercise,
    source: Path,
    public_data: Path,
    packages: Mapping[str, str],
    candidate: str | None,
) -> None:
    _copy(source / "template", draft)
    _copy(public_data, draft)
    shutil.copyfile(source / "brief.md", draft / "brief.md")
    for path in sorted(SKELETON.iterdir()):
        if path.suffix != ".j2":
            _copy_file(path, draft / _RENAMED.get(path.name, path.name))
    (draft / "requirements.txt").write_text(_requirements(packages), encoding="utf-8")
    (draft / "README.md").write_text(_readme(exercise, candidate), encoding="utf-8")


def _requirements(packages: Mapping[str, str]) -> str:
    lines = ["# What is there while grading, at the same versions; and pytest for the public checks."]
    for name, version in sorted(packages.items()):
        if name == "xgboost-cpu":  # its wheels are for some systems only; elsewhere the full package is the same
            lines.append(f"xgboost-cpu=={version} ; platform_machine == 'x86_64' or platform_machine == 'AMD64'")
            lines.append(f"xgboost=={version} ; platform_machine != 'x86_64' and platform_machine != 'AMD64'")
        else:
            lines.append(f"{name}=={version}")
    return "\n".join([*lines, "pytest"]) + "\n"


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            _copy_file(path, target / path.relative_to(source))


def _copy_file(source: Path, target: Path) -> None:
    if target.exists():
        raise ExerciseDefect(
            f"{target.name} is in the kit twice: the template, the public data and the skeleton must not overlap.",
            file=f"template/{target.name}",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)  # contents only: modes and times of our files are nobody's business


def _readme(exercise: Exercise, candidate: str | None) -> str:
    environment = Environment(
        loader=FileSystemLoader(SKELETON),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown made of our own words and a name that an operator typed
        keep_trailing_newline=True,
    )
    weights = []
    for competency in exercise.competencies:
        points = sum((check.points for check in exercise.checks if check.competency == competency.id), Decimal(0))
        if points:
            weights.append((competency.title, f"{points.normalize():f}"))
    return environment.get_template("README.md.j2").render(exercise=exercise, candidate=candidate, weights=weights)


def _commit(folder: Path) -> None:
    """Make the kit a git repository with one root commit, where git is installed."""
    git = shutil.which("git")
    if git is None:
        return
    for arguments in (["init", "--quiet", "--initial-branch=main"], ["add", "--all"]):
        _git(git, folder, *arguments)
    _git(git, folder, *_IDENTITY, "commit", "--quiet", "--message", "The kit as it was handed out")


def _git(git: str, folder: Path, *arguments: str) -> None:
    done = subprocess.run([git, *arguments], cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise InfrastructureFault(f"git {arguments[0]} failed in the kit: {done.stderr.strip()[-300:]}")

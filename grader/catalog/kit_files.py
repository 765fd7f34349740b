"""The files of a kit that are written for it: README, pinned requirements, and kit.toml for its tools."""

from __future__ import annotations

import ast
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.errors import ExerciseDefect
from grader.intake.limits import IntakeLimits
from grader.intake.paths import LEFT_OUT
from grader.model.exercise import CallablePart, Exercise, NotebookKindPart, Part

ROOT = Path(__file__).resolve().parent.parent.parent
SKELETON = ROOT / "candidate_template"
SECCOMP = ROOT / "docker" / "seccomp.json"
PYTHON = "3.13"
# Not handed in: they are the kit's, and the README may name the candidate.
_KITS_OWN = (
    ".devcontainer", ".gitattributes", ".gitignore", "Makefile", "README.md", "brief.md", "checks", "kit.toml",
    "requirements.txt", "tools",
)  # fmt: skip
_DECISION = "decision.json"  # the notebook writes it, and grading has it written anew
_PACKAGE_OF = {"sklearn": "scikit-learn", "xgboost": "xgboost-cpu"}
_NEVER_GRADED = "code style, comments, the number of lines, which library you use, what you print."
_NOT_GRADED = re.compile(r"^\*\*Not graded:\*\*", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class GradingImage:
    """What submissions run in, as far as candidates are told.

    Attributes:
        name: The image's name.
        digest: The engine's id of it.
        named: Package to version of what it offers on purpose.
        pinned: Package to version of all that is in it.
        for_checks: Package to version of what checks may use besides; not in the image.
    """

    name: str
    digest: str
    named: Mapping[str, str]
    pinned: Mapping[str, str]
    for_checks: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whom a kit is for.

    Attributes:
        name: As the README names them; None for a kit for anybody.
        extra_time: How many times the exercise's hours they have.
        mark: What tells files of this kit from those of others, see `grader.catalog.marks`; None for no mark.
    """

    name: str | None = None
    extra_time: float = 1.0
    mark: str | None = None


ANYBODY = Person()


def generated(
    exercise: Exercise, source: Path, public_data: Path, image: GradingImage, person: Person
) -> dict[str, str]:
    """Return the text of each generated file, by its path in the kit.

    Raises:
        ExerciseDefect: The kit's Python imports what is neither in the image nor among the checks' packages.
    """
    checks_need = packages_for_checks([source / "template", public_data], image)
    return {
        "README.md": _readme(exercise, source, person),
        "kit.toml": _kit_toml(exercise, _left_out(exercise, source, public_data), image, checks_need, person.mark),
        "requirements.txt": _requirements(image, checks_need),
        "tools/constraints.txt": _constraints(image),
        "tools/seccomp.json": SECCOMP.read_text(encoding="utf-8"),
    }


def packages_for_checks(folders: Sequence[Path], image: GradingImage) -> tuple[str, ...]:
    """Return what the kit's own Python imports and the image does not have; pytest in any case.

    Raises:
        ExerciseDefect: Nobody has it.
    """
    needed = {"pytest"}
    paths = {path: path.relative_to(folder).as_posix() for folder in folders for path in sorted(folder.rglob("*.py"))}
    own = {path.stem for path in paths} | {path.parent.name for path in paths}
    for path, inside in paths.items():
        for module, line in _imports(path, inside):
            name = _PACKAGE_OF.get(module, module.replace("_", "-"))
            if module in sys.stdlib_module_names or module in own or name in image.pinned:
                continue
            if name not in image.for_checks:
                raise ExerciseDefect(
                    f"imports {module}, which is neither in the image nor among the packages for checks",
                    file=f"template/{inside}",
                    line=line,
                )
            needed.add(name)
    return tuple(sorted(needed))


def _imports(path: Path, inside: str) -> list[tuple[str, int]]:
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, ValueError) as error:
        line = (error.lineno or 0) if isinstance(error, SyntaxError) else 0
        told = error.msg if isinstance(error, SyntaxError) else error
        raise ExerciseDefect(f"not valid Python: {told}", file=f"template/{inside}", line=line) from error
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name.partition(".")[0], node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module.partition(".")[0], node.lineno))
    return found


def _requirements(image: GradingImage, checks_need: Sequence[str]) -> str:
    lines = ["# What is there while grading, at the same versions.", "-c tools/constraints.txt"]
    lines += [line for name, version in sorted(image.named.items()) for line in _pins(name, version)]
    lines += ["", "# For the public checks only; not there while grading."]
    lines += [f"{name}=={image.for_checks[name]}" for name in checks_need]
    return "\n".join(lines) + "\n"


def _pins(name: str, version: str) -> list[str]:
    if name != "xgboost-cpu":
        return [f"{name}=={version}"]
    # Its wheels are for ordinary processors under Linux and Windows; elsewhere the full package is the same.
    has_wheels = "(platform_machine == 'x86_64' or platform_machine == 'AMD64') and sys_platform != 'darwin'"
    has_none = "(platform_machine != 'x86_64' and platform_machine != 'AMD64') or sys_platform == 'darwin'"
    return [f"xgboost-cpu=={version} ; {has_wheels}", f"xgboost=={version} ; {has_none}"]


def _constraints(image: GradingImage) -> str:
    """Versions of what those packages need themselves, where they need it on the system at hand."""
    lines = ["# The versions of everything in the image; requirements.txt names what to use."]
    lines += [f"{name}=={version}" for name, version in sorted(image.pinned.items()) if name not in image.named]
    lines += [f"{name}=={version}" for name, version in sorted(image.for_checks.items()) if name not in image.pinned]
    return "\n".join(lines) + "\n"


def _left_out(exercise: Exercise, source: Path, public_data: Path) -> list[str]:
    """Name what is not handed in: the kit's own pages and tools, checks, data, and what the notebook writes."""
    pages = {path.name for path in (source / "template").glob("*.md")}
    data = {path.name for path in public_data.iterdir() if not _holds_code(path)}
    written = {_DECISION} if exercise.manifest.notebook else set()
    return sorted({*_KITS_OWN, *pages, *data, *written})


def _holds_code(path: Path) -> bool:
    """Python that comes with the data may be imported by the program, so it has to go along."""
    return path.suffix == ".py" or any(path.rglob("*.py"))


def _kit_toml(
    exercise: Exercise, left_out: Sequence[str], image: GradingImage, checks_need: Sequence[str], mark: str | None
) -> str:
    manifest, box = exercise.manifest, exercise.manifest.limits.submission
    submission: dict[str, object] = {"kind": manifest.part.kind} | _started_by(manifest.part)
    if manifest.notebook:
        submission["notebook"] = manifest.notebook.path
    sections: dict[str, Mapping[str, object]] = {
        "kit": {"exercise": exercise.id, "version": manifest.version, "python": PYTHON}
        | ({"mark": mark} if mark else {}),
        "submission": submission,
        "pack": {"left_out": list(left_out), "made_by_tools": list(LEFT_OUT)},
        "limits": asdict(IntakeLimits()),
        "box": {
            "image": image.name,
            "digest": image.digest,
            "cpus": box.cpus,
            "memory": int(box.memory),
            "workspace": int(box.workspace),
            "files": box.files,
            "pids": box.pids,
            "checks_need": list(checks_need),
        },
    }
    parts = ["# What this kit is; tools/ reads it. Nothing in it needs to be changed.\n"]
    for name, values in sections.items():
        # A JSON text, number or list of texts is the same in TOML.
        lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
        parts.append("\n".join([f"[{name}]", *lines]) + "\n")
    return "\n".join(parts)


def _started_by(part: Part) -> dict[str, object]:
    if isinstance(part, NotebookKindPart):
        return {"path": part.path}
    return {"entry": part.entry} if isinstance(part, CallablePart) else {"argv": list(part.argv)}


def _readme(exercise: Exercise, source: Path, person: Person) -> str:
    environment = Environment(
        loader=FileSystemLoader(SKELETON),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown made of our own words and a name that an operator typed
        keep_trailing_newline=True,
    )
    brief_text = (source / "brief.md").read_text(encoding="utf-8")
    manifest, brief = exercise.manifest, sections_of(brief_text)
    also = sorted(path.name for path in (source / "template").glob("*.md"))
    box = manifest.limits.submission
    return environment.get_template("README.md.j2").render(
        exercise=exercise,
        candidate=person.name,
        mark=person.mark,
        scenario=brief.get("") or manifest.summary,
        hours=_hours(manifest.hours),
        own_hours=_hours(manifest.hours * person.extra_time) if person.extra_time > 1 else "",
        brief_has_time="Time" in brief,
        not_graded="" if _NOT_GRADED.search(brief_text) else _NEVER_GRADED,
        also_read=" and ".join(f"[{name}]({name})" for name in also),
        weights=weights(exercise),
        notebook=manifest.notebook.path if manifest.notebook else "",
        entry=manifest.part.entry_path,
        python=PYTHON,
        limits={
            "cpus": _many(box.cpus, "CPU core"),
            "memory": _size(box.memory),
            "workspace": _size(box.workspace),
            "pids": box.pids,
        },
    )


def sections_of(brief: str) -> dict[str, str]:
    """Split a brief at its second-level headings; what stands before the first, without the title, is ""."""
    found: dict[str, list[str]] = {"": []}
    section = ""
    for line in brief.splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ").strip()
            found[section] = []
        elif found[""] or not line.startswith("# "):
            found[section].append(line)
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def weights(exercise: Exercise) -> list[tuple[str, str, str]]:
    """Return what each competency gives in the code's points, the notebook's own checks apart.

    Returns:
        For each competency its title, its points, and how many of them each group holds, as "A Time 8, D Text 4".
    """
    apart = exercise.manifest.notebook.group if exercise.manifest.notebook else ""
    titles, found = exercise.manifest.groups, []
    for competency in exercise.competencies:
        held: dict[str, Decimal] = {}
        for check in exercise.checks:
            if check.competency == competency.id and check.group != apart:
                held[check.group] = held.get(check.group, Decimal(0)) + check.points
        if points := sum(held.values(), Decimal(0)):
            groups = ", ".join(f"{group} {titles[group]} {_plain(held[group])}" for group in sorted(held))
            found.append((competency.title, _plain(points), groups))
    return found


def _plain(points: Decimal) -> str:
    return f"{points.normalize():f}"


def _many(number: float, noun: str) -> str:
    return f"{number:g} {noun}" if number == 1 else f"{number:g} {noun}s"


def _hours(hours: float) -> str:
    """Write a time in full minutes, of which nobody loses a part."""
    full, minutes = divmod(math.ceil(round(hours * 60, 6)), 60)
    parts = [_many(number, noun) for number, noun in ((full, "hour"), (minutes, "minute")) if number]
    return " and ".join(parts)


def _size(size: int) -> str:
    return f"{size / 2**30:g} GiB" if size >= 2**30 else f"{size / 2**20:g} MiB"

"""Writing a complete, working exercise for an author to change: `grader author new`.

`scaffold/files` holds what all kinds share, at the paths of an exercise; `scaffold/kinds/<kind>` what differs. Files
that end in `.j2` are rendered. `method.py` is the heart of a solution, or of the stub; the kind's `program` is put
around it, so that one theme serves for a class, a command, a service and a notebook.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.author import schema
from grader.errors import UsageError

SCAFFOLD = Path(__file__).with_name("scaffold")
KINDS = ("callable", "service", "command", "notebook")
METHOD = "method.py"
_ID = re.compile(r"[a-z][a-z0-9_]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What was written.

    Attributes:
        folder: The exercise.
        files: How many files it has.
        notes: What the author should know besides.
    """

    folder: Path
    files: int
    notes: tuple[str, ...] = ()


def write_exercise(exercise_id: str, kind: str, parent: Path) -> Written:
    """Write an exercise; it appears whole or not at all.

    Args:
        exercise_id: Its id, which is its folder's name.
        kind: One of `KINDS`.
        parent: Folder of exercises; made when it is not there.

    Raises:
        UsageError: The id cannot be used, something of that name is there, or the folder cannot be written.
    """
    if not _ID.fullmatch(exercise_id):
        raise UsageError(
            f"{exercise_id!r} cannot be the id of an exercise.",
            hint="Use 2 to 41 small letters, digits and underscores, beginning with a letter, such as order_values.",
        )
    target = parent / exercise_id
    if target.exists() or target.is_symlink():
        raise UsageError(
            f"{target} is there already, and nothing is overwritten.",
            hint="Choose another id, another folder with --in, or move what is there out of the way.",
        )
    files = exercise_files(exercise_id, kind)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=parent) as workshop:
            draft = Path(workshop) / exercise_id
            for name, text in files.items():
                path = draft / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            draft.rename(target)
        notes = _publish_schema(parent)
    except OSError as error:
        raise UsageError(
            f"{parent} cannot be written: {error.strerror or error}.", hint="Name another folder with --in."
        ) from error
    return Written(folder=target, files=len(files), notes=notes)


def exercise_files(exercise_id: str, kind: str) -> dict[str, str]:
    """Return the text of each file of a new exercise, by its path."""
    environment = _environment()
    facts: dict[str, Any] = tomllib.loads((SCAFFOLD / "kinds.toml").read_text(encoding="utf-8"))[kind]
    facts |= {"id": exercise_id, "kind": kind, "public_seed": _public_seed(exercise_id)}
    facts["canary"] = f"canary-{hashlib.sha256(f'canary of {exercise_id}'.encode()).hexdigest()[:16]}"
    facts["interface"] = (SCAFFOLD / "kinds" / kind / "interface.md").read_text(encoding="utf-8").rstrip()
    found: dict[str, str] = {}
    for name, text in _sources(kind).items():
        folder, _, file = name.rpartition("/")
        if file == METHOD:
            found[f"{folder}/{facts['program']}"] = _program(environment, facts, text)
            manifest = environment.get_template("files/template/submission.toml.j2")
            found[f"{folder}/submission.toml"] = manifest.render(facts)
        elif name.endswith(".j2"):
            found[name.removesuffix(".j2")] = environment.from_string(text).render(facts)
        else:
            found[name] = text
    return found


def _sources(kind: str) -> dict[str, str]:
    """Return the files to write or render: path in the exercise to text; what lies in folders for a kind is its own."""
    own = SCAFFOLD / "kinds" / kind
    found = {}
    for root in (SCAFFOLD / "files", own):
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.parent != own and path.suffix != ".pyc":
                found[path.relative_to(root).as_posix()] = path.read_text(encoding="utf-8")
    return found


def _program(environment: Environment, facts: dict[str, Any], method: str) -> str:
    """Put the kind's program around a method, whose first paragraph are its imports."""
    imports, _, body = method.strip().partition("\n\n")
    name = f"kinds/{facts['kind']}/program{Path(facts['program']).suffix}.j2"
    text = environment.get_template(name).render(facts, imports=imports, body=body.strip())
    if name.endswith(".ipynb.j2"):
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False) + "\n"
    return text


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(SCAFFOLD),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Python, TOML and Markdown of our own
        keep_trailing_newline=True,
    )
    environment.filters["source"] = lambda text: json.dumps(text.strip().splitlines(keepends=True), ensure_ascii=False)
    return environment


def _public_seed(exercise_id: str) -> int:
    """A seed for the sample, another for every id: eight digits, none of which is a zero that could get lost."""
    digits = hashlib.sha256(exercise_id.encode()).digest()[:8]
    return int("".join(str(1 + each % 9) for each in digits))


def _publish_schema(parent: Path) -> tuple[str, ...]:
    """Write the schema beside the exercises, where their manifests name it."""
    path, text = parent / schema.FILE, schema.schema_text()
    if not path.exists():
        path.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8", errors="replace") != text:
        return (f"{path} is of another version; to renew it: python -m grader.author.schema > {path}",)
    return ()

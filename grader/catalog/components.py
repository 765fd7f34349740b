"""The parts of an exercise by digest, so that two versions can be compared: what differs, and does it matter.

Points, titles and other texts of a check are left out of its digest; where nothing else differs, stored results can
be folded again. Python counts as `meaning_of` reads it, so that comments, layout and docstrings make no difference.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from pathlib import Path

from grader.catalog.files import influential, read
from grader.model.exercise import Exercise

CHECKS, DATA, SETUP, REFERENCE, TEXTS = "checks", "data", "setup", "reference", "texts"
# Keys of the manifest that no run depends on.
_TEXTS_OF_MANIFEST = {"title", "summary", "hours", "groups", "version", "editor_schema"}
_MARKS = ("pytest.mark.check", "mark.check")
_MEANT = ("id", "timed")  # of what a check declares, that on which its answer depends


def components(folder: Path, exercise: Exercise) -> dict[str, str]:
    """Return the digest of each part of an exercise.

    Args:
        folder: Its folder.
        exercise: As loaded from there.

    Returns:
        `checks` (all code of the checks), `data` (the generator), `setup` (kind, limits and the like),
        `reference` (a solution that submissions are compared with), `texts` (everything else that counts for the
        exercise's own digest).

    Raises:
        ExerciseDefect: A file cannot be read.
    """
    named = exercise.manifest.reference
    pieces: dict[str, list[tuple[str, bytes]]] = {each: [] for each in (CHECKS, DATA, REFERENCE, TEXTS)}
    for path in influential(folder, named.solution if named else ""):
        top = path.partition("/")[0]
        kind = {"checks": CHECKS, "data": DATA, "solutions": REFERENCE}.get(top, TEXTS)
        content = read(folder, path)
        if kind in (CHECKS, DATA) and path.endswith(".py"):
            content = meaning_of(content)
        if path != "exercise.toml":
            pieces[kind].append((path, content))
    setup = exercise.manifest.model_dump_json(by_alias=True, exclude=_TEXTS_OF_MANIFEST)
    return {
        **{kind: _digest(found) for kind, found in pieces.items()},
        SETUP: _digest([("exercise.toml", setup.encode())]),
    }


def only_texts_differ(before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    """Whether stored results still say what the checks of the later version would say."""
    return not [part for part in differing(before, after) if part != TEXTS]


def differing(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The parts that are not the same."""
    return [part for part in (CHECKS, DATA, SETUP, REFERENCE, TEXTS) if before.get(part) != after.get(part)]


def meaning_of(source: bytes) -> bytes:
    """Return what Python does: its syntax without docstrings, and of what checks declare what answers depend on.

    What cannot be parsed stays as it is.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return source
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node) is not None:
                node.body = node.body[1:]
            for mark in getattr(node, "decorator_list", ()):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) in _MARKS:
                    mark.keywords = [each for each in mark.keywords if each.arg in _MEANT]
    return ast.dump(tree).encode()


def _digest(pieces: list[tuple[str, bytes]]) -> str:
    total = hashlib.sha256()
    for path, content in sorted(pieces):
        total.update(f"{path} {len(content)}\n".encode() + content)
    return total.hexdigest()

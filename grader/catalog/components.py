"""The parts of an exercise by digest, so that two versions can be compared: what differs, and does it matter.

Points, titles and other texts of a check are left out of its digest; where nothing else differs, stored results can
be folded again. The digest of a check is taken of its syntax, so that comments and layout do not count.
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
_TEXTS_OF_MANIFEST = ("title", "summary", "hours", "groups", "version", "$schema")


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
        if kind == CHECKS and path.endswith(".py"):
            content = code_without_declarations(content)
        if path != "exercise.toml":
            pieces[kind].append((path, content))
    setup = exercise.manifest.model_dump_json(by_alias=True, exclude={*_TEXTS_OF_MANIFEST, "editor_schema"})
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


def code_without_declarations(source: bytes) -> bytes:
    """Return the syntax of a module of checks, with ids of checks but without their points and texts."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "check":
            node.keywords = [each for each in node.keywords if each.arg == "id"]
    return ast.dump(tree).encode()


def _digest(pieces: list[tuple[str, bytes]]) -> str:
    total = hashlib.sha256()
    for path, content in sorted(pieces):
        total.update(f"{path} {len(content)}\n".encode() + content)
    return total.hexdigest()

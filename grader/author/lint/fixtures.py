"""Rules about what checks ask for and give, before any box runs: fixtures by name, and an award from each check.

Parametrized checks are none, since a check is a single test; what a check does further is found out by running it.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator
from pathlib import Path

from grader.author.lint.findings import Finding
from grader.author.lint.sources import dotted
from grader.model.exercise import Exercise

EVERYWHERE = ("award", "plot", "variant", "notebook")
OF_KIND = {"command": ("command",), "callable": ("submission",), "service": ("service",), "notebook": ()}
OF_REFERENCE = {"callable": ("reference",), "service": ("reference_service",)}
PYTESTS = (
    "request", "tmp_path", "tmp_path_factory", "monkeypatch", "capsys", "capfd", "caplog", "recwarn", "subtests",
)  # fmt: skip

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def fixtures_are_there(exercise: Exercise, source: Path) -> Iterator[Finding]:
    """Every argument of a check or a fixture is a fixture, and every check takes `award`, to be called with a share."""
    trees = {
        path.relative_to(source).as_posix(): ast.parse(path.read_bytes(), str(path))
        for path in sorted((source / "checks").rglob("*.py"))
    }
    known = _known(exercise)
    known |= {name for tree in trees.values() for function in _functions(tree) for name in _made_by(function)}
    for file, tree in trees.items():
        for function in _functions(tree):
            if _is_check(function) or _made_by(function):
                yield from _unknown(function, file, known)
            if _is_check(function) and "award" not in _arguments(function):
                message = f"{function.name} does not take award, so that it can earn nothing"
                hint = "Add award to its arguments, and call it once with a share from 0 to 1."
                yield Finding(rule="awards", file=file, line=function.lineno, message=message, hint=hint)
        yield from _impossible(tree, file)


def _known(exercise: Exercise) -> set[str]:
    kind = exercise.manifest.part.kind
    of_reference = OF_REFERENCE.get(kind, ()) if exercise.manifest.reference else ()
    return {*EVERYWHERE, *OF_KIND[kind], *of_reference, *PYTESTS}


def _functions(tree: ast.Module) -> list[_Function]:
    return [node for node in ast.walk(tree) if isinstance(node, _Function)]


def _is_check(function: _Function) -> bool:
    return any(
        isinstance(each, ast.Call) and dotted(each.func) == "pytest.mark.check" for each in function.decorator_list
    )


def _made_by(function: _Function) -> list[str]:
    """The fixture that a function makes: named like it, or as its mark says."""
    for each in function.decorator_list:
        mark = each.func if isinstance(each, ast.Call) else each
        if dotted(mark) in ("pytest.fixture", "fixture"):
            words = each.keywords if isinstance(each, ast.Call) else []
            names = [word.value.value for word in words if word.arg == "name" and isinstance(word.value, ast.Constant)]
            return [str(name) for name in names] or [function.name]
    return []


def _arguments(function: _Function) -> list[str]:
    without_default = len(function.args.args) - len(function.args.defaults)
    return [each.arg for each in function.args.args[:without_default] if each.arg not in ("self", "cls")]


def _unknown(function: _Function, file: str, known: set[str]) -> Iterator[Finding]:
    for name in _arguments(function):
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = (
                f"{f'Did you mean {near[0]}? ' if near else ''}docs/fixtures.md lists those of each kind of exercise."
            )
            message = f"{function.name} asks for {name}, and there is no such fixture"
            yield Finding(rule="fixtures", file=file, line=function.lineno, message=message, hint=hint)


def _impossible(tree: ast.Module, file: str) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or dotted(node.func) != "award" or not node.args:
            continue
        share = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        if isinstance(share, int | float) and not 0 <= share <= 1:
            hint = "A share is from 0 to 1; the points are in the check's mark."
            yield Finding(rule="awards", file=file, line=node.lineno, message=f"awards {share:g}", hint=hint)

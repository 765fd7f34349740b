"""The checks of an exercise as their authors declared them, read without running anything.

The rubric must be known before a check runs, and must not depend on what runs: `scoring` counts
the points of every declared check, whether it gives an answer or not. So declarations are literals,
read from the syntax tree. Whatever could make a declared check not answer exactly once is a defect
here: a name that is used twice, a check inside a class, parameters, skips.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pydantic import ValidationError

from grader.catalog.files import read
from grader.errors import ExerciseDefect
from grader.model.base import to_points
from grader.model.exercise import CheckDeclaration

_FOLDER = "checks"
_REQUIRED = ("id", "title", "points", "competency")
_MOST_POINTS = 1000
_OPTIONAL = ("question", "feedback", "requirement", "timed")
_HARMFUL = {"parametrize", "skip", "skipif", "xfail"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Required:
    """A check that the check in a function builds on, and where that is said."""

    function: str
    check: str
    file: str
    line: int


def read_checks(
    folder: Path, groups: Mapping[str, str], competencies: Mapping[str, object]
) -> tuple[CheckDeclaration, ...]:
    """Read every `@pytest.mark.check(...)` of an exercise, in file and line order.

    Args:
        folder: The exercise's folder.
        groups: Group letters of the manifest.
        competencies: Ids that a check may name.

    Raises:
        ExerciseDefect: A declaration cannot be used, or a check could fail to answer exactly once.
    """
    found: list[CheckDeclaration] = []
    required: list[Required] = []
    for path in sorted((folder / _FOLDER).glob("*.py")):
        module = _Module(folder, f"{_FOLDER}/{path.name}")
        found += module.declarations()
        required += module.requirements()
    if not found:
        raise ExerciseDefect("the exercise has no checks", file=_FOLDER, hint="Write them in checks/test_*.py.")
    _check_together(found, groups, competencies)
    _check_requirements(found, required)
    return tuple(found)


def _check_together(
    found: list[CheckDeclaration], groups: Mapping[str, str], competencies: Mapping[str, object]
) -> None:
    seen: dict[str, CheckDeclaration] = {}
    for check in found:
        first = seen.setdefault(check.id, check)
        if first is not check:
            raise _defect(check, f"the id {check.id!r} is already used in {first.file}:{first.line}")
        if check.group not in groups:
            named = ", ".join(sorted(groups))
            raise _defect(check, f"{check.id}: there is no group {check.group!r} in exercise.toml; there are {named}")
        if check.competency not in competencies:
            listed = ", ".join(competencies)
            raise _defect(check, f"{check.id}: unknown competency {check.competency!r}; there are {listed}")


def _check_requirements(found: list[CheckDeclaration], required: list[Required]) -> None:
    named = {(check.file, check.function): check.id for check in found}
    known, graph = set(named.values()), dict[str, dict[str, Required]]()
    for each in required:
        if each.check not in known:
            raise ExerciseDefect(
                f"requires the check {each.check!r}, which there is not", file=each.file, line=each.line
            )
        graph.setdefault(named.get((each.file, each.function), ""), {})[each.check] = each
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = list(reversed(error.args[1]))
        first = graph[circle[0]][circle[1]]
        told = " requires ".join(circle)
        raise ExerciseDefect(f"checks require each other: {told}", file=first.file, line=first.line) from error


def _defect(check: CheckDeclaration, what: str) -> ExerciseDefect:
    return ExerciseDefect(what, file=check.file, line=check.line)


class _Module:
    """One file of the checks folder.

    Args:
        folder: The exercise's folder.
        file: Path of the file inside of it.
    """

    def __init__(self, folder: Path, file: str) -> None:
        self.file = file
        self.holds_checks = Path(file).name.startswith("test_")
        try:
            self.tree = ast.parse(read(folder, file), filename=file)
        except SyntaxError as error:
            raise ExerciseDefect(f"not valid Python: {error.msg}", file=file, line=error.lineno or 0) from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise ExerciseDefect(f"not valid Python: {error}", file=file) from error

    def defect(self, node: ast.AST, what: str, hint: str = "") -> ExerciseDefect:
        return ExerciseDefect(what, file=self.file, line=getattr(node, "lineno", 0), hint=hint)

    def declarations(self) -> Iterator[CheckDeclaration]:
        """Yield the declarations of this file.

        Raises:
            ExerciseDefect: See `read_checks`.
        """
        functions = [node for node in self.tree.body if isinstance(node, Function)]
        self._refuse_hidden(functions)
        names: dict[str, int] = {}
        for function in functions:
            decorators = [each for each in function.decorator_list if _mark_of(each) == "check"]
            if self.holds_checks and function.name.startswith("test_"):
                if not decorators:
                    raise self.defect(
                        function, f"{function.name} has no check declaration", "Add @pytest.mark.check(...)."
                    )
                if function.name in names:
                    raise self.defect(function, f"{function.name} is defined twice; only the second would run")
                names[function.name] = function.lineno
            elif decorators:
                raise self.defect(
                    function, f"{function.name} would not be run", "Checks are functions test_* in files test_*.py."
                )
            if decorators:
                yield self._declaration(function, decorators)

    def _refuse_hidden(self, functions: list[Function]) -> None:
        """Checks in classes, conditions or other functions would be missed, or run when nobody expects it."""
        plain = set(functions)
        for node in ast.walk(self.tree):
            if isinstance(node, Function) and node not in plain and any(map(_mark_of, node.decorator_list)):
                raise self.defect(node, f"{node.name} is not at the top level of its file", "Move it there.")
            if isinstance(node, ast.ClassDef) and node.name.startswith("Test") and self.holds_checks:
                raise self.defect(node, f"{node.name}: checks are functions, not methods of a class")

    def _declaration(self, function: Function, decorators: list[ast.expr]) -> CheckDeclaration:
        for decorator in function.decorator_list:
            mark = _mark_of(decorator)
            if mark in _HARMFUL:
                raise self.defect(decorator, f"{function.name}: {mark} is not accepted; a check answers exactly once")
        if isinstance(function, ast.AsyncFunctionDef):
            raise self.defect(function, f"{function.name}: a check cannot be async")
        if len(decorators) > 1:
            raise self.defect(decorators[1], f"{function.name} is declared twice")
        values = self._arguments(function.name, decorators[0])
        points = values["points"]
        if isinstance(points, bool) or not isinstance(points, int | float) or not 0 < points <= _MOST_POINTS:
            raise self.defect(decorators[0], f"{function.name}: points must be a number above 0, up to {_MOST_POINTS}")
        if Decimal(str(points)) != to_points(points):
            raise self.defect(decorators[0], f"{function.name}: points have at most two decimals")
        place = {"file": self.file, "line": function.lineno, "function": function.name}
        try:
            return CheckDeclaration.model_validate({**values, **place})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            named = ".".join(map(str, first["loc"]))
            raise self.defect(decorators[0], f"{function.name}: {named}: {first['msg']}") from error

    def _arguments(self, name: str, decorator: ast.expr) -> dict[str, object]:
        if not isinstance(decorator, ast.Call):
            raise self.defect(decorator, f"{name}: the check declaration has no arguments")
        if decorator.args:
            raise self.defect(decorator, f"{name}: write every argument of the check declaration with its name")
        values: dict[str, object] = {}
        for keyword in decorator.keywords:
            if keyword.arg is None:
                raise self.defect(keyword.value, f"{name}: ** hides the arguments; write them out")
            if keyword.arg not in (*_REQUIRED, *_OPTIONAL):
                known = ", ".join((*_REQUIRED, *_OPTIONAL))
                raise self.defect(keyword.value, f"{name}: unknown argument {keyword.arg!r}; there are {known}")
            values[keyword.arg] = self._literal(f"{name}: {keyword.arg}", keyword.value)
        for key in _REQUIRED:
            if values.get(key) in (None, ""):
                raise self.defect(decorator, f"{name}: {key} is missing")
        return values

    def _literal(self, what: str, node: ast.expr) -> object:
        if not isinstance(node, ast.Constant):
            raise self.defect(
                node, f"{what} is not a literal", "It is read without running the file; write the value itself."
            )
        return node.value

    def requirements(self) -> Iterator[Required]:
        """Yield what `@pytest.mark.requires(...)` names."""
        for function in (node for node in self.tree.body if isinstance(node, Function)):
            for decorator in function.decorator_list:
                if _mark_of(decorator) == "requires" and isinstance(decorator, ast.Call):
                    for argument in decorator.args:
                        named = str(self._literal("requires", argument))
                        yield Required(function.name, named, self.file, argument.lineno)


def _mark_of(decorator: ast.expr) -> str:
    """Return "check" for `pytest.mark.check(...)` and `mark.check`, "" for what is no mark."""
    node = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not isinstance(node, ast.Attribute):
        return ""
    owner = node.value
    owner_name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    return node.attr if owner_name == "mark" else ""

"""The index of SECURITY's catalogue: which attack or which test stands for each row, and what nothing stands for."""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import date
from functools import cache

from grader.model.base import Frozen
from tests.attacks.cases import HERE

ROOT = HERE.parents[1]
INDEX = HERE / "CATALOGUE.toml"
WAIVED = HERE / "WAIVED.md"
ROWS = range(1, 153)  # sections A to I; 153 to 163 are about the portal and are tested with it
SECTIONS = {
    "A": range(1, 28), "B": range(28, 43), "C": range(43, 82), "D": range(82, 92), "E": range(92, 117),
    "F": range(117, 126), "G": range(126, 140), "H": range(140, 147), "I": range(147, 153),
}  # fmt: skip

_WAIVER = re.compile(r"^## (\d+)\. .+\n\nWaived by (?P<by>[^,\n]+), (?P<on>\d{4}-\d{2}-\d{2})\. (?P<why>.+)", re.M)


class Row(Frozen):
    """One attack of the catalogue.

    Attributes:
        what: It, in a few words.
        tests: Tests that hold it, as `path::function` or `path::function[parameter]`; attacks name their own rows.
        open: What is missing; such a row is not held by anything yet, or in part only.
    """

    what: str
    tests: tuple[str, ...] = ()
    open: str = ""


@cache
def index() -> dict[int, Row]:
    """Read the index, by row."""
    rows = tomllib.loads(INDEX.read_text(encoding="utf-8"))
    return {int(number): Row.model_validate(row) for number, row in rows.items()}


def waivers() -> dict[int, tuple[str, date, str]]:
    """Read who waived which row, when and why."""
    found = _WAIVER.finditer(WAIVED.read_text(encoding="utf-8"))
    return {int(each[1]): (each["by"], date.fromisoformat(each["on"]), each["why"]) for each in found}


def missing(test: str) -> str:
    """Say what is wrong with a reference to a test; nothing when it is there."""
    path, _, name = test.partition("::")
    function, _, parameter = name.partition("[")
    file = ROOT / path
    if not file.is_file():
        return f"{path} does not exist"
    text = file.read_text(encoding="utf-8")
    if function not in _functions(path):
        return f"{path} has no {function}"
    if parameter and parameter.rstrip("]") not in text:
        return f"{path} has no parameter {parameter.rstrip(']')!r}"
    return ""


@cache
def _functions(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )

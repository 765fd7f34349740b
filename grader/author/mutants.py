"""Mutants of the reference: small changes of its source, one at a time, that the checks should notice.

What can be changed in Python, and how, is mutmut's knowledge (the extra `author`); here a few of its mutations are
drawn, spread evenly over all that there are, and each becomes a rung of its own.
"""

from __future__ import annotations

import ast
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from grader.author.cheats import GeneratedRung
from grader.catalog.ladder import Expected, Patch, Rung, RungKind
from grader.errors import UsageError

if TYPE_CHECKING:
    import libcst

SEED = 1  # the same mutants every time, so that a calibration can go on where it stopped


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change: the file, the line, the text before and after, and the rung that has it."""

    file: str
    line: int
    before: str
    after: str
    rung: Rung


def mutants_of(reference: Rung, most: int) -> list[Mutant]:
    """Draw mutants of a rung's Python files.

    Args:
        reference: The rung.
        most: How many to draw at most.

    Raises:
        UsageError: mutmut is not installed.
    """
    files = {name: content.decode() for name, content in reference.files().items() if name.endswith(".py")}
    changes = [change for name, text in sorted(files.items()) for change in _changes(name, text)]
    random.Random(SEED).shuffle(changes)  # noqa: S311 - repeatable on purpose
    found: list[Mutant] = []
    for change in changes:
        if len(found) == most:
            break
        text = files[change.file]
        changed = change.made()
        if _means_something_else(changed, text):
            found.append(_mutant(reference, len(found) + 1, change.file, text, changed))
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """One mutation that was not made yet: making all of them would take minutes."""

    file: str
    module: libcst.Module
    node: libcst.CSTNode
    mutated: libcst.CSTNode

    def made(self) -> str:
        """Return the changed text."""
        replaced = self.module.deep_replace(self.node, self.mutated)
        return str(getattr(replaced, "code", ""))


def _changes(name: str, text: str) -> Iterator[Change]:
    """Yield every mutation that mutmut knows for a file."""
    try:
        import libcst
        from mutmut.mutation.mutators import mutation_operators
    except ImportError as error:
        raise UsageError(
            "Mutants need mutmut, which is not installed.", hint="Type: pip install 'grader[author]', or --mutants 0."
        ) from error
    module = libcst.parse_module(text)
    for node in _inside_functions(module):
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                yield from (Change(name, module, node, mutated) for mutated in operator(node))


def _inside_functions(module: libcst.Module) -> list[libcst.CSTNode]:
    """Nodes of statements inside functions; annotations and docstrings are left alone."""
    found: list[libcst.CSTNode] = []
    waiting: list[tuple[libcst.CSTNode, bool]] = [(module, False)]
    while waiting:
        node, inside = waiting.pop()
        name = type(node).__name__
        if name == "Annotation" or (name == "SimpleStatementLine" and _is_docstring(node)):
            continue
        if inside:
            found.append(node)
        waiting += [(child, inside or name in ("FunctionDef", "Lambda")) for child in reversed(node.children)]
    return found


def _is_docstring(node: libcst.CSTNode) -> bool:
    first = node.children[0] if node.children else None
    return type(first).__name__ == "Expr" and type(first.children[0]).__name__.endswith("String")  # type: ignore[union-attr]


def _means_something_else(changed: str, text: str) -> bool:
    """Whether it is still Python, and not the same program in other words."""
    try:
        return ast.dump(ast.parse(changed)) != ast.dump(ast.parse(text))
    except SyntaxError:
        return False


def _mutant(reference: Rung, number: int, name: str, text: str, changed: str) -> Mutant:
    pairs = list(zip(text.splitlines(), changed.splitlines(), strict=False))
    line = next((place for place, (old, new) in enumerate(pairs) if old != new), 0)
    before, after = pairs[line] if pairs else ("", "")
    files: Mapping[str, bytes] = {**reference.files(), name: changed.encode()}
    rung = GeneratedRung(
        name=f"mutant_{number:03}",
        folder=reference.folder,
        expected=Expected(rung=RungKind.FLAW, band=(0, 100), parent=reference.name, must_fail=("Z99",), status="any"),
        base=None,
        patch=Patch(),
        content=dict(files),
    )
    return Mutant(file=name, line=line + 1, before=before.strip(), after=after.strip(), rung=rung)

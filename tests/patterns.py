"""Which regular expressions may take exponential time, by trying one text in more and more ways.

A pattern is read as an automaton: a state for everything that it can read (Glushkov 1961), and a step to everything
that can be read next, as often as there are ways to come there. Time is exponential only where from some state back to
itself one text can take two ways (Weber and Seidl 1991; Allauzen, Mohri and Rastogi 2008): nested repetitions, and
alternatives in a repetition that read the same. Counted repetitions are taken to have no end, which errs on the safe
side. Assertions are left out, and quadratic time is not looked for.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

# Every character that a pattern of ours names stands among the first; the others stand for the rest of Unicode.
ALPHABET = frozenset([*map(chr, range(256)), "Ω", "ж", "漢", "٣", "\u2003", "\u2028", "\u202e", "\U0001f600"])
FUNCTIONS = {
    f"re.{name}" for name in ("compile", "search", "match", "fullmatch", "findall", "finditer", "sub", "subn", "split")
}
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_parser = import_module("re._parser")
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a pattern: states that it can begin and end with, and whether it can be empty."""

    first: tuple[int, ...] = ()
    last: tuple[int, ...] = ()
    empty: bool = True


@dataclass(slots=True)
class Automaton:
    """States by what they read, and from each to the next, in how many ways; doubled: two alternatives are empty."""

    reads: list[frozenset[str]] = field(default_factory=list)
    next: Counter[Pair] = field(default_factory=Counter)
    doubled: bool = False

    def after(self, state: int) -> list[int]:
        return [other for one, other in self.next if one == state]

    def row(self, tree: Any) -> Part:
        """Add one thing after the other."""
        whole = Part()
        for operation, value in tree:
            part = self._one(str(operation), value)
            self.next.update((one, other) for one in whole.last for other in part.first)
            whole = Part(
                whole.first + part.first if whole.empty else whole.first,
                whole.last + part.last if part.empty else part.last,
                whole.empty and part.empty,
            )
        return whole

    def _one(self, name: str, value: Any) -> Part:
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            self.reads.append(_characters(name, value))
            state = (len(self.reads) - 1,)
            return Part(state, state, empty=False)
        if name in _REPEATS:
            low, high, body = value
            part = self.row(body)
            if high > 1:
                self.next.update((one, other) for one in part.last for other in part.first)
            return Part(part.first, part.last, part.empty or not low)
        if name == "BRANCH":
            ways = [self.row(way) for way in value[1]]
            # Python reads (a|a) as an a before two empty ways.
            self.doubled |= sum(way.empty for way in ways) > 1
            first = tuple(state for way in ways for state in way.first)
            last = tuple(state for way in ways for state in way.last)
            return Part(first, last, any(way.empty for way in ways))
        if name in ("SUBPATTERN", "ATOMIC_GROUP"):
            return self.row(value[-1] if name == "SUBPATTERN" else value)
        assert name in ("AT", "ASSERT", "ASSERT_NOT"), f"{name} is not known here: leave it out of the pattern"
        return Part()


def is_exponential(pattern: str | bytes) -> bool:
    """Tell whether some text can be read in ways that double with its length."""
    found = Automaton()
    found.row(_parser.parse(pattern))
    steps = {state: found.after(state) for state in range(len(found.reads))}
    return found.doubled or any(_two_ways_back(found, steps, state) for state in steps)


def _two_ways_back(automaton: Automaton, steps: dict[int, list[int]], state: int) -> bool:
    """Whether one text leads from a state to itself in two ways: a pair of states goes apart, and comes together."""
    todo, seen = [(state, state, False)], set()
    while todo:
        one, other, apart = todo.pop()
        for left in steps[one]:
            for right in steps[other]:
                if not automaton.reads[left] & automaton.reads[right]:
                    continue
                many = one == other and left == right and automaton.next[one, left] > 1
                here = (left, right, apart or left != right or many)
                if here == (state, state, True):
                    return True
                if here not in seen:
                    seen.add(here)
                    todo.append(here)
    return False


def _named(tree: Any) -> Iterator[tuple[str, Any]]:
    return ((str(operation), value) for operation, value in tree)


def _characters(name: str, value: Any) -> frozenset[str]:
    if name == "LITERAL":
        return frozenset(chr(value))
    if name == "NOT_LITERAL":
        return ALPHABET - {chr(value)}
    if name == "ANY":
        return ALPHABET
    negated, found = False, set()
    for kind, each in _named(value):
        if kind == "NEGATE":
            negated = True
        elif kind == "RANGE":
            found |= {character for character in ALPHABET if each[0] <= ord(character) <= each[1]}
        else:
            found |= _category(str(each)) if kind == "CATEGORY" else {chr(each)}
    return ALPHABET - found if negated else frozenset(found)


@cache
def _category(name: str) -> frozenset[str]:
    letter = {"DIGIT": "d", "SPACE": "s", "WORD": "w"}[name.rpartition("_")[2]]
    escape = rf"\{letter.upper() if '_NOT_' in name else letter}"
    return frozenset(character for character in ALPHABET if re.match(escape, character))


@dataclass(frozen=True, slots=True)
class Found:
    """A call of `re`: what it is given, without parts that are known at run time only; None where nothing is known."""

    place: str
    pattern: str | bytes | None


def patterns_in(path: Path) -> Iterator[Found]:
    """Find everything that a Python file gives to `re`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in FUNCTIONS:
            yield Found(f"{path}:{node.lineno}", _literal(node.args[0], constants))


def _literal(node: ast.expr, constants: dict[str, ast.expr]) -> str | bytes | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        return node.value
    if isinstance(node, ast.JoinedStr):
        known = (
            _literal(part.value if isinstance(part, ast.FormattedValue) else part, constants) for part in node.values
        )
        return "".join(part for part in known if isinstance(part, str))
    if isinstance(node, ast.Name) and node.id in constants:
        return _literal(constants[node.id], {})
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_literal(each, constants) for each in (node.left, node.right)]
        texts = [each for each in parts if isinstance(each, str)]
        return "".join(texts) or b"".join(each for each in parts if isinstance(each, bytes))
    return None

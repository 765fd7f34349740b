"""Measures of a summary. Whatever a submission may answer is measured; nothing it says can stop a check."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.checker.api import Reason, SubmissionFailed

TYPICAL_LO, TYPICAL_HI = 0.10, 0.02  # relative deviation that earns nothing, and all
COUNT_LO, COUNT_HI = 0.60, 0.15
GATE_LO, GATE_HI = 0.10, 0.40  # share of all mistakes found that opens the gate


@dataclass(frozen=True)
class Truth:
    """What is right for a shop."""

    typical: float
    errors: int


@dataclass(frozen=True)
class Said:
    """What a submission says of a shop; NaN where it says nothing that is a number."""

    typical: float
    errors: float


def read_truth(path: Path) -> dict[str, Truth]:
    """Read what the generator wrote."""
    return {name: Truth(**each) for name, each in json.loads(path.read_text(encoding="utf-8")).items()}


def read_said(answer: object, shops: Iterable[str]) -> dict[str, Said]:
    """Take from an answer what it says of these shops.

    Raises:
        SubmissionFailed: The answer is no mapping at all.
    """
    if not isinstance(answer, Mapping):
        raise SubmissionFailed(Reason.SCHEMA, "The summary is not an object with the shops' names as keys.")
    return {name: _said(answer.get(name)) for name in shops}


def _said(entry: object) -> Said:
    values = entry if isinstance(entry, Mapping) else {}
    return Said(number(values.get("typical")), number(values.get("errors")))


def number(value: object) -> float:
    """Return a number as a float, and NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def deviation(said: float, right: float) -> float:
    """How far a value is away, as a share of the right one; NaN where nothing was said."""
    return abs(said - right) / right


def share_found(said: Mapping[str, Said], truth: Mapping[str, Truth]) -> float:
    """Share of all mistakes that a summary counts, at most all in each shop."""
    found = sum(min(said[name].errors, each.errors) for name, each in truth.items() if said[name].errors > 0)
    return found / sum(each.errors for each in truth.values())

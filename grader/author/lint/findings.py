"""What a rule finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

READABLE = "readable"
"""The rule that everything else rests on."""


class Level(StrEnum):
    """Whether a finding keeps an exercise from being used."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with an exercise.

    Attributes:
        rule: Short name of the rule, for people who talk about it.
        file: Where, below the exercise's folder.
        line: Counted from 1; 0 for the file as a whole.
        message: What is wrong.
        hint: What to do.
        level: How bad it is.
    """

    rule: str
    file: str
    line: int
    message: str
    hint: str
    level: Level = Level.ERROR

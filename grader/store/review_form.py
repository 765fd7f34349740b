"""The form in which a reviewer rates a decision notebook: written empty, read strictly.

It is TOML, so that people can fill it in with any editor and comments can carry the rubric. It names the run and
not the candidate: whoever rates need not know whose work it is.
"""

from __future__ import annotations

import difflib
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from grader.catalog.manifest import line_of
from grader.errors import UsageError
from grader.intake.names import NAME_CAP, is_name
from grader.model.decision import REASON_CAP, Rating, Review
from grader.model.rubric import DIMENSIONS, HIGHEST_RATING, LOWEST_RATING, Dimension
from grader.model.sheet import ScoreSheet

FORM_CAP = 64 * 1024
SCHEMA = 1
_TOP = ("schema", "run", "reviewer", *(dimension.id for dimension in DIMENSIONS))
_KEYS = ("rating", "why")

_HEAD = """\
# How a person rates a decision notebook. Fill in your name, and for every dimension a rating from 1 to 5 and why.
# Rate by yourself, before you know what others say. Two reviewers are needed, and a third where they differ by 2.
# Behaviour counts, not spelling, idiom, length or the number of plots. 2 and 4 lie between their neighbours.
# Go by code and text: outputs stored in a notebook may be older than its code, or made up. Look at it in a viewer
# that runs nothing.
#
# When it is filled in:  grader sheet review sheet.json THIS_FILE ANOTHER_FILE

schema = 1
run = "{run}"        # which run this is about; leave it as it is
reviewer = ""        # your name
"""


def empty_form(sheet: ScoreSheet) -> str:
    """Return an empty form for the notebook of a sheet."""
    assert sheet.decision is not None
    where = f"# The notebook is {sheet.decision.path} in the submission; exercise {sheet.exercise.id}.\n"
    return "\n".join([_HEAD.format(run=sheet.run) + where, *map(_section, DIMENSIONS)])


def _section(dimension: Dimension) -> str:
    kind = "" if dimension.scored else " (not scored; for the conversation; 0 leaves it out)"
    lines = [f"[{dimension.id}]", f"# {dimension.title}{kind}"]
    for anchor in dimension.anchors:
        told = textwrap.wrap(anchor.behaviour, 100)
        lines += [f"#   {anchor.rating}  {told[0]}", *(f"#      {more}" for more in told[1:])]
    return "\n".join([*lines, f"rating = 0           # {LOWEST_RATING} to {HIGHEST_RATING}", 'why = ""', ""])


def read_form(path: Path, run: str, recorded: datetime) -> Review:
    """Read a form that somebody filled in.

    Args:
        path: The file.
        run: Id of the run that it must be about.
        recorded: When it is put on the sheet.

    Raises:
        UsageError: It cannot be read, or a value is missing or wrong; file and line are named.
    """
    form = _Form(path)
    form.check_keys((), form.values, _TOP)
    if form.values.get("schema") != SCHEMA:
        form.refuse(("schema",), f"must be {SCHEMA}", "Write a new form with `grader sheet rubric`.")
    if form.values.get("run") != run:
        form.refuse(("run",), "names another run than the sheet", "Rate the notebook of this sheet, on a form for it.")
    return Review(reviewer=form.reviewer(), recorded=recorded, ratings=tuple(form.ratings()))


class _Form:
    """A form's values, and complaints that name the line.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                content = file.read(FORM_CAP + 1)
            self.text = content.decode("utf-8-sig")
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror}", hint="Name a form that was filled in."
            ) from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8 text.", hint="Save it again with the encoding UTF-8.") from error
        if len(content) > FORM_CAP:
            raise UsageError(f"{path} is too large to be a form.", hint="Write a new one with `grader sheet rubric`.")
        try:
            self.values = tomllib.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"{path} is not valid TOML: {error}.",
                hint="Texts stand in double quotes, texts of several lines in three; ratings are plain numbers.",
            ) from error

    def refuse(self, location: tuple[str, ...], what: str, hint: str) -> NoReturn:
        line = line_of(self.text, location)
        place = f"{self.path}:{line}" if line else str(self.path)
        raise UsageError(f"{place}: {'.'.join(location)} {what}.", hint=hint)

    def check_keys(self, location: tuple[str, ...], values: Mapping[str, object], known: tuple[str, ...]) -> None:
        for key in values:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                meant = f"Did you mean {near[0]!r}? " if near else ""
                self.refuse((*location, key), "is an unknown key", f"{meant}Known here: {', '.join(known)}.")

    def reviewer(self) -> str:
        name = self.values.get("reviewer")
        if not isinstance(name, str) or not name.strip():
            self.refuse(("reviewer",), "is empty", "Write your name in the quotes.")
        if not is_name(name):
            self.refuse(("reviewer",), "must be one line", f"Use at most {NAME_CAP} characters, without line breaks.")
        return " ".join(name.split())

    def ratings(self) -> Iterator[Rating]:
        for dimension in DIMENSIONS:
            section = self.values.get(dimension.id, {})
            if not isinstance(section, dict):
                self.refuse((dimension.id,), "must be a section", f"Write it as [{dimension.id}] with rating and why.")
            self.check_keys((dimension.id,), section, _KEYS)
            rating = section.get("rating", 0)
            why = self._why(dimension, section)
            if not dimension.scored and rating == 0:
                continue
            if isinstance(rating, bool) or not isinstance(rating, int) or not LOWEST_RATING <= rating <= HIGHEST_RATING:
                hint = f"Write a whole number from {LOWEST_RATING} to {HIGHEST_RATING}; what they mean stands above it."
                self.refuse((dimension.id, "rating"), f"is {_shown(rating)}, which is no rating", hint)
            if dimension.scored and not why:
                self.refuse(
                    (dimension.id, "why"), "is empty", "Say in a sentence or two what in the notebook led to it."
                )
            yield Rating(dimension=dimension.id, rating=rating, why=why)

    def _why(self, dimension: Dimension, section: Mapping[str, Any]) -> str:
        why = section.get("why", "")
        if not isinstance(why, str):
            self.refuse((dimension.id, "why"), "must be a text", "Write it in double quotes.")
        if len(why) > REASON_CAP:
            self.refuse((dimension.id, "why"), "is too long", f"Use at most {REASON_CAP} characters.")
        return why.strip()


def _shown(value: object) -> str:
    try:
        return repr(value)[:40]
    except ValueError:  # Python writes no whole number of more than 4300 digits
        return "a number of thousands of digits"

"""The score sheet as JSON: the one format that holds everything and carries the signature."""

from __future__ import annotations

import json

from grader.model.sheet import ScoreSheet
from grader.render.text import is_invisible


def render(sheet: ScoreSheet) -> str:
    """Return the sheet as JSON; its content is unchanged, invisible characters are written as escapes."""
    text = json.dumps(sheet.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False)
    return "".join(_escape(character) for character in text) + "\n"


def _escape(character: str) -> str:
    # Line feeds can only be layout here: inside strings JSON escapes them.
    if (character.isascii() and character.isprintable()) or character == "\n" or not is_invisible(character):
        return character
    return json.dumps(character)[1:-1]

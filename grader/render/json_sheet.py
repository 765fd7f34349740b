"""The score sheet as JSON: the one format that holds everything and carries the signature."""

from __future__ import annotations

from grader.model.sheet import ScoreSheet
from grader.render.json_text import json_text


def render(sheet: ScoreSheet) -> str:
    """Return the sheet as JSON; its content is unchanged, invisible characters are written as escapes."""
    return json_text(sheet.model_dump(mode="json")) + "\n"

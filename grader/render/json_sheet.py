"""The score sheet as JSON: the one format that holds everything and carries the signature."""

from __future__ import annotations

import json
import re

from grader.model.sheet import ScoreSheet
from grader.render.text import is_invisible

_NOT_PLAIN = re.compile(r"[^\x20-\x7e\n]")


def render(sheet: ScoreSheet) -> str:
    """Return the sheet as JSON; its content is unchanged, invisible characters are written as escapes."""
    text = json.dumps(sheet.model_dump(mode="json"), indent=2, ensure_ascii=False, allow_nan=False)
    # Line feeds can only be layout here: inside strings JSON escapes them.
    return _NOT_PLAIN.sub(lambda found: _escape(found[0]), text) + "\n"


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if is_invisible(character) else character

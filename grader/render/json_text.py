"""Values as JSON, the one way that people and programs are given it.

Its content is what it was. Characters that a reader would not see, that a terminal would obey, or that some readers
take for the end of a line (U+0085, U+2028, U+2029) are written as escapes, lone surrogates too.
"""

from __future__ import annotations

import json
import re

from grader.render.text import is_invisible

_NOT_PLAIN = re.compile(r"[^\x20-\x7e\n]")


def json_text(value: object, *, indent: int | None = 2) -> str:
    """Return the value as JSON.

    Args:
        value: What `json.dumps` takes.
        indent: Blanks for each level; None for all of it in one line, without blanks.

    Raises:
        ValueError: A number is infinite or none, which JSON does not know.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False, allow_nan=False)
    # Line feeds can only be layout here: inside strings JSON escapes them.
    return _NOT_PLAIN.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    return json.dumps(character)[1:-1] if is_invisible(character) else character

"""Names of people, as sheets and lists take them."""

from __future__ import annotations

import unicodedata

NAME_CAP = 120
_SPELT_CAP = 10 * NAME_CAP  # whoever has more characters than this is refused anyway, and to sort accents takes time


def is_name(text: str) -> bool:
    """Tell whether a person can be called so, on sheets and in lists: one line, not too long."""
    return 0 < len(text) <= NAME_CAP and text.isprintable()


def as_kept(name: str) -> str:
    """A name as it is kept: however an accent was written, or blanks around it, this is one person.

    A list that was saved on another system may hold "é" as one character or as two. Both look alike, so a person
    would have two hidden worlds, and be graded and kept twice.
    """
    if len(name) > _SPELT_CAP:
        return name.strip()
    return unicodedata.normalize("NFC", name).strip()

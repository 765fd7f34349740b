"""Names of people, as sheets and lists take them."""

from __future__ import annotations

import unicodedata

NAME_CAP = 120


def is_name(text: str) -> bool:
    """Tell whether a person can be called so, on sheets and in lists: one line, not too long."""
    return 0 < len(text) <= NAME_CAP and text.isprintable()


def composed(name: str) -> str:
    """A name as sheets show it: two that differ in how an accent is written look like one person."""
    return unicodedata.normalize("NFC", name)

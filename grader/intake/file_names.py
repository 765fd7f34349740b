"""Names of files and folders for what strangers have named."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from grader.intake.paths import folded

LONGEST = 80
"""Characters."""

_MOST_BYTES = 200  # file systems take 255, and something may be put behind
_DEVICES = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{digit}" for name in ("com", "lpt") for digit in range(10))}
)


def file_name(label: str, otherwise: str = "submission") -> str:
    """Return a name that every system accepts, whatever the label is; two labels may get one name.

    Args:
        label: What a stranger calls it.
        otherwise: What to call it where nothing of the label can be used.
    """
    composed = unicodedata.normalize("NFC", label[: 4 * LONGEST])
    kept = "".join(character if _is_kept(character) else "_" for character in composed)
    name = kept.strip("._")[:LONGEST].encode()[:_MOST_BYTES].decode(errors="ignore").rstrip("._")
    if folded(name).partition(".")[0] in _DEVICES:  # Windows takes con.txt for the console
        name = f"_{name}"[:LONGEST]
    return name or otherwise


def _is_kept(character: str) -> bool:
    """Letters, digits and `._-`; some letters leave no ink."""
    return character in "._-" or (character.isalnum() and "FILLER" not in unicodedata.name(character, ""))


def file_names(labels: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Return a name for each label, all of them different, even where capitals or forms of letters do not count.

    Args:
        labels: What strangers call them; later ones of one name get numbers.
        taken: Names that are in use already.
    """
    used = set(map(folded, taken))
    found: list[str] = []
    for label in labels:
        name = base = file_name(label)
        number = 2
        while folded(name) in used:
            name, number = f"{base}-{number}", number + 1
        used.add(folded(name))
        found.append(name)
    return found

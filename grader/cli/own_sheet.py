"""A sheet that people may change: made and signed here, in the folder of its run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from grader.errors import UsageError
from grader.model.sheet import ScoreSheet
from grader.scoring.signing import is_genuine_text
from grader.store.folder import SHEET, read_sheet

KeyOf = Callable[[Path], bytes | None]
"""Gives the signing key for the file of a sheet that is genuine and ours."""


def is_genuine_file(file: Path) -> bool:
    """Whether a file says just what was signed; nothing that cannot be read does."""
    try:
        return is_genuine_text(file.read_bytes())
    except OSError:
        return False


def read_own_sheet(file: Path, key_of: KeyOf, what: str) -> tuple[ScoreSheet, bytes]:
    """Return a sheet that may be changed, and the key to sign it with anew.

    Args:
        file: The sheet.json of a run's folder.
        key_of: Gives the key.
        what: What would be put on it, as a sentence begins.

    Raises:
        UsageError: It is no sheet, not ours, or not the one that counts in its folder.
    """
    sheet = read_sheet(file)
    key = key_of(file)
    if key is None:
        raise UsageError(
            f"{file} was changed since it was signed, or signed by somebody else.",
            hint=f"{what} are made where the submission was graded, on the sheet.json that was written then.",
        )
    if file.name != SHEET:
        raise UsageError(
            f"{file.name} is not the sheet of a run's folder.", hint=f"Name the {SHEET}; its folder is written anew."
        )
    return sheet, key

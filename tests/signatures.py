"""Whether a sheet that a test holds would be genuine as a file."""

from __future__ import annotations

from grader.model.sheet import ScoreSheet
from grader.scoring.signing import is_genuine_text


def is_genuine(sheet: ScoreSheet) -> bool:
    """Judge the JSON that is written of it."""
    return is_genuine_text(sheet.model_dump_json().encode())

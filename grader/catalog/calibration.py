"""Reading what an exercise's calibration found."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from grader.catalog.files import read
from grader.errors import ExerciseDefect
from grader.model.calibration import Calibration

FILE = "calibration.json"


def read_calibration(folder: Path) -> Calibration | None:
    """Return the calibration of an exercise, or None where it was never calibrated.

    Args:
        folder: The exercise's folder.

    Raises:
        ExerciseDefect: The file is there and cannot be used.
    """
    if not (folder / FILE).exists():
        return None
    try:
        return Calibration.model_validate_json(read(folder, FILE))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        named = ".".join(map(str, first["loc"])) or "the file"
        raise ExerciseDefect(
            f"{named}: {first['msg']}", file=FILE, hint="Delete it; grader author calibrate writes it anew."
        ) from error

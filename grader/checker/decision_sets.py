"""For generators: the data sets that a decision notebook is executed on, and what is true of them.

Whether an honest interval covers the truth is luck, one time in twenty. A check of one or two points must
not be a lottery, so the data sets are drawn until the usual estimate lies where it shall, in standard errors
from the truth: near it in the first two, further off, to both sides, in the others. An interval of about
the right width then covers all of them, and one of half the width misses the same ones for everybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Lowest and highest distance of the usual estimate from the truth, in standard errors, by data set.
DISTANCES = ((-1.0, 1.0), (-0.6, 0.6), (0.7, 1.1), (-1.4, -1.0), (1.1, 1.45), (-1.75, -1.35))
NORMAL = 1.959964
ATTEMPTS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One draw of a data set.

    Attributes:
        truth: The quantity that the notebook estimates, as it is in the process.
        estimate: What a usual method makes of this draw.
        error: Its standard error, by a usual method.
        write: Writes the data set into a folder that exists and is empty.
    """

    truth: float
    estimate: float
    error: float
    write: Callable[[Path], None]

    @property
    def distance(self) -> float:
        """How many standard errors the estimate is away from the truth."""
        return (self.estimate - self.truth) / self.error if self.error > 0 else 0.0


def write_decision_sets(folder: Path, draw: Callable[[int, int], Sample]) -> None:
    """Fill the `decision` folder of a hidden split.

    Args:
        folder: Made here; gets a folder per data set and `truth.json`.
        draw: Given the number of a data set and of an attempt, draws it. All attempts of one number come from
            one world; worlds of different numbers differ in the quantity that is estimated.

    Raises:
        ValueError: The distances never came out as they shall: the standard error must be wrong.
    """
    truths: dict[str, dict[str, float]] = {}
    for number, (low, high) in enumerate(DISTANCES):
        sample = _drawn(draw, number, low, high)
        target = folder / str(number)
        target.mkdir(parents=True)
        sample.write(target)
        truths[str(number)] = {"value": sample.truth, "width": 2 * NORMAL * sample.error}
    (folder / "truth.json").write_text(json.dumps(truths, indent=2) + "\n", encoding="utf-8")


def _drawn(draw: Callable[[int, int], Sample], number: int, low: float, high: float) -> Sample:
    for attempt in range(ATTEMPTS):
        sample = draw(number, attempt)
        if low <= sample.distance <= high:
            return sample
    raise ValueError(f"data set {number}: no draw of {ATTEMPTS} lies {low} to {high} standard errors from the truth")

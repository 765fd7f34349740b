"""For generators: the data sets that a decision notebook is executed on, and what is true of them.

Whether an honest interval covers the truth is luck, one time in twenty. A check of one or two points must
not be a lottery, so the data sets are drawn until the usual estimate lies where it shall, in standard errors
from the truth: near it in the first two, further off, to both sides, in the others. An interval of about
the right width then covers all of them, and one of half the width misses the same ones for everybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

# Lowest and highest distance of the usual estimate from the truth, in standard errors, by data set.
DISTANCES = ((-1.0, 1.0), (-0.6, 0.6), (0.7, 1.1), (-1.4, -1.0), (1.1, 1.45), (-1.75, -1.35))
NORMAL = 1.959964
ATTEMPTS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """What a notebook estimates: as it is in the process, and as a usual method finds it in one draw.

    Attributes:
        truth: The quantity in the process.
        estimate: What a usual method makes of this draw.
        error: Its standard error, by a usual method.
    """

    truth: float
    estimate: float
    error: float

    @property
    def distance(self) -> float:
        """How many standard errors the estimate is away from the truth."""
        return (self.estimate - self.truth) / self.error if self.error > 0 else 0.0

    @property
    def as_truth(self) -> dict[str, float]:
        """What checks are told."""
        return {"value": self.truth, "width": 2 * NORMAL * self.error}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One draw of a data set.

    Attributes:
        truth: As in `Quantity`.
        estimate: As in `Quantity`.
        error: As in `Quantity`.
        write: Writes the data set into a folder that exists and is empty.
        by_method: Where the quantity depends on the method that the notebook chooses: method to quantity.
    """

    truth: float
    estimate: float
    error: float
    write: Callable[[Path], None]
    by_method: Mapping[str, Quantity] = field(default_factory=dict)

    @property
    def quantities(self) -> list[Quantity]:
        """All that must lie as it shall."""
        return [Quantity(truth=self.truth, estimate=self.estimate, error=self.error), *self.by_method.values()]


def write_decision_sets(folder: Path, draw: Callable[[int, int], Sample]) -> None:
    """Fill the `decision` folder of a hidden split.

    Args:
        folder: Made here; gets a folder per data set and `truth.json`.
        draw: Given the number of a data set and of an attempt, draws it. All attempts of one number come from
            one world; worlds of different numbers differ in the quantity that is estimated.

    Raises:
        ValueError: The distances never came out as they shall: the standard error must be wrong.
    """
    truths: dict[str, dict[str, object]] = {}
    for number, (low, high) in enumerate(DISTANCES):
        sample = _drawn(draw, number, low, high)
        target = folder / str(number)
        target.mkdir(parents=True)
        sample.write(target)
        methods = {name: quantity.as_truth for name, quantity in sample.by_method.items()}
        truths[str(number)] = sample.quantities[0].as_truth | ({"methods": methods} if methods else {})
    (folder / "truth.json").write_text(json.dumps(truths, indent=2) + "\n", encoding="utf-8")


def _drawn(draw: Callable[[int, int], Sample], number: int, low: float, high: float) -> Sample:
    for attempt in range(ATTEMPTS):
        sample = draw(number, attempt)
        if all(low <= quantity.distance <= high for quantity in sample.quantities):
            return sample
    raise ValueError(f"data set {number}: no draw of {ATTEMPTS} lies {low} to {high} standard errors from the truth")

"""Numbers of a process whose mean is drawn."""

from __future__ import annotations

import random
from pathlib import Path

from grader.checker.decision_sets import Sample, write_decision_sets

COUNT = 200


def generate(seed: int, split: str, destination: Path) -> None:
    """Write numbers, and for the hidden split the decision sets."""
    raw = destination / "raw" if split == "hidden" else destination
    raw.mkdir(parents=True, exist_ok=True)
    (raw / "numbers.txt").write_text("1.4\n2.6\n")
    if split == "hidden":
        write_decision_sets(destination / "decision", lambda number, attempt: draw(seed, number, attempt))


def draw(seed: int, number: int, attempt: int) -> Sample:
    """Draw numbers around a mean of their world."""
    truth = 10 + 3 * number + random.Random(f"{seed}/{number}").random()
    chance = random.Random(f"{seed}/{number}/{attempt}")
    values = [chance.gauss(truth, 1) for _ in range(COUNT)]
    text = "\n".join(f"{value:.6f}" for value in values)
    return Sample(
        truth=truth,
        estimate=sum(values) / COUNT,
        error=COUNT**-0.5,
        write=lambda folder: (folder / "numbers.txt").write_text(text) and None,
    )

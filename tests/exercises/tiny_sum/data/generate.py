"""Numbers to add up."""

import random
from pathlib import Path


def generate(seed: int, split: str, destination: Path) -> None:
    """Write `raw/numbers.txt`, and `truth.txt` beside it."""
    numbers = [random.Random(f"{seed}/{split}/{row}").randrange(1000) for row in range(50)]
    (destination / "raw").mkdir(parents=True)
    (destination / "raw" / "numbers.txt").write_text("".join(f"{number}\n" for number in numbers))
    (destination / "truth.txt").write_text(str(sum(numbers)))

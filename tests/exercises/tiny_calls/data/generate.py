"""Numbers to remember the largest of, and what the reference makes of them."""

import json
import sys
from pathlib import Path

import numbers_of

sys.path.insert(0, str(Path(__file__).parents[1] / "reference"))


def generate(seed: int, split: str, destination: Path) -> None:
    """Write `numbers.parquet`, and for checks `reference.json`."""
    from largest import Largest

    table = numbers_of.table(seed)
    table.to_parquet(destination / "numbers.parquet")
    largest = Largest()
    largest.fit(table)
    (destination / "reference.json").write_text(json.dumps(largest.above(1e9)))

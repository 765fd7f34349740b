"""Processor time of the checker for one window of drift_detector: drawing it and writing it as an Arrow stream.

`python -m tests.bench.bench_windows [COUNT]` prints it for data frames and for Arrow tables, in turns.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from rich.console import Console

from grader.checker.staging import as_stream

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "exercises" / "drift_detector" / "data"))
from world import World

SORTS: dict[str, Callable[[Any, int], Iterable[Any]]] = {
    "window of 500 rows": lambda world, number: [world.pooled(500, np.random.default_rng(number))],
    "window of a stream, 200 rows": lambda world, number: world.stream(1, np.random.default_rng(number)),
    "labelled, 1000 rows": lambda world, number: [world.feedback(1000, np.random.default_rng(number))],
}


def main() -> None:
    """Measure each sort."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    plain: Any = World(11)
    worlds = {"data frame": plain, "Arrow": plain.in_arrow}
    for sort, draw in SORTS.items():
        spent = dict.fromkeys(worlds, 0.0)
        for number in range(-2, count):
            for name, world in worlds.items():
                began = process_time()
                for table in draw(world, number % count):
                    as_stream(table)
                spent[name] += (process_time() - began) * (number >= 0)  # the first two only warm up
        said = ", ".join(f"{name} {1000 * seconds / count:.2f} ms" for name, seconds in spent.items())
        Console().print(f"{sort}: {said}", highlight=False)


if __name__ == "__main__":
    main()

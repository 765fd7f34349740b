"""Generate a variant of `drift_detector`: what candidates see, and what checks need beside the world itself.

public   reference.parquet, reference_labels.parquet, and 12 tagged windows of the same world: examples/, examples.json
hidden   reference.parquet, reference_labels.parquet, and reference_power.json: how often the reference solution notices
         each drift; decision/: data sets for the notebook. Windows are not stored: checks draw them from the world of
         the same seed.
"""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import numpy as np
from power import measure_power
from ranking import write_decision, write_reference
from tables_out import write_parquet
from world import SIZES, World

# mode, rows, kind, and place of the size on the ladder; the order is shuffled
EXAMPLES = (
    ("pooled", 500, None, 0),
    ("pooled", 60, None, 0),
    ("slice", 500, None, 0),
    ("slice", 2000, None, 0),
    ("slice", 500, "mean", 1),
    ("pooled", 500, "scale", 2),
    ("slice", 500, "shape", 2),
    ("pooled", 500, "category", 1),
    ("slice", 500, "level", 1),
    ("slice", 500, "missing", 2),
    ("pooled", 500, "pair", 1),
    ("slice", 500, "unit", 2),
)


def generate(seed: int, split: str, destination: Path) -> None:
    """Write one split of a variant; the same seed gives the same bytes.

    Args:
        seed: The variant's seed.
        split: "public" or "hidden".
        destination: Folder to write into; made if it is not there.

    Raises:
        ValueError: Another split is asked for.
    """
    if split not in ("public", "hidden"):
        raise ValueError(f"there is no split {split!r}; it is 'public' or 'hidden'")
    destination.mkdir(parents=True, exist_ok=True)
    world = World(seed)
    reference, labels = world.reference(), world.reference_labels()
    write_reference(reference, labels, destination)
    if split == "public":
        _write_examples(world, destination)
    else:
        # Neither needs the other, and there are two cores.
        notebook = multiprocessing.get_context("fork").Process(
            target=write_decision, args=(seed, destination / "decision")
        )
        notebook.start()
        measured = measure_power(world, reference, labels)
        (destination / "reference_power.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        notebook.join()
        if notebook.exitcode:
            raise RuntimeError(f"the data sets of the notebook were not written (exit code {notebook.exitcode})")


def _write_examples(world: World, destination: Path) -> None:
    (destination / "examples").mkdir(exist_ok=True)
    rng = np.random.default_rng([world.seed, 4])
    tags = {}
    for number, place in enumerate(rng.permutation(len(EXAMPLES)), start=1):
        mode, rows, kind, step = EXAMPLES[place]
        size = SIZES[kind][step] if kind else None
        window = (world.pooled if mode == "pooled" else world.slice)(rows, rng, kind, size)
        name = f"window_{number:02d}.parquet"
        write_parquet(window, destination / "examples" / name)
        tags[name] = {
            "hours": "all week" if mode == "pooled" else "four hours",
            "rows": rows,
            "drift": kind is not None,
            "kind": kind,
            "features": list(world.target(kind)) if kind else [],
        }
    (destination / "examples.json").write_text(json.dumps(tags, indent=2) + "\n", encoding="utf-8")

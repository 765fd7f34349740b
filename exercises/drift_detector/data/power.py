"""What the reference solution detects in a world: the measure that submissions are laid beside."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from world import KINDS, SIZES, World

ALPHA = 0.05
WINDOWS = 80  # a cell; with 3 sizes the standard error of a mean is about .025
CLEAN = 200
ROWS = 500
MODES = ("pooled", "slice")
REFERENCE = Path(__file__).resolve().parents[1] / "reference"
REFERENCE_IN_REPOSITORY = Path(__file__).resolve().parents[1] / "solutions" / "reference"


def reference_detector() -> object:
    """Return a detector of the reference solution, which lies beside this folder when data are generated."""
    folder = REFERENCE if REFERENCE.is_dir() else REFERENCE_IN_REPOSITORY
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    from drift import DriftDetector

    return DriftDetector(alpha=ALPHA, seed=0)


def measure_power(
    world: World, reference: pd.DataFrame, labels: pd.DataFrame, *, windows: int = WINDOWS, clean: int = CLEAN
) -> dict[str, object]:
    """Measure detection per mode, kind and size, and false alarms per mode.

    Args:
        world: The world.
        reference: Its reference table.
        labels: The labels of the reference.
        windows: Windows per cell; all of them differ from those that checks draw.
        clean: Windows without drift per mode.
    """
    detector = reference_detector()
    detector.fit(reference, labels)  # type: ignore[attr-defined]
    rng = np.random.default_rng([world.seed, 5])

    def rate(mode: str, count: int, kind: str | None = None, size: float | None = None) -> float:
        draw = world.pooled if mode == "pooled" else world.slice
        answers = (detector.check(draw(ROWS, rng, kind, size)) for _ in range(count))  # type: ignore[attr-defined]
        return sum(answer["drift"] for answer in answers) / count

    power = {
        mode: {kind: {f"{size:g}": rate(mode, windows, kind, size) for size in SIZES[kind]} for kind in KINDS}
        for mode in MODES
    }
    false_alarms = {mode: rate(mode, clean) for mode in MODES}
    return {"power": power, "false_alarms": false_alarms, "alpha": ALPHA, "rows": ROWS, "windows": windows}

"""What `grader author new` writes can be graded, for every kind; in child processes, without Docker.

The whole ladder of one kind is proved in real boxes by the test of the authors' guide.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.author.expectations import earned_by, violations
from grader.author.scaffolding import KINDS, write_exercise
from grader.catalog.exercises import load_exercise
from grader.catalog.ladder import materialise, rung_named
from grader.engine.grade import Harness
from tests.conftest import Bench

CALIBRATION = """
{"exercise": "order_values", "version": "0.1.0", "digest": "", "made": "2026-11-28", "machine": "", "worlds": 3,
 "repeats": 1, "seconds": 1, "peak_memory": 1,
 "spreads": [{"rung": "reference", "n": 3, "mean": 100, "sd": 0.5, "low": 99, "high": 100}]}
"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_earns_everything(process_harness: Harness, kind: str, tmp_path: Path) -> None:
    source = write_exercise("order_values", kind, tmp_path).folder
    rung = rung_named(source, "reference")
    materialise(rung, tmp_path / "reference")
    (source / "calibration.json").write_text(CALIBRATION)
    sheet = Bench(process_harness, load_exercise(source), source).grade(tmp_path / "reference", "v1").sheet
    earned = earned_by(sheet, "reference", "v1")
    assert list(violations(rung.expected, earned, None)) == []
    assert earned.shares == {"A1": 1.0, "A2": 1.0, "B1": 1.0}
    assert [plot.caption for line in sheet.checks for plot in line.plots] == ["Typical order value of each shop"]
    assert sheet.band is not None
    assert (sheet.band.sd, sheet.band.worlds, sheet.band.solution) == (0.5, 3, "reference")

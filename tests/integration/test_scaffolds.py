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


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_earns_everything(process_harness: Harness, kind: str, tmp_path: Path) -> None:
    source = write_exercise("order_values", kind, tmp_path).folder
    rung = rung_named(source, "reference")
    materialise(rung, tmp_path / "reference")
    sheet = Bench(process_harness, load_exercise(source), source).grade(tmp_path / "reference", "v1").sheet
    earned = earned_by(sheet, "reference", "v1")
    assert list(violations(rung.expected, earned, None)) == []
    assert earned.shares == {"A1": 1.0, "A2": 1.0, "B1": 1.0}
    assert [plot.caption for line in sheet.checks for plot in line.plots] == ["Typical order value of each shop"]

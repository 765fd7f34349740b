"""Real runs of the references tell how near they came to the limits that they were given."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.catalog.exercises import load_exercise
from grader.engine.grade import Harness
from tests.conftest import TINY, Bench

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("tiny_sum", {"command_seconds"}),
        ("tiny_calls", {"start_seconds", "call_seconds"}),
        ("tiny_web", {"start_seconds"}),
    ],
)
def test_what_comes_nearest_to_each_limit_is_on_the_sheet(docker_harness: Harness, name: str, limits: set[str]) -> None:
    source: Path = TINY.parent / name
    exercise = load_exercise(source)
    sheet = Bench(docker_harness, exercise, source).grade(source / "solutions" / "reference").sheet
    nearest = sheet.resources.nearest
    assert set(nearest) == limits, sheet.faults
    assert all(0 < each.seconds < each.given for each in nearest.values())
    assert all(nearest[limit].given <= getattr(exercise.manifest.limits, limit) for limit in limits)

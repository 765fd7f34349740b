"""How many at once, who is alone, and what comes first."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import pytest

from grader.engine.jobs import Hall, default_jobs
from grader.engine.ordering import Forecast
from grader.model.exercise import Exercise, ReferenceRung

GIB = 1024**3


@pytest.mark.parametrize(
    ("cores", "gib", "changes", "jobs"),
    [
        (8, 64, {}, 8),
        (8, 8, {}, 5),  # 6.4 GiB, each run 1.25
        (8, 1, {}, 1),
        (8, 8, {"reference": ReferenceRung()}, 4),
        (8, 64, {"timing": "exclusive"}, 1),
    ],
)
def test_jobs_follow_cores_and_memory(
    tiny: Exercise, cores: int, gib: int, changes: dict[str, object], jobs: int
) -> None:
    manifest = tiny.manifest.model_copy(update=changes)
    assert default_jobs(manifest, cores=cores, memory=gib * GIB) == jobs


def test_who_is_alone_keeps_others_out_and_the_other_way_round(tmp_path: Path) -> None:
    stopped = Event()
    hall, other = Hall(tmp_path, Event()), Hall(tmp_path, stopped)
    told: list[str] = []

    def waiting() -> None:
        told.append("waiting")
        stopped.set()

    with hall.place(alone=False), Hall(tmp_path, Event()).place(alone=False) as second:
        assert second
        with other.place(alone=True, waiting=waiting) as entered:
            assert (entered, told) == (None, ["waiting"])
    stopped.clear()
    with hall.place(alone=True), other.place(alone=False, waiting=waiting) as entered:
        assert not entered
    stopped.clear()
    with other.place(alone=True) as entered:
        assert entered


def test_a_forecast_takes_what_is_known_and_the_mean_for_the_rest() -> None:
    forecast = Forecast({"a": 10.0}, jobs=2)
    assert Forecast({}, jobs=2).left(["a"]) is None
    assert forecast.left(["a", "b"]) == 10
    forecast.done(30)
    assert forecast.left(["a", "b"]) == 20

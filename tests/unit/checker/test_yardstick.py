"""The unit that checks divide durations by."""

from __future__ import annotations

import pytest

from grader.checker.api import yardstick


def test_the_shortest_of_all_times_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 5.0, 10.0, 11.0, 20.0, 23.0])
    monkeypatch.setattr("grader.checker.api.time.process_time", lambda: next(moments))
    assert yardstick(lambda: None, times=3) == 1.0


def test_work_of_no_time_can_still_be_divided_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.checker.api.time.process_time", lambda: 7.0)
    assert yardstick(lambda: None) > 0

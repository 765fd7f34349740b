"""Tables travel in full frames: few of them, and every byte arrives under its name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grader import frames
from grader.agent.stream import Refused
from grader.agent.workers import STAGED_CAP, Workers
from grader.checker.staging import Staging


@pytest.fixture
def workers(tmp_path: Path) -> Workers:
    return Workers(tmp_path, tmp_path, lambda threads: {})


class Wire:
    """Carries frames to the agent's side, and counts them."""

    def __init__(self, workers: Workers) -> None:
        self.bodies: list[int] = []
        self._workers = workers

    def __call__(self, header: Mapping[str, Any], body: bytes) -> None:
        self.bodies.append(len(body))
        self._workers.stage(dict(header), body)


def arrived(workers: Workers, names: list[str]) -> list[bytes]:
    taken = workers._taken({name: {"$table": name} for name in names})
    return [taken[name] for name in names]


def test_many_tables_share_a_frame_and_a_large_one_is_cut(workers: Workers) -> None:
    wire = Wire(workers)
    staging = Staging(wire)
    tables = [bytes([number]) * 1000 for number in range(200)] + [b"large" * (frames.BODY_CAP // 4)] + [b"last"]
    names = [staging.add(table) for table in tables]
    staging.send()
    assert arrived(workers, names) == tables
    assert wire.bodies[:-1] == [frames.BODY_CAP], "a frame is sent when it is full"
    assert sum(wire.bodies) == sum(map(len, tables))


def test_what_was_sent_is_not_sent_again(workers: Workers) -> None:
    wire = Wire(workers)
    staging = Staging(wire)
    staging.add(b"once")
    staging.send()
    staging.send()
    assert wire.bodies == [4]


def test_a_box_takes_tables_up_to_its_cap(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.agent.workers.STAGED_CAP", 10)
    assert STAGED_CAP > 10
    workers.stage({"pieces": [("t1", 6)]}, b"sixsix")
    with pytest.raises(Refused, match="more tables than the box accepts"):
        workers.stage({"pieces": [("t2", 6)]}, b"sixsix")

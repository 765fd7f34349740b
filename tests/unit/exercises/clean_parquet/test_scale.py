"""G3 stops a program in the middle of its work, however long the main run took beside others, and when it writes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import test_g_scale

FILES = dict.fromkeys(test_g_scale.OUTPUTS, 100)
PART = {"report.json": 3}


class Program:
    """Needs 4 s, at the end of which it writes its output; fails on broken input."""

    def __init__(self, *, writes: dict[str, int], fails: bool = True) -> None:
        self.stops: list[float] = []
        self._writes, self._fails = writes, fails

    def run(
        self, arguments: list[str], inputs: dict[str, Path], seconds: float = 60.0, *, until_output: bool = False
    ) -> SimpleNamespace:
        if inputs["raw"].parent.name == "crash":
            return SimpleNamespace(timed_out=False, exit_status=int(self._fails), seconds=1.0, files={})
        if until_output:
            return SimpleNamespace(timed_out=False, exit_status=None, seconds=3.9, files=self._writes)
        self.stops.append(seconds)
        done = seconds >= 4
        status, files = (0, FILES) if done else (None, {})
        return SimpleNamespace(timed_out=not done, exit_status=status, seconds=min(seconds, 4.0), files=files)


def earned(monkeypatch: pytest.MonkeyPatch, program: Program, main_seconds: float = 4.0) -> float:
    """What G3 gives a program whose main run took so long."""
    monkeypatch.setattr(test_g_scale, "recall_gate", lambda _: 1.0)
    monkeypatch.setattr(test_g_scale, "gate_note", lambda _: "")
    awarded = list[float]()
    main_run = SimpleNamespace(seconds=main_seconds, exit_status=0, files=FILES)
    variant = SimpleNamespace(path=Path("variant"))
    test_g_scale.test_atomic_output(
        main_run, Path("main/raw"), None, program, variant, lambda share, *_, **__: awarded.append(share)
    )
    return awarded[0]


@pytest.mark.parametrize(("main_seconds", "stops"), [(4.0, [2.2]), (10.0, [5.5, 2.2])])
def test_a_program_is_stopped_before_it_is_done(
    monkeypatch: pytest.MonkeyPatch, main_seconds: float, stops: list[float]
) -> None:
    program = Program(writes=FILES)
    assert earned(monkeypatch, program, main_seconds) == 1
    assert program.stops == pytest.approx(stops)


@pytest.mark.parametrize(
    ("program", "share"),
    [
        (Program(writes={}), 1),
        (Program(writes=PART), 0.25),
        (Program(writes=FILES | {"orders.parquet": 50}), 0.25),
        (Program(writes=FILES, fails=False), 0.75),
    ],
)
def test_part_of_the_output_costs_most_of_it(monkeypatch: pytest.MonkeyPatch, program: Program, share: float) -> None:
    assert earned(monkeypatch, program) == share

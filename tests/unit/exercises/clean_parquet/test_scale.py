"""G3 stops a program in the middle of its work, however long the main run took beside others."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import test_g_scale

FILES = dict.fromkeys(test_g_scale.OUTPUTS, 100)


class Program:
    """Fails on broken input, and otherwise needs 4 s, at the end of which it writes its output."""

    def __init__(self) -> None:
        self.stops: list[float] = []

    def run(self, arguments: list[str], inputs: dict[str, Path], seconds: float | None = None) -> SimpleNamespace:
        if inputs["raw"].parent.name == "crash":
            return SimpleNamespace(timed_out=False, exit_status=1, seconds=1.0, files={})
        assert seconds is not None
        self.stops.append(seconds)
        done = seconds >= 4
        return SimpleNamespace(
            timed_out=not done,
            exit_status=0 if done else None,
            seconds=min(seconds, 4.0),
            files=FILES if done else {"report.json": 3},
        )


@pytest.mark.parametrize(("main_seconds", "stops"), [(4.0, [2.2, 3.4]), (10.0, [5.5, 2.2, 3.4])])
def test_a_program_is_stopped_before_it_is_done(
    monkeypatch: pytest.MonkeyPatch, main_seconds: float, stops: list[float]
) -> None:
    monkeypatch.setattr(test_g_scale, "recall_gate", lambda _: 1.0)
    monkeypatch.setattr(test_g_scale, "gate_note", lambda _: "")
    program, awarded = Program(), list[float]()
    main_run = SimpleNamespace(seconds=main_seconds, exit_status=0, files=FILES)
    variant = SimpleNamespace(path=Path("variant"))
    test_g_scale.test_atomic_output(
        main_run, Path("main/raw"), None, program, variant, lambda share, *_, **__: awarded.append(share)
    )
    assert program.stops == pytest.approx(stops)
    assert awarded == [0.5]

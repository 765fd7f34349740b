"""What `grader author prove` ends with: every run counts, and whoever can help is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from grader.author.expectations import Earned
from grader.cli import proving
from grader.cli.proving import Order, prove_all
from grader.cli.rungs import Work
from grader.config import Settings
from grader.engine.grade import Harness
from grader.model.run import Party
from tests.unit.author.conftest import TINY

FINE: Mapping[str, object] = {"status": "graded", "percent": 100.0}
LOST: Mapping[str, object] = {"status": "faulted", "faults": ("lost",), "to_act": (Party.INFRASTRUCTURE,)}
DEFECT: Mapping[str, object] = {"status": "faulted", "faults": ("wrong",), "to_act": (Party.AUTHOR,)}


@pytest.mark.parametrize(
    ("third", "status", "said"),
    [
        (FINE, 0, ""),
        (
            {"status": "graded", "percent": 90.0},
            5,
            "tiny_sum, v1, time 3: reference earned 90.0, outside of 100 to 100",
        ),
        (LOST, 4, "tiny_sum, v1, time 3: reference is faulted (lost), not graded"),
        (DEFECT, 5, "tiny_sum, v1, time 3: reference is faulted (wrong), not graded"),
    ],
)
def test_every_time_counts(
    process_harness: Harness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    third: Mapping[str, object], status: int, said: str,
) -> None:  # fmt: skip
    @contextmanager
    def opened(*_: object) -> Iterator[Harness]:
        yield process_harness

    def grade(harness: Harness, work: list[Work], jobs: int) -> None:
        for proof, rung, candidate, repeat in work:
            found = third if repeat == 3 else FINE
            named = {"rung": rung.name, "candidate": candidate, "repeat": repeat, "submission": "", "exercise": ""}
            proof.keep(Earned.model_validate({**named, **found}))

    monkeypatch.setattr(proving, "open_harness", opened)
    monkeypatch.setattr(proving, "grade_rungs", grade)
    order = Order(names=[str(TINY)], rungs="reference", variants=1, repeats=3, fresh=False, html=None)
    assert prove_all(Settings(cache_dir=tmp_path), order) == status
    assert said in " ".join(capsys.readouterr().out.split())

"""Grading many rungs: in order, side by side, and interrupted without waiting for what runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Event

import pytest

from grader.author.proof import Proof
from grader.cli.rungs import Work, grade_rungs
from grader.engine.grade import Harness
from grader.engine.jobs import Place
from grader.errors import BoxLost
from grader.sandbox.port import Box, BoxSpec
from tests.unit.author.conftest import TINY


class Recorder(Proof):
    """A proof that opens one box a rung, and notes what happens."""

    log: list[str]

    def verify_generator(self, harness: Harness, candidate: str, report: object) -> None:
        self.log.append(f"generator {candidate}")


class Hanging:
    """A sandbox of one box, which reads until it is ended."""

    def __init__(self) -> None:
        self.ended = Event()

    def open(self, spec: BoxSpec) -> Box:
        return HangingBox(self.ended)  # type: ignore[return-value]


class HangingBox:
    def __init__(self, ended: Event) -> None:
        self.ended = ended

    def kill(self) -> None:
        self.ended.set()


def work(proof: Proof, count: int) -> list[Work]:
    return [(proof, proof.rungs[0], f"v{number}", 1) for number in range(1, count + 1)]


@pytest.fixture
def proof(tmp_path: Path) -> Recorder:
    base = Proof.of(TINY, tmp_path, "reference")
    recorder = Recorder(exercise=base.exercise, source=TINY, rungs=base.rungs, file=base.file)
    recorder.log = []
    return recorder


@pytest.mark.parametrize("jobs", [1, 3])
def test_everything_is_graded_once_and_the_generator_is_looked_at_first(
    proof: Recorder, process_harness: Harness, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setattr(Recorder, "prove", lambda self, _harness, _rung, candidate, *_: self.log.append(candidate))
    grade_rungs(process_harness, work(proof, 5), jobs)
    assert proof.log[0] == "generator v1"
    assert sorted(proof.log[1:]) == ["v1", "v2", "v3", "v4", "v5"]


@pytest.mark.parametrize("interrupted", ["v1", "v2"])
def test_an_interruption_ends_the_boxes_of_the_others(
    proof: Recorder, process_harness: Harness, monkeypatch: pytest.MonkeyPatch, interrupted: str
) -> None:
    hanging, reading = Hanging(), Event()

    def prove(self: Recorder, harness: Harness, _rung: object, candidate: str, *_: object) -> None:
        if candidate == interrupted:
            assert reading.wait(30), "the other never opened a box"
            raise KeyboardInterrupt
        box = harness.sandbox.open(None)  # type: ignore[arg-type]
        reading.set()
        assert hanging.ended.wait(30), "nobody ended the box"
        self.log.append(f"{candidate} ended")
        assert box is not None
        raise BoxLost("ended")

    monkeypatch.setattr(Recorder, "prove", prove)
    with pytest.raises(KeyboardInterrupt):
        grade_rungs(replace(process_harness, sandbox=hanging), work(proof, 2), 2)
    assert [text.rpartition(" ")[2] for text in proof.log] == ["v1", "ended"]


@pytest.mark.parametrize(("timing", "together"), [("shared", True), ("exclusive", False)])
def test_what_measures_time_is_graded_alone_whatever_is_said(
    proof: Recorder, process_harness: Harness, monkeypatch: pytest.MonkeyPatch, timing: str, together: bool
) -> None:
    manifest = proof.exercise.manifest.model_copy(update={"timing": timing})
    proof.exercise = proof.exercise.model_copy(update={"manifest": manifest})
    met: list[bool] = []
    meeting = Barrier(2)

    def prove(self: Recorder, *arguments: object) -> None:
        assert isinstance(arguments[-1], Place), "timed checks of a rung could not be alone"
        try:
            meeting.wait(30 if together else 0.2)
            met.append(True)
        except BrokenBarrierError:
            met.append(False)

    monkeypatch.setattr(Recorder, "prove", prove)
    grade_rungs(process_harness, work(proof, 2), 2)
    assert met == [together, together]

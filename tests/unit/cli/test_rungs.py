"""Grading many rungs: in order, side by side, and interrupted without waiting for what runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Event

import pytest

from grader.author.expectations import Earned
from grader.author.proof import Proof
from grader.cli.rungs import Work, grade_rungs
from grader.engine.grade import Harness
from grader.engine.jobs import Place
from grader.errors import BoxLost, InfrastructureFault
from grader.model.run import Party
from grader.sandbox.port import Box, BoxSpec
from tests.unit.author.conftest import TINY


class Recorder(Proof):
    """A proof that opens one box a rung, and notes what happens."""

    log: list[str]

    def verify_generator(self, harness: Harness, candidates: Sequence[str], report: object) -> None:
        self.log.append(f"generator {' '.join(candidates)}")


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


def earned(status: str) -> Earned:
    faults = ("no engine answers",) if status == "faulted" else ()
    to_act = (Party.INFRASTRUCTURE,) if status == "faulted" else ()
    base = {"rung": "reference", "candidate": "v1", "submission": "", "exercise": ""}
    return Earned(**base, status=status, faults=faults, to_act=to_act)


def ending(monkeypatch: pytest.MonkeyPatch, status: Callable[[str], str]) -> None:
    """Let each rung be noted, and end as is said of its candidate."""

    def prove(self: Recorder, _harness: object, _rung: object, candidate: str, *_: object) -> Earned:
        self.log.append(candidate)
        return earned(status(candidate))

    monkeypatch.setattr(Recorder, "prove", prove)


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
    ending(monkeypatch, lambda _: "graded")
    grade_rungs(process_harness, work(proof, 5), jobs)
    assert proof.log[0] == "generator v1 v2 v3 v4 v5"
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
    assert [text.rpartition(" ")[2] for text in proof.log[1:]] == ["ended"]


@pytest.mark.parametrize(("timing", "together"), [("shared", True), ("exclusive", False)])
def test_what_measures_time_is_graded_alone_whatever_is_said(
    proof: Recorder, process_harness: Harness, monkeypatch: pytest.MonkeyPatch, timing: str, together: bool
) -> None:
    manifest = proof.exercise.manifest.model_copy(update={"timing": timing})
    proof.exercise = proof.exercise.model_copy(update={"manifest": manifest})
    met: list[bool] = []
    meeting = Barrier(2)

    def prove(self: Recorder, *arguments: object) -> Earned:
        assert isinstance(arguments[-1], Place), "timed checks of a rung could not be alone"
        try:
            meeting.wait(30 if together else 0.2)
            met.append(True)
        except BrokenBarrierError:
            met.append(False)
        return earned("graded")

    monkeypatch.setattr(Recorder, "prove", prove)
    grade_rungs(process_harness, work(proof, 2), 2)
    assert met == [together, together]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_broken_machine_ends_the_work_instead_of_failing_every_run(
    proof: Recorder, process_harness: Harness, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    ending(monkeypatch, lambda _: "faulted")
    with pytest.raises(InfrastructureFault, match=r"in a row failed because of this machine.*no engine") as caught:
        grade_rungs(process_harness, work(proof, 40), jobs)
    assert caught.value.hint
    assert len(proof.log) < 20


def test_a_mistake_of_the_author_is_not_blamed_on_the_machine(
    proof: Recorder, process_harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def prove(self: Recorder, _harness: Harness, _rung: object, candidate: str, *_: object) -> Earned:
        self.log.append(candidate)
        return earned("faulted").model_copy(update={"to_act": (Party.AUTHOR,)})

    monkeypatch.setattr(Recorder, "prove", prove)
    grade_rungs(process_harness, work(proof, 20), 1)
    assert len(proof.log) == 1 + 20


def test_faulted_runs_among_others_end_nothing(
    proof: Recorder, process_harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending(monkeypatch, lambda candidate: "graded" if candidate == "v5" else "faulted")
    grade_rungs(process_harness, work(proof, 8))
    assert len(proof.log) == 1 + 8

"""Timed checks: alone on the machine, whoever else is graded; and nobody pays for having waited."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Barrier, Event, Lock, Thread

import pytest

from grader import frames
from grader.catalog.exercises import load_exercise
from grader.clock import Deadline
from grader.engine.grade import Graded, GradingRun, Watcher
from grader.engine.jobs import Hall
from grader.engine.relay import Relay
from grader.engine.submission_box import SubmissionBox
from grader.engine.turns import Turns
from grader.errors import BoxLost, InfrastructureFault
from grader.frames import Frame
from grader.model.exercise import Limits
from grader.sandbox.channel import Channel
from grader.sandbox.port import Box, BoxSpec, Role
from tests.scripted import ScriptedBox, ScriptedSandbox, obliging, reply
from tests.scripted_runs import Stage
from tests.unit.engine.test_relay import PASSED, checker
from tests.unit.engine.test_submission_box import SPEC, SUBMISSION

PATIENCE = 20.0
TIMED = frozenset({"A1"})


def opened() -> tuple[SubmissionBox, ScriptedBox]:
    """A submission's box that is open."""
    sandbox = ScriptedSandbox({Role.SUBMISSION: obliging})
    box = SubmissionBox(sandbox, SPEC, SUBMISSION)
    box.open_session()
    return box, sandbox.boxes[0]


def nobody_waits() -> None:
    raise AssertionError("the place was not free")


@dataclass
class Run:
    """One of several runs that are graded side by side: its boxes, and whether they were frozen when it waited.

    `waits` is set when it waits, and when it has ended: whoever came first may never have had to.
    """

    stage: Stage
    boxes: list[Box] = field(default_factory=list)
    waits: Event = field(default_factory=Event)
    frozen: list[bool] = field(default_factory=list)
    graded: list[Graded] = field(default_factory=list)

    def open(self, spec: BoxSpec) -> Box:
        """Open a scripted box, and remember it."""
        box = self.stage.runs.open(spec)
        if spec.role is Role.SUBMISSION:
            self.boxes.append(box)
        return box

    def grade(self, path: Path) -> None:
        """Grade a submission in the hall of the stage."""
        stage, harness = self.stage, replace(self.stage.harness, sandbox=self)
        with Hall(stage.folder, Event()).place(alone=False) as place:
            run = GradingRun(harness, stage.exercise, stage.source, None, Watcher(step=self.step))
            self.graded.append(run.grade(path, place=place))
        self.waits.set()

    def step(self, text: str) -> None:
        """Note that it waits."""
        if text.startswith("waiting"):
            self.frozen.append(all(box.paused for box in self.boxes if isinstance(box, ScriptedBox)))
            self.waits.set()


def test_a_timed_check_shares_the_machine_with_nothing_of_another_run(tmp_path: Path) -> None:
    """Two runs meet in their first check; in its timed one, each stays until it has seen the other wait."""
    stage = Stage(tmp_path)
    checks = stage.source / "checks" / "test_sums.py"
    checks.write_text(checks.read_text().replace('id="B1",', 'id="B1", timed=True,'))
    stage.exercise = load_exercise(stage.source)
    runs = {"ada": Run(stage), "alan": Run(stage)}
    seen: list[tuple[bool, str]] = []
    lock, together = Lock(), Barrier(2)

    def check(begins: bool, name: str, program: bytes) -> None:
        with lock:
            seen.append((begins, name))
        if begins and name == "A1":
            together.wait(PATIENCE)
        if begins and name == "B1":
            other = runs["alan" if program.split()[-1] == b"ada" else "ada"]
            assert other.waits.wait(PATIENCE), "the other one does not wait"

    stage.runs.check = check
    threads = [Thread(target=run.grade, args=(stage.write(name),), daemon=True) for name, run in runs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(3 * PATIENCE)
    assert [run.graded[0].sheet.earned for run in runs.values()] == [10, 10]
    begun = [at for at, event in enumerate(seen) if event == (True, "B1")]
    assert [seen[at + 1] for at in begun] == [(False, "B1")] * 2
    assert {frozen for run in runs.values() for frozen in run.frozen} == {True}
    assert not any(box.paused for run in runs.values() for box in run.boxes if isinstance(box, ScriptedBox))


def test_time_spent_waiting_is_not_taken_from_the_run() -> None:
    seen: list[float] = []

    def submission(frame: Frame) -> Sequence[Frame]:
        seen.append(frame.header.get("seconds", 0))
        return [reply(frame, b"", status=0)]

    box = SubmissionBox(ScriptedSandbox({Role.SUBMISSION: submission}), SPEC, SUBMISSION)
    steps = [
        ("check.started", {"check": "A1"}, b""),
        ("command.run", {"argv": ["x"], "seconds": 10**6}, b""),
        ("check.result", {"result": PASSED}, b""),
    ]
    channel = Channel(ScriptedBox(checker(steps)))
    relay = Relay(channel, box, ("A1",), Limits(), lambda *_: None, begin=lambda _: 20.0)
    relay.serve({}, Deadline(100))
    assert relay.waited == 20.0
    assert seen[-1] == pytest.approx(110, abs=1)  # a tenth of 100 s is the checks' own


def test_who_waits_when_everything_is_stopped_waits_no_longer(tmp_path: Path) -> None:
    stopped = Event()
    box, inner = opened()
    with Hall(tmp_path, Event()).place(alone=False), Hall(tmp_path, stopped).place(alone=False) as place:
        turns = Turns(place, TIMED, box, lambda _: stopped.set())
        with pytest.raises(BoxLost, match="stopped"):
            turns.begin("A1")
    assert not inner.paused


def test_a_checker_that_dies_in_a_timed_check_leaves_the_machine_to_others(tmp_path: Path) -> None:
    def script(frame: Frame) -> Sequence[Frame] | None:
        if frame.kind != frames.REQUEST:
            with Hall(tmp_path, stopped).place(alone=False, waiting=stopped.set) as other:
                assert other is None, "the check is not alone"
            return None
        return [Frame(frames.REQUEST, 1, {"op": "check.started", "check": "A1"})]

    stopped = Event()
    box, _ = opened()
    with Hall(tmp_path, Event()).place(alone=False) as place:
        turns = Turns(place, TIMED, box, lambda _: None)
        with pytest.raises(BoxLost):
            Relay(Channel(ScriptedBox(script)), box, ("A1",), Limits(), lambda *_: None, begin=turns.begin).serve(
                {}, Deadline(100)
            )
    with Hall(tmp_path, Event()).place(alone=True, waiting=nobody_waits) as entered:
        assert entered


def test_a_timed_check_after_a_timed_one_keeps_the_machine_and_the_next_shares_it(tmp_path: Path) -> None:
    box, inner = opened()
    stopped = Event()
    with Hall(tmp_path, Event()).place(alone=False) as place:
        turns = Turns(place, frozenset({"A1", "A2"}), box, lambda _: nobody_waits())
        for check in ("A1", "A2"):
            turns.begin(check)
            with Hall(tmp_path, stopped).place(alone=False, waiting=stopped.set) as other:
                assert other is None
            stopped.clear()
        with ExitStack() as waiting:  # somebody is at the gate
            assert Hall(tmp_path, Event()).lock("gate", fcntl.LOCK_EX, waiting, None)
            turns.begin("A2")
        turns.begin("A3")
        with Hall(tmp_path, Event()).place(alone=False, waiting=nobody_waits) as other:
            assert other
    assert not inner.paused


def test_a_run_lets_a_timed_check_of_another_go_before_its_own_next_check(tmp_path: Path) -> None:
    box, inner = opened()
    waits, seen = Event(), list[tuple[str, bool]]()

    def timed() -> None:
        with Hall(tmp_path, Event()).place(alone=False) as place:
            Turns(place, TIMED, opened()[0], lambda _: waits.set()).begin("A1")
            seen.append(("the other's timed check", inner.paused))

    other = Thread(target=timed, daemon=True)
    with Hall(tmp_path, Event()).place(alone=False) as place:
        other.start()
        assert waits.wait(PATIENCE)
        Turns(place, frozenset(), box, lambda _: None).begin("A2")
        seen.append(("the next check", inner.paused))
    other.join(PATIENCE)
    assert seen == [("the other's timed check", True), ("the next check", False)]


def test_a_run_that_wants_the_machine_to_its_end_interrupts_nobody_and_comes_before_newcomers(tmp_path: Path) -> None:
    box, _ = opened()
    waits, stopped = Event(), Event()
    seen: list[str] = []

    def whole_run() -> None:
        with Hall(tmp_path, Event()).place(alone=True, waiting=waits.set):
            seen.append("the run that is alone")

    other = Thread(target=whole_run, daemon=True)
    with Hall(tmp_path, Event()).place(alone=False) as place:
        other.start()
        assert waits.wait(PATIENCE)
        with Hall(tmp_path, stopped).place(alone=False, waiting=stopped.set) as newcomer:
            assert newcomer is None
        turns = Turns(place, TIMED, box, lambda _: nobody_waits())
        for check in ("A2", "A1", "A3"):
            turns.begin(check)
        seen.append("the run that was inside")
    other.join(PATIENCE)
    assert seen == ["the run that was inside", "the run that is alone"]


def test_a_run_that_has_the_machine_to_its_end_gives_it_to_nobody(tmp_path: Path) -> None:
    stopped = Event()
    box, _ = opened()
    with Hall(tmp_path, Event()).place(alone=True) as place:
        Turns(place, frozenset(), box, lambda _: nobody_waits()).begin("A1")
        with Hall(tmp_path, stopped).place(alone=False, waiting=stopped.set) as other:
            assert other is None


def test_a_box_that_a_check_has_paused_stays_so(tmp_path: Path) -> None:
    box, inner = opened()
    box.pause()
    with box.frozen():
        pass
    assert inner.paused
    box.resume()
    with box.frozen():
        assert inner.paused
    assert not inner.paused


def test_a_box_that_cannot_be_frozen_has_ended_and_is_no_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: ScriptedBox) -> None:
        raise InfrastructureFault("the container is not running")

    monkeypatch.setattr(ScriptedBox, "pause", gone)
    with opened()[0].frozen():
        pass
    monkeypatch.undo()
    monkeypatch.setattr(ScriptedBox, "resume", gone)
    with pytest.raises(InfrastructureFault), opened()[0].frozen():
        pass

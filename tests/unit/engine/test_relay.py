"""The relay: forwards what may be forwarded, keeps answers, and believes no undeclared check."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from grader import clock, frames
from grader.clock import Deadline
from grader.engine.relay import Relay
from grader.engine.submission_box import SubmissionBox
from grader.errors import BoxLost, ExerciseDefect
from grader.frames import Frame
from grader.model.exercise import Limits
from grader.model.run import Nearest
from grader.sandbox.channel import Channel
from grader.sandbox.port import Role
from tests.scripted import Script, ScriptedBox, ScriptedSandbox, obliging, refuse, reply
from tests.unit.engine.test_submission_box import SPEC, SUBMISSION

PASSED = {"check": "A1", "outcome": "passed", "fraction": 1.0}

Steps = Sequence[tuple[str, dict[str, Any], bytes]]
LIMITS = Limits()


def checker(steps: Steps, answers: list[Frame] | None = None) -> Script:
    """A checker that asks these things one after the other, and then ends its run."""
    pending = list(steps)
    run = 0

    def script(frame: Frame) -> Sequence[Frame]:
        nonlocal run
        if frame.kind == frames.REQUEST:
            run = frame.request
        elif answers is not None:
            answers.append(frame)
        if not pending:
            return [Frame(frames.REPLY, run, {"status": 0})]
        op, header, body = pending.pop(0)
        return [Frame(frames.REQUEST, 100 - len(pending), {"op": op, **header}, body)]

    return script


def box_of(submission: Script) -> SubmissionBox:
    return SubmissionBox(ScriptedSandbox({Role.SUBMISSION: submission}), SPEC, SUBMISSION)


def serve(
    script: Script,
    submission: Script | SubmissionBox = obliging,
    report: Callable[..., None] = lambda *_: None,
    seconds: float = 100,
    limits: Limits = LIMITS,
) -> Relay:
    box = submission if isinstance(submission, SubmissionBox) else box_of(submission)
    relay = Relay(Channel(ScriptedBox(script)), box, ("A1",), limits, report)
    relay.serve({}, Deadline(seconds))
    return relay


def test_keeps_the_result_and_its_pictures() -> None:
    steps = [
        ("check.started", {"check": "A1"}, b""),
        ("check.plot", {"check": "A1", "caption": "Rows"}, b"<svg/>"),
        ("check.result", {"result": PASSED}, b""),
    ]
    seen: list[object] = []
    relay = serve(checker(steps), report=lambda *event: seen.append(event))
    assert relay.results["A1"].plots[0].svg == "<svg/>"
    assert seen == [("A1", None), ("A1", relay.results["A1"])]


def test_forwards_with_the_harness_own_limits_and_measures() -> None:
    seen: list[dict[str, Any]] = []

    def submission(frame: Frame) -> Sequence[Frame]:
        seen.append(frame.header)
        return [reply(frame, b"out", status=0, measured={"seconds": -1})]

    answers: list[Frame] = []
    run = ("command.run", {"argv": ["x"], "seconds": 10**6, "printed": 10**9}, b"")
    serve(checker([run, ("check.result", {"result": PASSED}, b"")], answers), submission)
    assert (seen[-1]["seconds"], seen[-1]["printed"]) == (pytest.approx(90, abs=1), 1024**2)
    assert answers[0].header["measured"]["seconds"] >= 0
    assert answers[0].body == b"out"


def test_a_call_has_the_time_that_its_check_gives_it() -> None:
    """Fitting on a busy machine may take longer than other calls; only the time of the whole run is above it."""
    seen: list[dict[str, Any]] = []

    def submission(frame: Frame) -> Sequence[Frame]:
        seen.append(frame.header)
        return [reply(frame, b"{}")]

    calls = [("calls.everywhere", {"seconds": seconds}, b"{}") for seconds in (Limits().call_seconds + 10, 10**6)]
    serve(checker([*calls, ("check.result", {"result": PASSED}, b"")]), submission)
    given = [header["seconds"] for header in seen if header["op"] == "calls.everywhere"]
    assert given == [Limits().call_seconds + 10, pytest.approx(90, abs=1)]


def test_what_comes_nearest_to_a_limit_is_noted() -> None:
    box = box_of(lambda frame: [reply(frame, longest=0.0)])
    steps = [
        ("service.ready", {"seconds": 4.0, "given": 60.0}, b""),
        ("service.ready", {"seconds": 3.0, "given": 6.0}, b""),
        ("service.ready", {"seconds": 20.0, "given": 60.0}, b""),
        ("command.run", {"argv": ["x"], "seconds": 7}, b""),
        ("calls.map", {"seconds": 8, "all_seconds": 80}, b"[]"),
        ("file.list", {}, b""),
        ("check.result", {"result": PASSED}, b""),
    ]
    serve(checker(steps), box)
    nearest = box.resources.nearest
    assert nearest["start_seconds"] == Nearest(seconds=3.0, given=6.0)
    assert {name: each.given for name, each in nearest.items()} == {
        "start_seconds": 6.0, "command_seconds": 7.0, "call_seconds": 8.0,
    }  # fmt: skip


@pytest.mark.parametrize("how", ["timed_out", "interrupted"])
def test_what_a_check_cuts_short_is_near_to_no_limit(how: str) -> None:
    box = box_of(lambda frame: [reply(frame, **{how: True})])
    steps = [
        ("command.run", {"argv": ["x"], "seconds": 0.5}, b""),
        ("check.result", {"result": PASSED}, b""),
    ]
    serve(checker(steps), box)
    assert box.resources.nearest == {}


def test_what_used_up_a_limit_of_the_exercise_is_noted() -> None:
    """An author whose limit is too low learns it from here: `lint` sees that nothing is left."""
    box = box_of(lambda frame: [reply(frame, timed_out=True)])
    steps = [("command.run", {"argv": ["x"], "seconds": 10**6}, b""), ("check.result", {"result": PASSED}, b"")]
    limits = Limits(command_seconds=20)
    serve(checker(steps), box, limits=limits)
    assert box.resources.nearest == {"command_seconds": Nearest(seconds=20.0, given=20.0)}


@pytest.mark.parametrize("longest", ["long", None, -1, 1e9, True, [1]])
def test_a_box_that_lies_about_its_longest_call_says_nothing(longest: object) -> None:
    box = box_of(lambda frame: [reply(frame, longest=longest)])
    steps = [
        ("calls.map", {"seconds": 8, "all_seconds": 80}, b"[]"),
        ("check.result", {"result": PASSED}, b""),
    ]
    serve(checker(steps), box)
    assert box.resources.nearest["call_seconds"].seconds == 0.0


def test_a_failure_of_the_submission_is_told_to_the_checker() -> None:
    answers: list[Frame] = []
    steps = [("file.get", {"path": "x"}, b""), ("check.result", {"result": PASSED}, b"")]
    serve(
        checker(steps, answers),
        lambda frame: [
            refuse(frame, "missing") if "path" in frame.header and frame.header["op"] == "file.get" else reply(frame)
        ],
    )
    assert (answers[0].kind, answers[0].header["code"]) == (frames.REFUSAL, "missing_output")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([], "No answer came for A1"),
        ([("check.result", {"result": {**PASSED, "check": "Z9"}}, b"")], "not declared"),
        ([("check.result", {"result": PASSED}, b"")] * 2, "twice"),
        ([("check.result", {"result": {**PASSED, "fraction": 1.5}}, b"")], "makes no sense"),
        ([("submission.put", {"path": "x"}, b"")], "does not exist"),
        ([("check.plot", {"check": "A1", "caption": "c"}, b"")] * 7, "more than 6"),
    ],
    ids=["no answer", "undeclared", "twice", "share above one", "forbidden operation", "too many pictures"],
)
def test_a_checker_that_breaks_its_side_is_a_defect(steps: Steps, message: str) -> None:
    with pytest.raises(ExerciseDefect, match=message):
        serve(checker(steps))


def test_a_checker_that_ends_is_a_fault() -> None:
    with pytest.raises(BoxLost):
        serve(lambda _: None)


def test_checks_that_hang_are_a_defect_and_named() -> None:
    def script(frame: Frame) -> Sequence[Frame]:
        started = Frame(frames.REQUEST, 1, {"op": "check.started", "check": "A1"})
        return [started] if frame.kind == frames.REQUEST else []

    with pytest.raises(ExerciseDefect, match="A1 was running"):
        serve(script)


def taking(seconds: float, monkeypatch: pytest.MonkeyPatch) -> Script:
    """A submission that takes so long for its first answer, on a clock that stands still otherwise."""
    now = [0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])

    def answer(frame: Frame) -> Sequence[Frame]:
        now[0] = max(now[0], seconds)
        return [reply(frame)]

    return answer


def test_a_submission_that_used_up_the_runs_time_fails_and_the_run_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Frame] = []
    run = ("command.run", {"argv": ["x"], "seconds": 5, "printed": 1}, b"")
    submission = taking(0.95, monkeypatch)
    serve(checker([run, run, ("check.result", {"result": PASSED}, b"")], answers), submission, seconds=1)
    assert answers[1].header["code"] == "timeout"


def test_the_reference_can_still_be_asked_when_the_submission_used_up_the_runs_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: list[Frame] = []
    submission = taking(0.95, monkeypatch)
    box, reference = (
        SubmissionBox(ScriptedSandbox({Role.SUBMISSION: script}), SPEC, SUBMISSION) for script in (submission, obliging)
    )
    ask = ("calls.map", {"seconds": 5, "all_seconds": 5}, b"")
    others = [("file.list", {"path": "x"}, b""), ("calls.map", {**ask[1], "box": "reference"}, b"")]
    script = checker([ask, *others, ("check.result", {"result": PASSED}, b"")], answers)
    relay = Relay(Channel(ScriptedBox(script)), box, ("A1",), Limits(), lambda *_: None, reference)
    relay.serve({}, Deadline(1))
    assert [(each.kind, each.header.get("code")) for each in answers] == [
        (frames.REPLY, None), (frames.REFUSAL, "timeout"), (frames.REPLY, None), (frames.REPLY, None)
    ]  # fmt: skip


def test_what_could_not_be_measured_is_kept_apart_and_counts_as_an_answer() -> None:
    relay = serve(checker([("check.unmeasured", {"check": "A1", "because": "noise"}, b"")]))
    assert (relay.unmeasured, relay.results) == ({"A1": "noise"}, {})


def test_a_box_that_the_exercise_does_not_have_is_a_defect() -> None:
    with pytest.raises(ExerciseDefect, match="the box of 'reference', which this exercise does not have"):
        serve(checker([("session.open", {"box": "reference"}, b"")]))


def test_a_reference_that_fails_is_the_authors_fault() -> None:
    def failing(frame: Frame) -> Sequence[Frame]:
        return [refuse(frame, "missing", "no file") if frame.header["op"] == "file.get" else reply(frame)]

    box = SubmissionBox(ScriptedSandbox({Role.SUBMISSION: obliging}), SPEC, SUBMISSION)
    reference = SubmissionBox(ScriptedSandbox({Role.SUBMISSION: failing}), SPEC, SUBMISSION)
    script = checker([("file.get", {"path": "x", "box": "reference"}, b"")])
    relay = Relay(Channel(ScriptedBox(script)), box, ("A1",), Limits(), lambda *_: None, reference)
    with pytest.raises(ExerciseDefect, match=r"The reference solution failed at file\.get: no file"):
        relay.serve({}, Deadline(100))


def test_an_answer_that_fits_no_frame_is_the_submissions_failure() -> None:
    answers: list[Frame] = []
    wide = {"entries": "x" * (frames.HEADER_CAP - 50)}
    steps = [("file.list", {"path": "x"}, b""), ("check.result", {"result": PASSED}, b"")]
    serve(checker(steps, answers), lambda frame: [reply(frame, **(wide if frame.header["op"] == "file.list" else {}))])
    assert answers[0].header["code"] == "protocol"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([("load.stop", {}, b"")], "not started"),
        ([("load.run", {"concurrency": 99}, b"")], "99 requests at once"),
        ([("load.run", {"concurrency": "x"}, b"")], "makes no sense"),
        ([("load.stage", {"requests": [{"size": 0}] * 20_001}, b"")], "more than 20,000"),
    ],
)
def test_a_load_that_makes_no_sense_is_a_defect(steps: Steps, message: str) -> None:
    with pytest.raises(ExerciseDefect, match=message):
        serve(checker(steps))

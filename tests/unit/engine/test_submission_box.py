"""The submission box: measured, replaced when broken, and never the reason for a wrong blame."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from grader.engine.load import LoadOptions, LoadRequest
from grader.engine.submission_box import SubmissionBox, SubmissionFailure
from grader.errors import BoxLost
from grader.frames import Frame
from grader.model.exercise import BoxLimits
from grader.model.reasons import Reason
from grader.model.run import Nearest, Sign
from grader.model.submission import Submission, SubmissionFile
from grader.sandbox.port import BoxSpec, Ending, Role
from tests.scripted import NO_WALLS, Script, ScriptedSandbox, obliging, refuse, reply

SUBMISSION = Submission(label="ada", files=(SubmissionFile(path="clean.py", content=b"pass\n"),), digest="0" * 64)
SPEC = BoxSpec(role=Role.SUBMISSION, image="", limits=BoxLimits(), run="0" * 32, seconds=60)


def opened(script: Script, ending: Ending | None = None) -> tuple[SubmissionBox, ScriptedSandbox]:
    sandbox = ScriptedSandbox({Role.SUBMISSION: script})
    if ending:
        sandbox.ending = ending
    return SubmissionBox(sandbox, SPEC, SUBMISSION), sandbox


def only(op: str, answer: Script) -> Script:
    """Oblige in everything but one operation."""
    return lambda frame: answer(frame) if frame.header["op"] == op else [reply(frame)]


def run(box: SubmissionBox) -> None:
    box.open_session()
    box.request("command.run", {"argv": ["python"]}, b"", 5)


def test_delivers_every_file_before_the_first_session() -> None:
    seen: list[tuple[str, bytes]] = []

    def script(frame: Frame) -> Sequence[Frame | bytes]:
        seen.append((frame.header["op"], frame.body))
        return [reply(frame)]

    opened(script)[0].open_session()
    assert seen == [("hello", b""), ("submission.put", b"pass\n"), ("session.open", b"")]


def test_measures_from_outside_and_counts() -> None:
    box, _ = opened(only("command.run", lambda frame: [reply(frame, peak_memory=5 * 2**20)]))
    run(box)
    box.close()
    assert (box.resources.cpu_seconds, box.resources.peak_memory) == (1.5, 5 * 2**20)
    assert (box.resources.sessions, box.resources.boxes) == (1, 1)


def test_a_run_costs_what_the_box_used_meanwhile_and_the_sheet_counts_all() -> None:
    costs = {"hello": 1.0, "session.open": 10.0, "command.run": 2.0, "file.get": 4.0}

    def script(frame: Frame) -> Sequence[Frame | bytes]:
        sandbox.boxes[-1].cpu_seconds += costs.get(frame.header["op"], 0.0)
        return [reply(frame)]

    box, sandbox = opened(script)
    box.open_session()
    measured = []
    for _ in range(2):
        measured.append(box.request("command.run", {}, b"", 5).cpu_seconds)
        box.request("file.get", {}, b"", 5)
    box.close()
    assert measured == [2.0, 2.0]
    assert box.resources.cpu_seconds == 1.5 + 1.0 + 10.0 + 2 * (2.0 + 4.0)


def test_the_largest_share_of_each_limit_is_kept() -> None:
    box, _ = opened(obliging)
    for limit, seconds, given in [
        ("command_seconds", 1.0, 10.0), ("command_seconds", 3.0, 60.0), ("command_seconds", 2.0, 10.0),
        ("start_seconds", 1.0, 5.0), ("call_seconds", 1.0, 0.0),
    ]:  # fmt: skip
        box.near(limit, seconds, given)
    run(box)
    assert box.resources.nearest == {
        "command_seconds": Nearest(seconds=2.0, given=10.0),
        "start_seconds": Nearest(seconds=1.0, given=5.0),
    }


def test_what_failed_is_counted_as_well() -> None:
    box, sandbox = opened(only("command.run", lambda _: None), Ending(exit_status=1, oom=False, removed_by_us=False))
    with pytest.raises(SubmissionFailure):
        run(box)
    assert box.resources.peak_memory == sandbox.boxes[0].usage().memory
    assert box.resources.wall_seconds > 0


def test_a_box_that_dies_under_a_load_is_blamed_once() -> None:
    ending = Ending(exit_status=1, oom=False, removed_by_us=False)
    box, sandbox = opened(only("service.state", lambda _: None), ending)
    box.open_session()
    request = LoadRequest({"method": "GET", "path": "/"}, b"")
    options = LoadOptions(concurrency=1, keep_alive=True, repeat=True, seconds=1.0, cap=100)
    load = box.new_load([request], options, 5)
    box.carry(load)
    with pytest.raises(SubmissionFailure) as failure:
        box.request("service.state", {}, b"", 5)
    assert failure.value.reason is Reason.CRASHED
    box.end_load(load, at_once=True)
    box.open_session()
    assert [each.closed for each in sandbox.boxes] == [1, 0]


def test_a_box_that_ends_before_it_is_asked_anything_is_nobodys_failure() -> None:
    box, sandbox = opened(lambda frame: [reply(frame)])
    sandbox.stillborn = True
    with pytest.raises(BoxLost, match="did not start"):
        box.request("command.run", {}, b"", 5)
    assert sandbox.boxes[0].closed == 1


@pytest.mark.parametrize(
    ("script", "ending", "reason"),
    [
        (lambda _: None, Ending(exit_status=137, oom=True, removed_by_us=False), Reason.OOM),
        (lambda _: None, Ending(exit_status=1, oom=False, removed_by_us=False), Reason.CRASHED),
        (lambda _: [], Ending(exit_status=None, oom=False, removed_by_us=True), Reason.TIMEOUT),
        (lambda _: [b"\0" * 64], Ending(exit_status=None, oom=False, removed_by_us=True), Reason.PROTOCOL),
        (lambda frame: [refuse(frame, "disk")], Ending(exit_status=0, oom=False, removed_by_us=False), Reason.DISK),
    ],
    ids=["out of memory", "ended", "silent", "forged bytes", "disk full"],
)
def test_blames_the_submission_for_what_it_did(script: Script, ending: Ending, reason: Reason) -> None:
    box, _ = opened(only("command.run", script), ending)
    with pytest.raises(SubmissionFailure) as failure:
        run(box)
    assert failure.value.reason is reason


def test_a_box_that_is_gone_when_it_is_frozen_is_the_submissions_failure() -> None:
    box, sandbox = opened(lambda frame: [reply(frame)], Ending(exit_status=1, oom=False, removed_by_us=False))
    run(box)
    sandbox.boxes[0].ended = True
    with pytest.raises(SubmissionFailure) as failure:
        box.pause()
    assert failure.value.reason is Reason.CRASHED
    box.pause()  # another box
    assert [each.paused for each in sandbox.boxes] == [False, True]


def test_a_box_killed_from_outside_is_nobodys_failure() -> None:
    box, _ = opened(only("command.run", lambda _: None), Ending(exit_status=137, oom=False, removed_by_us=False))
    with pytest.raises(BoxLost):
        run(box)


@pytest.mark.parametrize(("runtime", "own"), [("runsc", True), ("runc", False)])
def test_on_gvisor_it_is_said_that_the_program_may_have_done_it(runtime: str, own: bool) -> None:
    ending = Ending(exit_status=137, oom=False, removed_by_us=False)
    box, _ = opened(only("command.run", lambda _: None), ending)
    box.open_session()
    box.isolation = NO_WALLS.model_copy(update={"runtime": runtime})
    with pytest.raises(BoxLost) as caught:
        box.request("command.run", {"argv": ["python"]}, b"", 5)
    assert ("its own program" in caught.value.message) is own


def test_a_dirty_box_is_replaced_and_noted() -> None:
    count = 0

    def script(frame: Frame) -> Sequence[Frame | bytes]:
        nonlocal count
        count += frame.header["op"] == "session.open"
        return [refuse(frame, "dirty") if count == 2 and frame.header["op"] == "session.open" else reply(frame)]

    box, sandbox = opened(script)
    box.open_session()
    box.open_session()
    assert (len(sandbox.boxes), sandbox.boxes[0].closed) == (2, 1)
    assert [each.sign for each in box.notices.all()] == [Sign.DIRTY]


def test_a_box_that_never_starts_is_a_fault() -> None:
    box, sandbox = opened(lambda _: None)
    with pytest.raises(BoxLost):
        box.open_session()
    assert sandbox.boxes[0].closed == 1


def test_endless_breaking_ends() -> None:
    box, sandbox = opened(only("command.run", lambda _: None), Ending(exit_status=1, oom=False, removed_by_us=False))
    for _ in range(60):
        with pytest.raises(SubmissionFailure):
            run(box)
    with pytest.raises(SubmissionFailure, match="too often"):
        box.open_session()
    assert len(sandbox.boxes) == 60

"""A submission's box that answers whatever it likes, whenever it likes: the run goes on, and nobody else is blamed.

Fresh boxes are honest until the program has been started, as they are in grading.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from grader import frames
from grader.clock import Deadline
from grader.engine.relay import Relay
from grader.engine.submission_box import BOXES_CAP, SubmissionBox, SubmissionFailure
from grader.frames import REPLY, Frame
from grader.model.exercise import Limits
from grader.model.reasons import Reason
from grader.model.run import Resources
from grader.sandbox.channel import Channel
from grader.sandbox.port import Ending, Role
from tests.fuzz.mutation import CASES
from tests.scripted import ScriptedBox, ScriptedSandbox, refuse, reply
from tests.unit.engine.test_relay import PASSED, checker
from tests.unit.engine.test_submission_box import SPEC, SUBMISSION

pytestmark = pytest.mark.fuzz

HONEST_OPS = ("hello", "submission.put", "session.open")
TEXT = st.text(max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
# Keys that the host looks at, with values of every kind.
KEYS = st.sampled_from(
    ["status", "peak_memory", "leftovers", "flooded", "timed_out", "entries", "end", "error", "headers", "measured"]
)
HEADERS = st.dictionaries(KEYS | TEXT, VALUES, max_size=5)
BODIES = st.binary(max_size=64)

Reaction = tuple[str, dict[str, Any], bytes]
REACTIONS = st.one_of(
    st.tuples(st.just("reply"), HEADERS, BODIES),
    st.tuples(st.just("refuse"), st.fixed_dictionaries({"code": TEXT | st.sampled_from(list(Reason))}), BODIES),
    st.tuples(st.sampled_from(["other", "request", "noise", "twice", "silence", "end", "huge"]), HEADERS, BODIES),
)


def react(frame: Frame, reaction: Reaction) -> Sequence[Frame | bytes] | None:
    """Answer as a reaction says."""
    kind, header, body = reaction
    answers: dict[str, Sequence[Frame | bytes] | None] = {
        "reply": [Frame(REPLY, frame.request, header, body)],
        "refuse": [refuse(frame, str(header.get("code")), "\0" * 3000)],
        "other": [Frame(REPLY, frame.request + 1, header, body)],
        "request": [Frame(frames.REQUEST, frame.request, {"op": "check.result", "result": PASSED}, body)],
        "noise": [body or b"x" * 40, b"GRF1" * 10],
        "twice": [Frame(REPLY, frame.request, header, body)] * 2,
        "silence": [],
        "end": None,
        "huge": [Frame(REPLY, frame.request, {"stdout": "x" * (frames.HEADER_CAP - 20)})],
    }
    return answers[kind]


class Hostile:
    """The script of a box: honest at the start, then as the reactions say, one for each thing that is asked."""

    def __init__(self) -> None:
        self.reactions: list[Reaction] = []

    def __call__(self, frame: Frame) -> Sequence[Frame | bytes] | None:
        if frame.header.get("op") in HONEST_OPS or not self.reactions:
            return [reply(frame)]
        return react(frame, self.reactions.pop(0))


ASKED = st.sampled_from(
    [
        ("command.run", {"argv": ["x"], "seconds": 1, "printed": 9}),
        ("file.list", {"path": "output"}),
        ("file.get", {"path": "output/x", "offset": 0, "length": 9}),
        ("calls.open", {"entry": "a:B", "workers": 1, "seconds": 1}),
        ("calls.map", {"seconds": 1, "all_seconds": 2}),
        ("service.state", {}),
        ("service.stop", {"signal": "TERM", "seconds": 1}),
        ("http.request", {"method": "GET", "path": "/", "seconds": 1, "cap": 9}),
        ("session.open", {}),
        ("box.usage", {}),
    ]
)
ENDINGS = [
    Ending(exit_status=0, oom=False, removed_by_us=False),
    Ending(exit_status=137, oom=True, removed_by_us=False),
    Ending(exit_status=1, oom=False, removed_by_us=False),
]


class Box(RuleBasedStateMachine):
    """Ask a box, let it misbehave, ask again."""

    def __init__(self) -> None:
        super().__init__()
        self.script = Hostile()
        self.sandbox = ScriptedSandbox({Role.SUBMISSION: self.script})
        self.box = SubmissionBox(self.sandbox, SPEC, SUBMISSION)
        self.before = Resources()

    @rule(asked=ASKED, reaction=REACTIONS, ending=st.sampled_from(ENDINGS))
    def ask(self, asked: tuple[str, dict[str, Any]], reaction: Reaction, ending: Ending) -> None:
        op, header = asked
        if op in ("session.open", "box.usage"):
            return
        self.script.reactions, self.sandbox.ending = [reaction], ending
        for box in self.sandbox.boxes:
            box.ending = ending
        with suppress(SubmissionFailure):
            self.box.request(op, header, b"", 1)

    @rule()
    def begin_again(self) -> None:
        self.script.reactions = []
        self.box.open_session()

    @rule()
    def ask_what_it_used(self) -> None:
        self.box.usage()

    @invariant()
    def no_box_is_forgotten(self) -> None:
        assert sum(not box.closed for box in self.sandbox.boxes) <= 1
        assert len(self.sandbox.boxes) == self.box.resources.boxes <= BOXES_CAP

    @invariant()
    def what_was_used_only_grows(self) -> None:
        now, before = self.box.resources, self.before
        assert now.wall_seconds >= before.wall_seconds
        assert now.cpu_seconds >= before.cpu_seconds
        assert 2**60 > now.peak_memory >= before.peak_memory
        self.before = now

    def teardown(self) -> None:
        self.box.close()
        assert all(box.closed for box in self.sandbox.boxes)


FEW = settings(max_examples=max(20, CASES // 4), stateful_step_count=20, deadline=None)
Box.TestCase.settings = FEW
TestBox = Box.TestCase


@settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ASKED, max_size=6), st.lists(REACTIONS, max_size=8), st.sampled_from(ENDINGS))
def test_no_answer_of_a_submission_is_anybody_elses_fault(
    asked: list[tuple[str, dict[str, Any]]], reactions: list[Reaction], ending: Ending
) -> None:
    script = Hostile()
    script.reactions = list(reactions)
    sandbox = ScriptedSandbox({Role.SUBMISSION: script}, ending=ending)
    box = SubmissionBox(sandbox, SPEC, SUBMISSION)
    answers: list[Frame] = []
    steps = [(op, header, b"") for op, header in asked]
    last = ("check.result", {"result": PASSED}, b"")
    relay = Relay(Channel(ScriptedBox(checker([*steps, last], answers))), box, ("A1",), Limits(), lambda *_: None)
    relay.serve({}, Deadline(100))
    box.close()
    assert list(relay.results) == ["A1"]
    assert not relay.defects
    assert len(answers) == len(steps) + 1
    for answer in answers:
        assert answer.kind in (frames.REPLY, frames.REFUSAL)
        assert len(json.dumps(answer.header)) <= frames.HEADER_CAP

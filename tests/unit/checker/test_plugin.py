"""The checker, as a child process with a scripted host: what each way to write a check becomes."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from grader import frames
from grader.clock import Deadline
from grader.frames import Frame
from grader.model.exercise import BoxLimits
from grader.sandbox.channel import Channel
from grader.sandbox.port import Box, BoxSpec, Role
from grader.sandbox.process_box import ProcessSandbox

HEAD = """
import pytest
from grader.checker.api import Reason, SubmissionFailed, linear

def check(name):
    return pytest.mark.check(id=name, points=1, competency="engineering", title=name)

@pytest.fixture(scope="session")
def broken():
    raise SubmissionFailed(Reason.TIMEOUT, "too slow", evidence={"seconds": 9})
"""

WAYS = """
@check("A1")
def test_full(award): award(1, "all right")
@check("A2")
def test_part(award): award(0.25, "a quarter", reason=Reason.SLOW, evidence={"n": 3}, metrics={"share": 0.25})
@check("A3")
def test_none(award): award(0)
@check("A4")
def test_assert(award): assert 1 == 2, "numbers differ"
@check("A5")
def test_failed(award): raise SubmissionFailed(Reason.SCHEMA, "wrong columns")
@check("A6")
def test_fixture(broken, award): award(1)
@check("A7")
@pytest.mark.requires("A3")
def test_blocked(award): award(1)
@check("A8")
@pytest.mark.requires("A9")
def test_later(award): award(1)
@check("A9")
def test_earlier(award): award(linear(0.74, 0.5, 0.98))
@check("B1")
def test_defect(award): {}["nothing"]
@check("B2")
def test_silent(award): pass
@check("B3")
def test_twice(award): award(1); award(1)
@check("B4")
def test_too_much(award): award(1.5)
@check("B5")
def test_nan(award): award(float("nan"))
@check("B6")
def test_skips(award): pytest.skip("no time")
@check("B7")
def test_random(variant, award): award(1, str(variant.random("x").random() == variant.random("x").random()))
@check("B8")
def test_not_finite(award): award(0.5, metrics={"x": float("inf"), "y": 1})
@check("B9")
def test_odd_words(award):
    many = {str(number): number for number in range(99)}
    award(0.5, "\\ud800\\x00" * 3000, evidence={"\\x1b" + "x" * 500: "\\udfff", **many})
"""

Answers = dict[str, dict[str, Any]]


def drive(box: Box, checks: str, expected: list[str]) -> tuple[Answers, Answers, Frame]:
    """Run checks in a box; return results, defects and the last reply."""
    deadline, channel = Deadline(60), Channel(box)
    source = (HEAD + textwrap.dedent(checks)).encode()
    channel.put_file("file.put", "checks/test_all.py", source, deadline)
    limits = {"seconds": 5, "start": 5, "call": 5, "printed": 1000, "file": 1000}
    start = {"kind": "command", "argv": ["x"]}
    request = {"seed": 1, "start": start, "checks": expected, "limits": limits}
    channel.start("checks.run", request, deadline)
    results: Answers = {}
    defects: Answers = {}
    while (frame := channel.receive(deadline)).kind == frames.REQUEST:
        for kept, name in ((results, "result"), (defects, "defect")):
            if name in frame.header:
                kept[frame.header[name]["check"]] = frame.header[name]
        channel.send(Frame(frames.REPLY, frame.request), deadline)
    return results, defects, frame


@pytest.fixture
def box() -> Iterator[Box]:
    spec = BoxSpec(role=Role.CHECKER, image="", limits=BoxLimits(), run="0" * 32, seconds=60)
    box = ProcessSandbox().open(spec)
    yield box
    box.close()


def test_every_way_to_write_a_check(box: Box) -> None:
    ids = [f"A{n}" for n in range(1, 10)] + [f"B{n}" for n in range(1, 10)]
    results, defects, _ = drive(box, WAYS, ids)
    outcomes = {name: (each["outcome"], each["fraction"], each["reason"]) for name, each in results.items()}
    assert outcomes == {
        "A1": ("passed", 1.0, None),
        "A2": ("partial", 0.25, "slow"),
        "A3": ("failed", 0.0, "wrong_answer"),
        "A4": ("failed", 0.0, "wrong_answer"),
        "A5": ("failed", 0.0, "schema"),
        "A6": ("failed", 0.0, "timeout"),
        "A7": ("blocked", 0.0, "blocked"),
        "A8": ("passed", 1.0, None),
        "A9": ("partial", pytest.approx(0.5), "wrong_answer"),
        "B7": ("passed", 1.0, None),
        "B8": ("partial", 0.5, "wrong_answer"),
        "B9": ("partial", 0.5, "wrong_answer"),
    }
    assert results["A2"]["evidence"] == [{"label": "n", "value": "3"}]
    assert results["A2"]["metrics"] == {"share": 0.25}
    assert "numbers differ" in results["A4"]["because"]
    assert results["B7"]["because"] == "True"
    assert set(defects) == {"B1", "B2", "B3", "B4", "B5", "B6"}
    assert results["B8"]["metrics"] == {"y": 1.0}
    assert (len(results["B9"]["because"]), len(results["B9"]["evidence"])) == (2048, 40)
    line = next(n for n, text in enumerate((HEAD + WAYS).splitlines(), 1) if "def test_defect" in text)
    assert (defects["B1"]["file"], defects["B1"]["line"]) == ("checks/test_all.py", line)


UNMEASURED = """
from grader.checker.api import NotMeasured

@check("A1")
def test_noisy(award): raise NotMeasured("the machine is busy")

@check("A2")
@pytest.mark.requires("A1")
def test_later(award): award(1)
"""


def test_what_could_not_be_measured_has_no_result_and_blocks_nothing(box: Box) -> None:
    results, defects, _ = drive(box, UNMEASURED, ["A1", "A2"])
    assert (set(results), results["A2"]["outcome"], defects) == ({"A2"}, "passed", {})


def test_there_are_fixtures_for_the_kind_of_program_and_no_others(box: Box) -> None:
    checks = """
@check("A1")
def test_given(command, variant, award): award(1)

@check("A2")
def test_not_given(service, award): award(1)
"""
    results, defects, _ = drive(box, checks, ["A1", "A2"])
    assert (set(results), set(defects)) == ({"A1"}, {"A2"})
    assert defects["A2"]["message"] == "there is no fixture 'service' for this kind of exercise"


@pytest.mark.parametrize(
    ("checks", "expected"),
    [
        ("@check('A1')\ndef test_a(award): award(1)\n", ["A1", "A2"]),
        ("@check('A1')\ndef test_a(award): award(1)\ndef test_b(): pass\n", ["A1"]),
        ("@check('A1')\n@pytest.mark.requires('A1')\ndef test_a(award): award(1)\n", ["A1"]),
        ("import no_such_module\n", ["A1"]),
    ],
    ids=["one is missing", "one has no mark", "requires itself", "does not import"],
)
def test_checks_that_cannot_be_run_answer_nothing(box: Box, checks: str, expected: list[str]) -> None:
    results, _, last = drive(box, checks, expected)
    assert results == {}
    assert last.header["status"] != 0

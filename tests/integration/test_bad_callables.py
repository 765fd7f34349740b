"""What strangers' classes do when they are called, each in a real box: the right reason, and nothing else is harmed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.catalog.exercises import load_exercise
from grader.engine.grade import Harness
from grader.model.reasons import Reason, Rejection
from grader.model.result import Outcome
from grader.model.run import RunStatus
from grader.model.sheet import ScoreSheet
from tests.conftest import Bench

pytestmark = pytest.mark.docker

CALLS = Path(__file__).parents[1] / "exercises" / "tiny_calls"
REFERENCE = (CALLS / "solutions" / "reference" / "largest.py").read_text()
ABOVE = "        return number > self.largest\n"
PASSED = (Outcome.PASSED, None)

Grade = Callable[[str], ScoreSheet]


@pytest.fixture
def grade(docker_harness: Harness, tmp_path: Path) -> Grade:
    bench = Bench(docker_harness, load_exercise(CALLS), CALLS)

    def run(program: str) -> ScoreSheet:
        (tmp_path / "largest.py").write_text(program)
        return bench.grade(tmp_path).sheet

    return run


def ends(sheet: ScoreSheet) -> dict[str, tuple[Outcome | None, Reason | None]]:
    return {check.id: (check.outcome, check.reason) for check in sheet.checks}


# Run once, in the 300 calls of A1 only, so that all other checks must be unharmed.
ONCE = "        if abs(number - self.largest) == 1 and not os.path.exists('/tmp/done'):\n            {}\n"

MISBEHAVIOUR = {
    "sleeps": ("time.sleep(60)", Reason.TIMEOUT),
    "ends itself": ("os._exit(0)", Reason.NO_RESPONSE),
    "leaves by sys.exit": ("sys.exit(3)", Reason.CRASHED),
    "kills itself": ("os.kill(os.getpid(), 11)", Reason.CRASHED),
    # Linux spares whoever asks, and the other process may have answered all of its calls.
    "kills everything": ("os.kill(-1, 9); os.kill(os.getpid(), 9)", Reason.CRASHED),
    "eats memory": ("[bytearray(2**20) for _ in range(10_000)]", Reason.OOM),
    "floods stdout": ("[print('x' * 1000) for _ in range(10_000)]; time.sleep(60)", Reason.OUTPUT_CAP),
    "returns an object": ("return object()", Reason.FORMAT),
    "returns too much": ("return 'x' * 1_000_000", Reason.TOO_LARGE),
    "writes on its pipe": ("[os.write(n, b'\\xff' * 64) for n in range(3, 20) if _is_pipe(n)]", Reason.PROTOCOL),
}

HELPERS = """
import os
import stat
import sys
import time


def _is_pipe(number):
    try:
        return stat.S_ISFIFO(os.fstat(number).st_mode) and os.write(number, b"") == 0
    except OSError:
        return False


"""


@pytest.mark.parametrize(("code", "reason"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR.keys())
def test_costs_its_own_check_for_the_right_reason(grade: Grade, code: str, reason: Reason) -> None:
    sheet = grade(HELPERS + REFERENCE.replace(ABOVE, ONCE.format(f"open('/tmp/done', 'w'); {code}") + ABOVE))
    assert sheet.status is RunStatus.GRADED, sheet.faults
    found = ends(sheet)
    assert found.pop("A1") == (Outcome.PARTIAL, reason)
    assert set(found.values()) == {PASSED}


def test_what_dies_in_every_call_is_replaced_three_times_and_no_more(grade: Grade) -> None:
    sheet = grade("import os\n" + REFERENCE.replace(ABOVE, "        os._exit(1)\n"))
    assert sheet.status is RunStatus.GRADED, sheet.faults
    assert ends(sheet)["A1"] == (Outcome.FAILED, Reason.CRASHED)
    assert ends(sheet)["C1"] == PASSED


def test_a_failing_fit_fails_what_needs_it_and_names_the_error(grade: Grade) -> None:
    sheet = grade(REFERENCE.replace('float(table["number"].max())', "1 / 0"))
    assert {end for end in ends(sheet).values()} == {(Outcome.FAILED, Reason.CRASHED)}
    assert "ZeroDivisionError: division by zero" in sheet.checks[0].because


def test_a_kind_of_an_exception_is_known_as_one(grade: Grade) -> None:
    own = REFERENCE.replace('ValueError("not', 'NoNumber("not').replace(
        "class Largest", "class NoNumber(ValueError):\n    pass\n\n\nclass Largest"
    )
    assert ends(grade(own))["B1"] == PASSED
    other = own.replace("NoNumber(ValueError)", "NoNumber(ArithmeticError)")
    assert ends(grade(other))["B1"] == (Outcome.FAILED, Reason.WRONG_ANSWER)


def test_prints_and_left_over_threads_harm_nobody(grade: Grade) -> None:
    noise = "print('noise', flush=True); threading.Thread(target=time.sleep, args=(600,)).start()"
    program = REFERENCE.replace("        self.count = 0\n", f"        self.count = 0\n        {noise}\n")
    sheet = grade("import threading, time\n" + program)
    assert set(ends(sheet).values()) == {PASSED}


@pytest.mark.parametrize("decorator", ["classmethod", "staticmethod"])
def test_load_may_return_the_object(grade: Grade, decorator: str) -> None:
    first = "cls, path" if decorator == "classmethod" else "path"
    load = f"    @{decorator}\n    def load({first}):\n        made = Largest()\n        made.largest = json.loads"
    program = REFERENCE.replace("    def load(self, path):\n        self.largest = json.loads", load)
    assert "made.largest" in program
    sheet = grade(program + "        return made\n")
    assert set(ends(sheet).values()) == {PASSED}


def test_what_cannot_be_copied_is_made_anew_for_every_sequence(grade: Grade) -> None:
    program = REFERENCE.replace(
        "        self.count = 0\n", "        self.count = 0\n        self.lock = threading.Lock()\n"
    )
    assert set(ends(grade("import threading\n" + program)).values()) == {PASSED}


SNOOP = """
import gc


class Largest:
    def __init__(self):
        self.seen = 0

    def fit(self, table):
        self.largest = float(table["number"].max())

    def above(self, number):
        later = [each for each in gc.get_objects() if isinstance(each, dict) and each.get("op") == "call"]
        return len(later) <= 1 and number > self.largest
"""


def test_a_worker_sees_one_call_at_a_time(grade: Grade) -> None:
    assert ends(grade(SNOOP))["A1"] == PASSED


UNUSABLE = {
    "no such class": (REFERENCE.replace("class Largest", "class Largst"), Rejection.IMPORT_ERROR),
    "raises at import": ("1 / 0\n" + REFERENCE, Rejection.IMPORT_ERROR),
    "not Python": ("def main(:\n", Rejection.SYNTAX_ERROR),
    "needs a package": ("import pyspark\n" + REFERENCE, Rejection.MISSING_PACKAGE),
}


@pytest.mark.parametrize(("program", "reason"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_is_rejected_before_any_points(grade: Grade, program: str, reason: Rejection) -> None:
    sheet = grade(program)
    assert sheet.rejection is not None, sheet.faults
    assert sheet.rejection.reason is reason

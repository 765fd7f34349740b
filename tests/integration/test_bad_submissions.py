"""What strangers' programs do, each in a real box: the right reason, and nothing else is harmed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.engine.grade import Harness
from grader.model.exercise import Exercise
from grader.model.reasons import Reason, Rejection
from grader.model.result import Outcome
from grader.model.run import RunStatus
from grader.model.sheet import ScoreSheet
from grader.sandbox.docker_engine import Engine
from tests.conftest import REFERENCE, TINY, Bench

pytestmark = pytest.mark.docker

Write = Callable[..., Path]

# Runs instead of the reference's work where there is a numbers.txt; check B1 has none, and must stay unharmed.
SABOTAGE = REFERENCE.replace("    arguments.out.mkdir()\n", "    misbehave(arguments.out)\n")

MISBEHAVIOUR = {
    "sleeps": ("time.sleep(60)", Reason.TIMEOUT),
    "eats memory": ("x = [bytearray(2**20) for _ in range(10_000)]", Reason.OOM),
    "child eats memory": ("os.fork() or [bytearray(2**20) for _ in range(10_000)]; os.wait()", Reason.OOM),
    "floods stdout": ("[print('x' * 1000) for _ in range(10_000)]", Reason.OUTPUT_CAP),
    "floods in one line": ("os.write(2, b'x' * 1_000_000)", Reason.OUTPUT_CAP),
    "writes nothing": ("sys.exit(0)", Reason.MISSING_OUTPUT),
    "exits at once": ("os._exit(0)", Reason.MISSING_OUTPUT),
    "writes half a file": ("out.mkdir(); (out / 'sum.json').write_text('{\"sum\": '); sys.exit(0)", Reason.FORMAT),
    "writes a link": ("out.mkdir(); (out / 'sum.json').symlink_to('/etc/passwd'); sys.exit(0)", Reason.FORMAT),
    "writes a folder": ("(out / 'sum.json').mkdir(parents=True); sys.exit(0)", Reason.MISSING_OUTPUT),
    "writes too much": ("out.mkdir(); (out / 'sum.json').write_text('1' * 9_000_000); sys.exit(0)", Reason.TOO_LARGE),
    "writes NaN": ("out.mkdir(); (out / 'sum.json').write_text('{\"sum\": NaN}'); sys.exit(0)", Reason.FORMAT),
    "writes thousands": (
        "out.mkdir(); [(out / str(n)).touch() for n in range(3000)]; sys.exit(0)",
        Reason.MISSING_OUTPUT,
    ),
    "nests deep": (
        "[(os.mkdir('d'), os.chdir('d')) for _ in range(3000)]; sys.exit(0)",
        Reason.MISSING_OUTPUT,
    ),
    "fails": ("sys.exit(7)", Reason.EXIT_STATUS),
    "raises": ("raise RuntimeError('no idea')", Reason.EXIT_STATUS),
    "kills itself": ("os.kill(os.getpid(), 11)", Reason.CRASHED),
    "kills everything": ("os.kill(-1, 9); os.kill(1, 9); sys.exit(7)", Reason.EXIT_STATUS),
    "fills the disk": ("out.mkdir(); open(out / 'x', 'wb').write(b'x' * 2**26)", Reason.DISK),
    "starts too many": ("[os.fork() or time.sleep(30) for _ in range(100)]", Reason.PIDS),
}


@pytest.fixture(scope="module")
def bench(docker_harness: Harness, tiny: Exercise) -> Bench:
    return Bench(docker_harness, tiny, TINY)


def outcomes(sheet: ScoreSheet) -> dict[str, tuple[Outcome | None, Reason | None]]:
    return {check.id: (check.outcome, check.reason) for check in sheet.checks}


@pytest.mark.parametrize(("code", "reason"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR.keys())
def test_costs_its_own_checks_for_the_right_reason(bench: Bench, submission: Write, code: str, reason: Reason) -> None:
    program = f"import os\nimport time\n\n\ndef misbehave(out):\n    {code}\n\n\n{SABOTAGE}"
    sheet = bench.grade(submission(files={"add.py": program})).sheet
    assert sheet.status is RunStatus.GRADED, sheet.faults
    assert outcomes(sheet) == {
        "A1": (Outcome.FAILED, reason),
        "B1": (Outcome.PASSED, None),
        "B2": (Outcome.BLOCKED, Reason.BLOCKED),
    }


UNUSABLE = {
    "no program": (
        {"add.py": "", "submission.toml": '[command]\nargv = ["python", "sum.py"]\n'},
        Rejection.ENTRY_MISSING,
    ),
    "not Python": ({"add.py": "def main(:\n"}, Rejection.SYNTAX_ERROR),
    "nested too deep": ({"add.py": "x = " + "(" * 5000 + ")" * 5000}, Rejection.SYNTAX_ERROR),
    "needs a package": ({"add.py": "import pyspark\n" + REFERENCE}, Rejection.MISSING_PACKAGE),
    "its module needs one": (
        {"add.py": "import helper\n" + REFERENCE, "helper.py": "from torch import nn\n"},
        Rejection.MISSING_PACKAGE,
    ),
    "raises at import": ({"add.py": "1 / 0\n" + REFERENCE}, Rejection.IMPORT_ERROR),
    "hangs at import": ({"add.py": "while True:\n    pass\n" + REFERENCE}, Rejection.IMPORT_TIMEOUT),
}


@pytest.mark.parametrize(("files", "reason"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_is_rejected_before_any_points(
    bench: Bench, submission: Write, files: dict[str, str], reason: Rejection
) -> None:
    sheet = bench.grade(submission(files=files)).sheet
    assert sheet.status is RunStatus.REJECTED, sheet.faults
    assert sheet.rejection is not None
    assert sheet.rejection.reason is reason
    assert (sheet.earned, sheet.checks) == (None, ())


def test_a_missing_package_is_named_and_so_is_what_there_is(bench: Bench, submission: Write) -> None:
    sheet = bench.grade(submission(files={"add.py": "import pyspark\n" + REFERENCE})).sheet
    assert sheet.rejection is not None
    assert "add.py line 1 imports pyspark" in sheet.rejection.message
    assert "pandas" in sheet.rejection.hint


def test_an_optional_import_is_fine(bench: Bench, submission: Write) -> None:
    program = "try:\n    import pyspark\nexcept ImportError:\n    pyspark = None\n" + REFERENCE
    assert bench.grade(submission(files={"add.py": program})).sheet.earned == 10


STARTED_AS_GRADED = {
    "modules beside a program in a folder": {
        "src/add.py": "from helper import NOTHING\n" + REFERENCE,
        "src/helper.py": "NOTHING = None\n",
        "submission.toml": '[command]\nargv = ["python", "src/add.py"]\n',
    },
    "arguments read at import": {"add.py": "import sys\nRAW = sys.argv[sys.argv.index('--raw') + 1]\n" + REFERENCE},
    "arguments counted at import": {"add.py": "import sys\nFIRST = sys.argv[1]\n" + REFERENCE},
}


@pytest.mark.parametrize("files", STARTED_AS_GRADED.values(), ids=STARTED_AS_GRADED.keys())
def test_what_works_when_it_is_started_is_not_rejected_before(
    bench: Bench, submission: Write, files: dict[str, str]
) -> None:
    sheet = bench.grade(submission(files=files)).sheet
    assert (sheet.status, sheet.earned) == (RunStatus.GRADED, 10), sheet.rejection


def test_nothing_is_left_of_an_earlier_session(bench: Bench, submission: Write) -> None:
    """A daemon and files of the first run are gone in the second; B1 would see them."""
    spoil = (
        "(pathlib.Path('/tmp') / 'left').touch(); (pathlib.Path('/dev/shm') / 'left').touch(); "
        "pathlib.Path('add.py').write_text('import sys; sys.exit(9)'); os.fork() or time.sleep(30); out.mkdir()"
    )
    program = (f"import os\nimport pathlib\nimport time\n\n\ndef misbehave(out):\n    {spoil}\n\n\n{SABOTAGE}").replace(
        "        return 3\n", "        return 9 if pathlib.Path('/tmp/left').exists() else 3\n"
    )
    sheet = bench.grade(submission(files={"add.py": program})).sheet
    assert outcomes(sheet)["A1"] == (Outcome.PASSED, None)
    assert outcomes(sheet)["B1"] == (Outcome.PASSED, None)


FORGER = """
import glob
import os


def misbehave(out):
    opened = 0
    for name in [*glob.glob("/proc/1/fd/*"), "/proc/1/mem", "/proc/1/environ"] + [f"/proc/1/fd/{n}" for n in range(64)]:
        try:
            with open(name, "r+b", buffering=0) as file:
                opened += 1
                file.write(b"GRF1" * 100)
        except OSError:
            pass
    sys.exit(40 + opened)


"""


def test_the_agents_streams_and_memory_are_out_of_reach(bench: Bench, submission: Write) -> None:
    sheet = bench.grade(submission(files={"add.py": FORGER + SABOTAGE})).sheet
    check = sheet.checks[0]
    assert (check.reason, check.because) == (
        Reason.EXIT_STATUS,
        "It ended with exit status 40; expected is exit status 0.",
    )
    assert outcomes(sheet)["B1"] == (Outcome.PASSED, None)


def test_no_box_is_left(bench: Bench, submission: Write, engine: Engine) -> None:
    run = bench.grade(submission()).sheet.run
    assert engine.client.containers.list(all=True, filters={"label": f"grader.run={run}"}) == []

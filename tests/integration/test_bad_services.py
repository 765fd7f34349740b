"""What strangers' servers do, each in a real box: the right reason, and nothing else is harmed."""

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

WEB = Path(__file__).parents[1] / "exercises" / "tiny_web"
REFERENCE = (WEB / "solutions" / "reference" / "serve.py").read_text()
PASSED = (Outcome.PASSED, None)
SPOKEN_WITH = ("A1", "A2", "A3", "B1")

Grade = Callable[[str], ScoreSheet]


@pytest.fixture
def grade(docker_harness: Harness, tmp_path: Path) -> Grade:
    bench = Bench(docker_harness, load_exercise(WEB), WEB)

    def run(program: str) -> ScoreSheet:
        (tmp_path / "serve.py").write_text(program)
        return bench.grade(tmp_path).sheet

    return run


def lost(sheet: ScoreSheet) -> dict[str, Reason | None]:
    assert sheet.status is RunStatus.GRADED, sheet.faults
    return {check.id: check.reason for check in sheet.checks if check.outcome is not Outcome.PASSED}


START = '    Path("log.txt").write_text("started")\n'
OFFSET = '        if self.path == "/offset":\n'

NEVER_READY = {
    "ends at once": ("    sys.exit(3)\n", Reason.CRASHED),
    "never listens": ("    __import__('time').sleep(60)\n", Reason.TIMEOUT),
    "listens on another port": (
        "    sys.argv[1] = '9'\n    sys.argv[1] = str(1 + int(os.environ['PORT']))\n",
        Reason.TIMEOUT,
    ),
    "floods stdout": ("    while True: print('x' * 1000)\n", Reason.OUTPUT_CAP),
    "eats memory": ("    x = [bytearray(2**20) for _ in range(10_000)]\n", Reason.OOM),
}


@pytest.mark.parametrize(("code", "reason"), NEVER_READY.values(), ids=NEVER_READY.keys())
def test_what_is_never_ready_fails_all_for_the_right_reason(grade: Grade, code: str, reason: Reason) -> None:
    blocked = dict.fromkeys(("B2", "C1"), Reason.BLOCKED)
    assert lost(grade(REFERENCE.replace(START, START + code))) == dict.fromkeys(SPOKEN_WITH, reason) | blocked


HEAD = "self.send_response(200); "
EMPTY = "self.send_header('Content-Length', '0'); self.end_headers()"
FOREVER = "self.end_headers()\n            while True: self.wfile.write(b'x'"

ODD_ANSWERS = {
    "endless body": (f"{HEAD}{FOREVER} * 65536)", Reason.TOO_LARGE),
    "drips": (f"{HEAD}{FOREVER}); __import__('time').sleep(0.2)", Reason.TIMEOUT),
    "never answers": ("__import__('time').sleep(60)", Reason.TIMEOUT),
    "hangs up": ("self.connection.close()", Reason.NO_RESPONSE),
    "speaks no HTTP": ("self.wfile.write(b'hello\\n' * 9); self.close_connection = True", Reason.NO_RESPONSE),
    "short body": (f"{HEAD}{EMPTY.replace('0', '99')}; self.close_connection = True", Reason.NO_RESPONSE),
    "compressed": (f"{HEAD}self.send_header('Content-Encoding', 'gzip'); {EMPTY}", Reason.FORMAT),
    "redirects": (f"self.send_response(302); self.send_header('Location', '/ready'); {EMPTY}", Reason.WRONG_ANSWER),
    "HTML error": ("self.reply(500, '<html>' * 1000)", Reason.WRONG_ANSWER),
    "thousands of headers": (
        f"{HEAD}[self.send_header(f'X-{{n}}', 'x') for n in range(3000)]; {EMPTY}",
        Reason.NO_RESPONSE,
    ),
    "odd bytes": (
        r"self.wfile.write(b'HTTP/1.1 200 \xff\xfe\r\nX: \xff\r\nContent-Length: 1\r\n\r\n\xff')",
        Reason.WRONG_ANSWER,
    ),
    "dies": ("os._exit(1)", Reason.NO_RESPONSE),
}


@pytest.mark.parametrize(("code", "reason"), ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
def test_an_odd_answer_costs_its_own_check(grade: Grade, code: str, reason: Reason) -> None:
    sheet = grade(REFERENCE.replace(OFFSET, OFFSET + f"            {code}\n            return\n"))
    found = lost(sheet)
    assert found.pop("A2") is reason
    if "_exit" in code:
        assert set(found) == {"A3", "B1"}  # they speak with the server that has died
    else:
        assert found == {}


def test_a_server_that_closes_every_connection_is_served_all_the_same(grade: Grade) -> None:
    assert lost(grade(REFERENCE.replace('"HTTP/1.1"', '"HTTP/1.0"'))) == {}


def test_a_server_that_closes_connections_it_promised_to_keep_is_too(grade: Grade) -> None:
    promise = "        self.wfile.write(text.encode())\n"
    assert lost(grade(REFERENCE.replace(promise, promise + "        self.close_connection = True\n"))) == {}


def test_a_server_that_ignores_being_asked_to_end_is_killed(grade: Grade) -> None:
    sheet = grade(REFERENCE.replace("lambda *_: sys.exit(0)", "lambda *_: None"))
    assert lost(sheet) == {"B2": Reason.WRONG_ANSWER}
    assert "timed_out=True" in next(check.because for check in sheet.checks if check.id == "B2")


def test_processes_that_it_leaves_behind_are_counted_and_ended(grade: Grade) -> None:
    sheet = grade(REFERENCE.replace(START, START + "    os.fork() or __import__('time').sleep(600)\n"))
    assert "leftovers=1" in next(check.because for check in sheet.checks if check.id == "B2")


def test_a_missing_application_is_rejected_with_its_name(grade: Grade, tmp_path: Path) -> None:
    (tmp_path / "submission.toml").write_text('[service]\nargv = ["uvicorn", "app:app", "--port", "$PORT"]\n')
    sheet = grade(REFERENCE)
    assert sheet.rejection is not None
    assert sheet.rejection.reason is Rejection.ENTRY_MISSING
    assert "'app.py' is not in the submission" in sheet.rejection.message

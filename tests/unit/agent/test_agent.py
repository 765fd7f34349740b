"""The agent, as a child process: fresh sessions, honest reports, no way around its paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from grader.agent.main import THREAD_VARIABLES
from grader.clock import Deadline
from grader.frames import Frame
from grader.model.exercise import BoxLimits
from grader.sandbox.channel import Channel, Refusal
from grader.sandbox.port import BoxSpec, Role
from grader.sandbox.process_box import ProcessSandbox


class Agent:
    """A channel with words for what the tests ask."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel

    def ask(self, op: str, body: bytes = b"", **header: Any) -> Frame:
        return self.channel.request(op, header, Deadline(20), body)

    def run(self, code: str, *, seconds: float = 10, printed: int = 10_000) -> Frame:
        return self.ask("command.run", argv=["python3", "-c", code], seconds=seconds, printed=printed)

    def listing(self, path: str) -> list[list[object]]:
        return list(self.ask("file.list", path=path).header["entries"])


@pytest.fixture
def agent() -> Iterator[Agent]:
    spec = BoxSpec(role=Role.SUBMISSION, image="", limits=BoxLimits(), run="0" * 32, seconds=60)
    box = ProcessSandbox().open(spec)
    try:
        agent = Agent(Channel(box))
        agent.ask("submission.put", b"print('hello')\n", path="pkg/add.py", offset=0)
        agent.ask("session.open")
        yield agent
    finally:
        box.close()


def test_lays_the_submission_out_afresh_for_every_session(agent: Agent) -> None:
    agent.run("import pathlib; pathlib.Path('pkg/add.py').unlink(); pathlib.Path('new').touch()")
    agent.ask("session.open")
    assert agent.listing("submission") == [["pkg", "folder", 0], ["pkg/add.py", "file", 15]]


def test_tells_how_a_program_ended_and_what_it_printed(agent: Agent) -> None:
    reply = agent.run("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    split = reply.header["stdout"]
    assert (reply.header["status"], reply.body[:split], reply.body[split:]) == (3, b"out\n", b"err\n")


def test_a_signal_is_a_negative_status(agent: Agent) -> None:
    assert agent.run("import os; os.kill(os.getpid(), 11)").header["status"] == -11


def test_time_and_printing_are_bounded(agent: Agent) -> None:
    assert agent.run("import time; time.sleep(60)", seconds=0.3).header["timed_out"] is True
    assert agent.run("while True: print('x' * 100)").header["flooded"] is True


WRITES = """
import os, sys, time
out = sys.argv[1]
os.mkdir(out)
open(out + "/first", "w").close()
time.sleep(60)
open(out + "/second", "w").close()
"""
RENAMES = """
import os, sys, time
os.mkdir("made")
for name in ("first", "second"):
    open("made/" + name, "w").close()
os.rename("made", sys.argv[1])
time.sleep(60)
"""


@pytest.mark.parametrize(("program", "left"), [(WRITES, ["first"]), (RENAMES, ["first", "second"])])
def test_a_program_can_be_stopped_when_its_first_output_is_there(agent: Agent, program: str, left: list[str]) -> None:
    argv = ["python", "-c", program]
    asked = {"argv": argv, "arguments": ["{out}"], "seconds": 50, "printed": 1000, "until_output": True}
    reply = agent.ask("command.run", **asked)
    assert (reply.header["interrupted"], reply.header["timed_out"]) == (True, False)
    assert [name for name, *_ in agent.listing("output/out")] == left


def test_a_program_that_ends_first_is_not_stopped(agent: Agent) -> None:
    reply = agent.ask("command.run", argv=["true"], seconds=50, printed=1000, until_output=True)
    assert (reply.header["interrupted"], reply.header["status"]) == (False, 0)


def test_what_runs_on_is_ended_and_counted(agent: Agent) -> None:
    reply = agent.run("import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)")
    assert (reply.header["leftovers"], agent.ask("session.open").header["leftovers"]) == (1, 0)


def test_the_environment_is_its_own(agent: Agent) -> None:
    reply = agent.ask("command.run", argv=["env"], seconds=5, printed=10_000)
    names = {line.partition("=")[0] for line in reply.body.decode().splitlines()}
    assert names == {"HOME", "LANG", "PATH", "PYTHONUNBUFFERED", "TMPDIR", *THREAD_VARIABLES}


def test_placeholders_are_only_replaced_in_the_exercises_arguments(agent: Agent) -> None:
    code = "import sys; print(*sys.argv[1:])"
    header = {"argv": ["python3", "-c", code, "{out}"], "arguments": ["{raw}", "{out}"], "inputs": ["raw"]}
    reply = agent.ask("command.run", seconds=5, printed=1000, **header)
    words = reply.body.decode().split()
    assert words[0] == "{out}"
    assert [word.rpartition("/work/")[2] or word for word in words[1:]] != ["{raw}", "{out}"]
    assert (words[1].endswith("in/raw"), words[2].endswith("output/out")) == (True, True)


def test_a_program_that_is_not_there_is_refused(agent: Agent) -> None:
    with pytest.raises(Refusal) as refused:
        agent.ask("command.run", argv=["./nothing"], seconds=5, printed=1000)
    assert refused.value.code == "start"


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", "a//b", "a\0b"])
def test_paths_never_lead_out(agent: Agent, path: str) -> None:
    for op, header in (("file.put", {}), ("file.get", {"length": 10}), ("submission.put", {})):
        with pytest.raises(Refusal) as refused:
            agent.ask(op, b"x", path=path, offset=0, **header)
        assert refused.value.code == "path"


@pytest.mark.parametrize(
    ("make", "code"), [("os.symlink('/etc/passwd', p)", "os"), ("os.mkfifo(p)", "format"), ("os.mkdir(p)", "os")]
)
def test_only_regular_files_are_read(agent: Agent, make: str, code: str) -> None:
    agent.run(f"import os; p = '../output/odd'; {make}")
    with pytest.raises(Refusal) as refused:
        agent.ask("file.get", path="output/odd", offset=0, length=10)
    assert refused.value.code == code
    assert agent.listing("output")[0][1] in ("link", "other", "folder")


def test_files_travel_in_pieces(agent: Agent) -> None:
    agent.ask("file.put", b"abc", path="in/x", offset=0)
    agent.ask("file.put", b"def", path="in/x", offset=3)
    first, last = (agent.ask("file.get", path="in/x", offset=offset, length=4) for offset in (0, 4))
    assert (first.body, first.header["end"], last.body, last.header["end"]) == (b"abcd", False, b"ef", True)


def test_a_file_is_never_replaced(agent: Agent) -> None:
    agent.ask("file.put", b"abc", path="in/x", offset=0)
    with pytest.raises(Refusal):
        agent.ask("file.put", b"abc", path="in/x", offset=0)


def test_an_unknown_operation_is_refused(agent: Agent) -> None:
    with pytest.raises(Refusal) as refused:
        agent.ask("format.disk")
    assert refused.value.code == "unknown_op"

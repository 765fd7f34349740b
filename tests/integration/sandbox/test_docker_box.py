"""What only a container can do wrong: weak walls, interruptions, leftovers, an engine that goes away."""

from __future__ import annotations

import contextlib
import gc
import io
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docker.errors import APIError

from grader.clock import Deadline
from grader.config import Settings
from grader.errors import EngineUnavailable, ImageMissing, InfrastructureFault
from grader.sandbox import reaper
from grader.sandbox.channel import Channel
from grader.sandbox.docker_box import DockerBox, DockerSandbox
from grader.sandbox.docker_engine import Engine, connect
from tests.forwarder import forwarding, write_certificates
from tests.integration.sandbox import programs
from tests.integration.sandbox.conftest import PYTHON, Boxes, answer, containers_of, soon

pytestmark = pytest.mark.docker

PROGRAM = (PYTHON, "-I", "-c", programs.EVALUATE)
RUN = "f" * 32


class Meddled:
    """A real engine, with something done around one of its calls."""

    def __init__(self, engine: Engine, name: str, around: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        self._engine, self._name, self._around = engine, name, around
        self.api = self

    def __getattr__(self, name: str) -> Any:
        if name in ("version", "address", "info"):
            return getattr(self._engine, name)
        real = getattr(self._engine.api, name)
        return self._around(real) if name == self._name else real


def without(path: str, value: object) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An engine that quietly builds something else than it was asked for."""

    def around(create: Callable[..., Any]) -> Callable[..., Any]:
        def meddled(body: dict[str, Any], name: str) -> Any:
            place, _, key = path.rpartition(".")
            (body[place] if place else body)[key] = value
            return create(body, name)

        # A copy, so that the adapter still knows what it asked for.
        return lambda body, name: meddled({**body, "HostConfig": dict(body["HostConfig"])}, name)

    return around


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("HostConfig.ReadonlyRootfs", False),
        ("HostConfig.NetworkMode", "bridge"),
        ("HostConfig.CapDrop", None),
        ("HostConfig.CapAdd", ["NET_RAW"]),
        ("HostConfig.SecurityOpt", ["no-new-privileges"]),
        ("HostConfig.PidsLimit", 0),
        ("HostConfig.Memory", 0),
        ("HostConfig.Binds", ["/etc:/host:ro"]),
        ("HostConfig.CgroupnsMode", "host"),
        ("HostConfig.LogConfig", {"Type": "json-file"}),
        ("User", "0:0"),
        ("Env", ["CANARY=secret"]),
    ],
)
def test_a_box_with_a_missing_wall_is_never_started(docker_boxes: Boxes, path: str, value: object) -> None:
    started: list[str] = []
    engine = Meddled(docker_boxes.engine, "create_container_from_config", without(path, value))
    with pytest.raises(InfrastructureFault, match=path.rpartition(".")[2]):
        DockerSandbox(Meddled(engine, "start", lambda _: started.append)).open(docker_boxes.spec(run=RUN))
    assert not started
    assert not containers_of(docker_boxes.engine, RUN)


CALLS = ["create_container_from_config", "inspect_container", "attach_socket", "start"]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_while_opening_leaves_nothing(docker_boxes: Boxes, name: str, when: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        DockerSandbox(Meddled(docker_boxes.engine, name, interrupted(when))).open(docker_boxes.spec(run=RUN))
    assert not containers_of(docker_boxes.engine, RUN)


@pytest.mark.parametrize("name", ["kill", "inspect_container", "remove_container"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_ctrl_c_while_closing_leaves_nothing(docker_boxes: Boxes, name: str, when: str) -> None:
    box = DockerSandbox(docker_boxes.engine, program=PROGRAM).open(docker_boxes.spec(run=RUN))
    box._engine = Meddled(docker_boxes.engine, name, interrupted(when))
    with pytest.raises(KeyboardInterrupt):
        box.close()
    assert not containers_of(docker_boxes.engine, RUN)


def interrupted(when: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def around(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if not calls:
                calls.append(1)
                if when == "after":
                    # Reference counting would close an attached connection; a warning about it is an error here.
                    with contextlib.closing(getattr(real(*arguments, **options), "_response", io.BytesIO())):
                        pass
                raise KeyboardInterrupt
            return real(*arguments, **options)

        return call

    calls: list[int] = []
    return around


def test_a_create_that_the_engine_finishes_late_is_cleaned_up_too(docker_boxes: Boxes) -> None:
    threads: list[threading.Timer] = []

    def around(create: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            threads.append(threading.Timer(0.3, create, arguments))
            threads[0].start()
            raise KeyboardInterrupt

        return call

    engine = Meddled(docker_boxes.engine, "create_container_from_config", around)
    with pytest.raises(KeyboardInterrupt):
        DockerSandbox(engine).open(docker_boxes.spec(run=RUN))
    threads[0].join()
    assert not containers_of(docker_boxes.engine, RUN)


@pytest.mark.parametrize(("failures", "paused"), [(3, True), (4, False)])
def test_freezing_is_tried_a_few_times(docker_boxes: Boxes, failures: int, paused: bool) -> None:
    box = DockerSandbox(docker_boxes.engine, program=PROGRAM).open(docker_boxes.spec(run=RUN))
    box._engine = Meddled(docker_boxes.engine, "pause", failing(failures))
    with contextlib.nullcontext() if paused else pytest.raises(InfrastructureFault, match="unable to freeze"):
        box.pause()
    assert docker_boxes.engine.api.inspect_container(box.container)["State"]["Paused"] is paused
    box.close()


def test_freezing_what_has_ended_says_so(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.LAST_WORDS)
    assert box.read_exactly(5, Deadline(20)) == b"ready"
    docker_boxes.engine.api.wait(box.container)  # until then, freezing it may just succeed
    with pytest.raises(EOFError):
        box.pause()
    assert box.close().exit_status == 3


def failing(times: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    left = [APIError("unable to freeze")] * times

    def around(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if left:
                raise left.pop()
            return real(*arguments)

        return call

    return around


def test_a_missing_image_is_told_apart(docker_boxes: Boxes) -> None:
    docker_boxes.image = "sha256:" + "0" * 64
    with pytest.raises(ImageMissing) as caught:
        docker_boxes(programs.ECHO)
    assert "grader setup" in caught.value.hint


def test_an_unknown_runtime_is_told_apart(docker_boxes: Boxes) -> None:
    with pytest.raises(InfrastructureFault) as caught:
        DockerSandbox(docker_boxes.engine, runtime="no-such").open(docker_boxes.spec())
    assert "GRADER_RUNTIME" in caught.value.hint


def test_a_box_that_somebody_removed_can_still_be_closed(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.SILENT)
    docker_boxes.engine.api.remove_container(box.container, force=True)
    assert box.close().exit_status is None


def test_a_kill_from_outside_is_not_taken_for_ours(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.SILENT)
    docker_boxes.engine.api.kill(box.container)
    with pytest.raises(EOFError):
        box.read_exactly(6, soon())
    ending = box.close()
    assert (ending.exit_status, ending.oom, ending.removed_by_us) == (137, False, False)


def test_a_box_ends_when_the_process_that_opened_it_dies(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.ECHO)
    box._stream.close()  # what the kernel does to a dead process's connections
    assert docker_boxes.engine.api.wait(box.container, timeout=30)["StatusCode"] == 0


def test_kill_from_another_thread_ends_a_read(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.SILENT)
    box.read_exactly(5, soon())
    timer = threading.Timer(0.2, box.kill)
    timer.start()
    with pytest.raises(EOFError):
        box.read_exactly(1, soon())
    timer.join()
    assert box.close().removed_by_us


def test_a_flooding_box_can_be_killed_while_nobody_reads(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.FLOOD)
    box.read_exactly(5, soon())
    box.kill()
    assert box.close().removed_by_us


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
def test_an_engine_that_goes_away_is_a_fault_and_a_second_close_cleans_up(docker_boxes: Boxes, tmp_path: Path) -> None:
    path = tmp_path / "engine.sock"
    with forwarding(path) as forwarder, connect(Settings(docker_host=f"unix://{path}")) as engine:
        box = DockerSandbox(engine, program=PROGRAM).open(docker_boxes.spec(run=RUN))
        assert answer(box, "1 + 1") == "2"
        forwarder.cut()
        with pytest.raises(EOFError):
            box.read_exactly(1, soon())
        with pytest.raises(EngineUnavailable):
            box.close()
        box._engine = docker_boxes.engine  # the engine is back
        assert box.close().exit_status is not None
    assert not containers_of(docker_boxes.engine, RUN)
    gc.collect()  # the SDK leaves connections that broke to the collector; it should meet them here


def test_an_engine_over_tcp(docker_boxes: Boxes) -> None:
    with forwarding() as forwarder:
        converse({"DOCKER_HOST": f"tcp://127.0.0.1:{forwarder.port}"}, docker_boxes)


def test_an_engine_over_tls(docker_boxes: Boxes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # requests would take these for the authority of every connection, the engine's own notwithstanding.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "of-a-company-proxy.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with forwarding(tls=write_certificates(tmp_path)) as forwarder:
        host = f"tcp://127.0.0.1:{forwarder.port}"
        converse({"DOCKER_HOST": host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}, docker_boxes)


def converse(environment: dict[str, str], boxes: Boxes) -> None:
    with connect(Settings(), environment=environment) as engine:
        box = DockerSandbox(engine, program=(PYTHON, "-I", "-c", programs.ECHO)).open(boxes.spec(run=RUN))
        data = bytes(range(256)) * 8192
        box.write(data, soon())
        assert box.read_exactly(len(data), soon()) == data
        assert box.close().removed_by_us
    assert not containers_of(boxes.engine, RUN)


OPEN_AND_DIE = """
import os, sys
from grader.config import Settings
from grader.sandbox.docker_box import DockerSandbox
from grader.sandbox.docker_engine import connect
from grader.sandbox.port import BoxSpec, Role
from grader.model.exercise import BoxLimits
spec = BoxSpec(role=Role.SUBMISSION, image=sys.argv[1], limits=BoxLimits(), run=sys.argv[2], seconds=600)
DockerSandbox(connect(Settings()), program=(sys.argv[3], "-c", "import time; time.sleep(600)")).open(spec)
os.kill(os.getpid(), 9)
"""


def test_boxes_of_a_dead_process_are_reaped_and_others_are_not(docker_boxes: Boxes, runtime_image: str) -> None:
    mine = docker_boxes(programs.SILENT)
    command = [sys.executable, "-c", OPEN_AND_DIE, runtime_image, RUN, PYTHON]
    assert subprocess.run(command, check=False).returncode == -9
    assert len(containers_of(docker_boxes.engine, RUN)) == 1
    assert (RUN, "the process that opened it has ended") in {(r.run, r.why) for r in reaper.reap(docker_boxes.engine)}
    assert not containers_of(docker_boxes.engine, RUN)
    assert mine.read_exactly(5, soon()) == b"ready"


def test_a_box_whose_time_is_over_is_reaped(docker_boxes: Boxes) -> None:
    docker_boxes.opened.append(
        DockerSandbox(docker_boxes.engine, program=PROGRAM).open(docker_boxes.spec(run=RUN, seconds=-3600))
    )
    assert RUN in {reaped.run for reaped in reaper.reap(docker_boxes.engine)}


# The kernel lets all of these through and drops them; the last one finds the fork.
ATTACK = "import os, time; os.fork() or time.sleep(60); [os.kill(1, s) for s in (9, 11, 15, 19)]; os.kill(-1, 9)"


def test_nothing_in_a_box_can_signal_its_first_process(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.EVALUATE)
    assert answer(box, f"subprocess.run([sys.executable, '-c', {ATTACK!r}]).returncode") == "0"
    assert answer(box, "os.getpid()") == "1"


def test_orphans_become_children_of_the_first_process(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.EVALUATE)
    orphan = "import os, time; os.fork() or time.sleep(60)"
    answer(box, f"subprocess.run([sys.executable, '-c', {orphan!r}])")
    parents = (
        "{Path(f'/proc/{p}/stat').read_text().split()[3] for p in os.listdir('/proc') if p.isdigit() and p != '1'}"
    )
    assert answer(box, parents) == "{'1'}"


def test_the_agent_outlives_a_program_that_attacks_it(docker_boxes: Boxes) -> None:
    box = DockerSandbox(docker_boxes.engine).open(docker_boxes.spec())
    docker_boxes.opened.append(box)
    channel = Channel(box)
    channel.request("session.open", {}, soon())
    header = {"argv": ["python", "-c", ATTACK], "seconds": 20, "printed": 1000}
    assert channel.request("command.run", header, Deadline(60)).header["status"] == 0
    # Python has a handler for this one, so the kernel would not drop it.
    header = {"argv": ["python", "-c", "import os; os.kill(1, 2)"], "seconds": 20, "printed": 1000}
    assert channel.request("command.run", header, Deadline(60)).header["status"] == 0
    assert channel.request("session.open", {}, soon()).header["leftovers"] == 0


def test_many_boxes_at_once(docker_boxes: Boxes) -> None:
    found: list[str] = []

    def one(number: int) -> None:
        box: DockerBox = docker_boxes(programs.EVALUATE)  # type: ignore[assignment]
        found.append(answer(box, f"{number} * 2"))
        box.close()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["0", "2", "4", "6"]

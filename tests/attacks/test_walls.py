"""Rows that only a box can answer: what its image holds, locks between boxes, calls of another architecture."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator

import pytest

from grader.engine.grade import Harness
from grader.model.exercise import BoxLimits
from grader.sandbox.docker_box import DockerSandbox
from grader.sandbox.docker_engine import Engine
from grader.sandbox.port import Box, BoxSpec, Role
from tests.integration.sandbox.conftest import PYTHON, answer
from tests.integration.sandbox.programs import EVALUATE

pytestmark = pytest.mark.docker

# What only files of exercises and of the checker hold.
HIDDEN = ("pytest.mark.check(", "grader.checker", "expected.toml", "variant.number")


@contextlib.contextmanager
def box(harness: Harness, engine: Engine) -> Iterator[Box]:
    spec = BoxSpec(
        role=Role.SUBMISSION, image=harness.images[Role.SUBMISSION], limits=BoxLimits(), run="a" * 32, seconds=120
    )
    opened = DockerSandbox(engine, program=(PYTHON, "-I", "-c", EVALUATE)).open(spec)
    try:
        yield opened
    finally:
        opened.close()


def test_no_layer_of_the_image_holds_a_check(docker_harness: Harness, engine: Engine) -> None:
    words = " ".join(f"-e '{word}'" for word in HIDDEN)
    grep = f"grep -rslF --include=*.py --include=*.toml --include=*.md {words} /opt /usr /etc /home /root /var /srv"
    with box(docker_harness, engine) as opened:
        found = answer(opened, f"subprocess.run({grep!r} + ' | head -5', shell=True, capture_output=True).stdout")
    assert found == "b''"
    history = str(engine.api.history(docker_harness.images[Role.SUBMISSION]))
    assert [word for word in (*HIDDEN, "exercises/", "checks/") if word in history] == []


def test_a_lock_in_one_box_is_not_seen_in_another(docker_harness: Harness, engine: Engine) -> None:
    lock = "__import__('fcntl').flock(open('/opt/venv/pyvenv.cfg'), {})"
    with box(docker_harness, engine) as first, box(docker_harness, engine) as second:
        answer(first, "globals().update(kept=open('/opt/venv/pyvenv.cfg'))")
        answer(first, "__import__('fcntl').flock(kept, 2)")
        assert answer(first, f"refused(lambda: {lock.format(6)})") == "EAGAIN"
        assert answer(second, f"refused(lambda: {lock.format(6)})") == "allowed: None"


# Asks for the process's id as a 32-bit program does, past a filter that only knows the native calls.
SIGSYS = "-31"  # on other machines these bytes are no program at all
INT80 = """
import ctypes, mmap
code = bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3])
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
address = ctypes.addressof(ctypes.c_char.from_buffer(page))
got = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
raise SystemExit(0 if got > 0 else 7)
"""


def test_a_call_of_another_architecture_is_refused(docker_harness: Harness, engine: Engine) -> None:
    with box(docker_harness, engine) as opened:
        status = answer(opened, f"subprocess.run([sys.executable, '-c', {INT80!r}]).returncode")
    assert status == SIGSYS if platform.machine() == "x86_64" else status != "0"

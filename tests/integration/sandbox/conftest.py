"""Real boxes for tests: which image, which program, and that every one is closed."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from grader.clock import Deadline
from grader.config import load_settings
from grader.model.exercise import BoxLimits
from grader.sandbox.docker_box import DockerBox, DockerSandbox
from grader.sandbox.docker_engine import Engine, connect
from grader.sandbox.images import ensure_images
from grader.sandbox.port import Box, BoxSpec, Role
from grader.sandbox.process_box import ProcessSandbox

PYTHON = "/opt/venv/bin/python"


@dataclass
class Boxes:
    """Opens boxes that run a piece of Python, on one of the two adapters."""

    adapter: str
    image: str = ""
    engine: Engine | None = None
    opened: list[Box] = field(default_factory=list)

    def __call__(self, program: str, **limits: object) -> Box:
        box = self.sandbox(program).open(self.spec(**limits))
        self.opened.append(box)
        return box

    def sandbox(self, program: str) -> DockerSandbox | ProcessSandbox:
        if self.engine is None:
            return ProcessSandbox(program=(sys.executable, "-I", "-c", program))
        # GRADER_RUNTIME=runsc runs the suite on gVisor.
        return DockerSandbox(self.engine, load_settings().runtime, program=(PYTHON, "-I", "-c", program))

    def spec(self, *, run: str = "", seconds: float = 120, **limits: object) -> BoxSpec:
        return BoxSpec(
            role=Role.SUBMISSION,
            image=self.image,
            limits=BoxLimits(**limits),
            run=run or secrets.token_hex(16),
            seconds=seconds,
        )


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with connect(load_settings()) as engine:
        yield engine


@pytest.fixture(scope="session")
def runtime_image(engine: Engine) -> str:
    return ensure_images(engine, load_settings(), print).runtime


def _closing(boxes: Boxes) -> Iterator[Boxes]:
    yield boxes
    for box in boxes.opened:
        box.close()


@pytest.fixture
def docker_boxes(engine: Engine, runtime_image: str) -> Iterator[Boxes]:
    yield from _closing(Boxes("docker", runtime_image, engine))


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.docker), "process"])
def boxes(request: pytest.FixtureRequest) -> Iterator[Boxes]:
    if request.param == "docker":
        yield request.getfixturevalue("docker_boxes")
    else:
        yield from _closing(Boxes("process"))


def soon() -> Deadline:
    """Long enough for a machine under load, short enough for a test that hangs."""
    return Deadline(30)


def answer(box: Box, question: str, deadline: Deadline | None = None) -> str:
    """Ask a box that runs `programs.EVALUATE` for the value of an expression."""
    data, deadline = question.encode(), deadline or soon()
    box.write(len(data).to_bytes(4, "big") + data, deadline)
    size = int.from_bytes(box.read_exactly(4, deadline), "big")
    return box.read_exactly(size, deadline).decode()


def containers_of(engine: Engine, run: str) -> list[dict[str, object]]:
    return list(engine.api.containers(all=True, filters={"label": f"grader.run={run}"}))


__all__ = ["Boxes", "DockerBox", "answer", "containers_of", "soon"]

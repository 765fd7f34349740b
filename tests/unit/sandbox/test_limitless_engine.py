"""An engine that cannot limit what a box uses gets no box to run, whatever its inspect would show."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from grader.errors import BoxLost, InfrastructureFault
from grader.model.exercise import BoxLimits
from grader.sandbox.docker_box import DockerSandbox
from grader.sandbox.docker_engine import Engine
from grader.sandbox.doctor import _refused
from grader.sandbox.port import BoxSpec, Role

SPEC = BoxSpec(role=Role.SUBMISSION, image="grader-runtime:0", limits=BoxLimits(), run="0" * 32, seconds=60.0)


class Limitless:
    """As a rootless Docker 20.10 without control groups: it would make and start whatever it is asked for.

    Attributes:
        made: Names of the containers that it was asked to make.
    """

    version = SimpleNamespace(product="Docker", engine="20.10.24", runc="1.1.5")

    def __init__(self) -> None:
        self.made: list[str] = []
        self.api = self

    def info(self) -> dict[str, Any]:
        return {"MemoryLimit": False, "PidsLimit": False, "CpuCfsQuota": True, "NCPU": 2}

    def inspect_image(self, name: str) -> dict[str, Any]:
        return {"Id": name, "Config": {"Entrypoint": ["/agent"]}}

    def create_container_from_config(self, body: dict[str, Any], name: str) -> dict[str, str]:
        self.made.append(name)
        return {"Id": "c" * 64}

    def __getattr__(self, name: str) -> Any:
        raise BoxLost(f"{name}: no such container", hint="")


def test_no_box_is_made() -> None:
    engine = Limitless()
    with pytest.raises(InfrastructureFault, match="cannot limit what a box uses: memory, processes") as caught:
        DockerSandbox(cast("Engine", engine)).open(SPEC)
    assert engine.made == []
    assert "delegation" in caught.value.hint


def test_the_doctor_says_why_no_box_can_be_opened() -> None:
    refused = _refused(cast("Engine", Limitless()), "runc", "grader-runtime:0")
    assert refused is not None
    assert "memory, processes" in refused[0]

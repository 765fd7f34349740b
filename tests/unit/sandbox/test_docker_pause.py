"""Freezing a container, with an engine that does it and says that it failed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import docker.errors
import pytest

from grader.errors import InfrastructureFault
from grader.sandbox import docker_box
from grader.sandbox.docker_box import DockerBox


@pytest.mark.parametrize(("running", "raised"), [(True, InfrastructureFault), (False, EOFError)])
def test_a_box_whose_pause_failed_is_not_left_frozen(
    monkeypatch: pytest.MonkeyPatch, running: bool, raised: type[Exception]
) -> None:
    frozen: set[str] = set()

    def freeze(_: object, container: str) -> None:
        frozen.add(container)
        raise docker.errors.APIError("unable to freeze")

    monkeypatch.setattr(docker_box, "freeze", freeze)
    monkeypatch.setattr(docker_box, "SETTLE_SECONDS", 0)
    api = SimpleNamespace(unpause=frozen.discard, inspect_container=lambda _: {"State": {"Running": running}})
    nothing: Any = None
    engine: Any = SimpleNamespace(api=api)
    with pytest.raises(raised):
        DockerBox(engine, "c0ffee", nothing, nothing).pause()
    assert not frozen

"""A place to run attacks in: the engine of this machine, exercises with canaries, an environment full of traps."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.engine.grade import Harness
from grader.sandbox.docker_engine import Engine
from tests.attacks.battery import Battery, opened_battery

collect_ignore = ["cases"]


@pytest.fixture
def battery(docker_harness: Harness, engine: Engine) -> Iterator[Battery]:
    """What attacks are run with; its traps are gone when the test has ended."""
    with opened_battery(docker_harness, engine) as battery:
        yield battery

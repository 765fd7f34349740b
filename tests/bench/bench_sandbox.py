"""Measures boxes: how long one takes to start and to end, and what talking with it costs.

    python -m tests.bench.bench_sandbox [--repeat N]

Prints a table; asserts nothing. Needs a Docker engine and built images.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import sys
from collections.abc import Callable

from grader import clock
from grader.clock import Deadline
from grader.config import Settings
from grader.model.exercise import BoxLimits
from grader.sandbox.channel import Channel
from grader.sandbox.docker_box import DockerSandbox
from grader.sandbox.docker_engine import connect
from grader.sandbox.images import ensure_images
from grader.sandbox.port import Box, BoxSpec, Role, Sandbox
from grader.sandbox.process_box import ProcessSandbox

ECHO = "import os\nwhile data := os.read(0, 1 << 20):\n    while data:\n        data = data[os.write(1, data):]\n"
PYTHON = "/opt/venv/bin/python"


def milliseconds(action: Callable[[], object]) -> float:
    """Return how long one call takes."""
    start = clock.monotonic()
    action()
    return (clock.monotonic() - start) * 1000


def spec(image: str) -> BoxSpec:
    """Return what an ordinary submission box is opened with."""
    return BoxSpec(role=Role.SUBMISSION, image=image, limits=BoxLimits(), run=secrets.token_hex(16), seconds=600)


def life(sandbox: Sandbox, image: str) -> dict[str, float]:
    """Open a box, speak to its program once, and close it."""
    boxes: list[Box] = []
    opening = milliseconds(lambda: boxes.append(sandbox.open(spec(image))))
    first = milliseconds(lambda: Channel(boxes[0]).request("hello", {}, Deadline(60)))
    closing = milliseconds(boxes[0].close)
    return {"open": opening, "open and first frame": opening + first, "close": closing}


def talk(sandbox: Sandbox, image: str, repeat: int) -> dict[str, list[float]]:
    """Measure round trips and `usage` on one box that echoes."""
    box = sandbox.open(spec(image))
    try:
        return {
            "100 B there and back": [milliseconds(lambda: echo(box, 100)) for _ in range(20 * repeat)],
            "1 MiB there and back": [milliseconds(lambda: echo(box, 1024 * 1024)) for _ in range(2 * repeat)],
            "usage()": [milliseconds(box.usage) for _ in range(10 * repeat)],
        }
    finally:
        box.close()


def echo(box: Box, size: int) -> None:
    """Send random bytes and take them back."""
    data = os.urandom(size)
    box.write(data, Deadline(60))
    assert box.read_exactly(size, Deadline(60)) == data


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")


def report(adapter: str, figures: dict[str, list[float]]) -> None:
    """Print one line for each measurement, in milliseconds."""
    for name, values in figures.items():
        say(
            f"{adapter:8} {name:22} median {statistics.median(values):8.2f} ms   "
            f"best {min(values):8.2f}   worst {max(values):8.2f}   n={len(values)}"
        )


def measure(adapter: str, lives: Sandbox, talks: Sandbox, image: str, repeat: int) -> None:
    """Measure one adapter."""
    runs = [life(lives, image) for _ in range(repeat)]
    report(adapter, {name: [run[name] for run in runs] for name in runs[0]})
    report(adapter, talk(talks, image, repeat))


def main() -> None:
    """Measure both adapters."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=10)
    repeat = parser.parse_args().repeat
    with connect(Settings()) as engine:
        image = ensure_images(engine, Settings(), lambda line: None).runtime
        say(
            f"Docker {engine.version.engine}, runc {engine.version.runc}, {os.cpu_count()} CPUs, load {os.getloadavg()}"
        )
        echoing = DockerSandbox(engine, program=(PYTHON, "-I", "-c", ECHO))
        measure("docker", DockerSandbox(engine), echoing, image, repeat)
    measure("process", ProcessSandbox(), ProcessSandbox(program=(sys.executable, "-I", "-c", ECHO)), "", repeat)


if __name__ == "__main__":
    main()

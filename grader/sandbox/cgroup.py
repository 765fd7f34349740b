"""What the kernel counts about a container, read from its control group where the engine is local.

The engine's own answer is at best a second old: Docker 20.10 takes a sample each second and lets
the caller wait for it, also when it is asked for one only (`one-shot`). Reading the files takes
well under a millisecond and needs no rights.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroup:
    """Where one container's figures are.

    Attributes:
        memory: Its `memory.stat`.
        cpu: Its `cpuacct.usage` (version 1) or `cpu.stat` (version 2).
    """

    memory: Path
    cpu: Path

    def read(self) -> tuple[float, int]:
        """Return CPU seconds so far, and the bytes that processes hold now.

        Raises:
            OSError: The container has ended, and its group is gone.
        """
        return self._cpu_seconds(), anonymous_memory(_figures(self.memory.read_text()))

    def _cpu_seconds(self) -> float:
        text = self.cpu.read_text()
        if self.cpu.name == "cpuacct.usage":
            return int(text) / 1e9
        return _figures(text)["usage_usec"] / 1e6


def find(pid: int, container: str, *, proc: Path = PROC, root: Path = ROOT) -> Cgroup | None:
    """Return a container's control group, or None where its files cannot be seen from here.

    Args:
        pid: The container's first process, as its engine numbers it.
        container: Its id. The engine may be another machine's, or ours be in a container of its own:
            a group counts only when its path names this id.
        proc: Where processes are.
        root: Where control groups are mounted.
    """
    with contextlib.suppress(OSError):
        groups = dict(_groups((proc / str(pid) / "cgroup").read_text(), container, root))
        # Version 1 first: beside it, version 2 is often mounted too, without any controllers.
        if {"memory", "cpuacct"} <= groups.keys():
            found = Cgroup(memory=groups["memory"] / "memory.stat", cpu=groups["cpuacct"] / "cpuacct.usage")
        elif "" in groups:
            found = Cgroup(memory=groups[""] / "memory.stat", cpu=groups[""] / "cpu.stat")
        else:
            return None
        with contextlib.suppress(ValueError, KeyError):
            found.read()
            return found
    return None


def _groups(text: str, container: str, root: Path) -> Iterator[tuple[str, Path]]:
    """Yield controller → folder for the lines of a /proc/<pid>/cgroup that name the container."""
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        if container not in path:
            continue
        for controller in controllers.split(","):
            mount = root / controllers if (root / controllers).is_dir() else root / controller
            yield controller, mount / path.lstrip("/")


def _figures(text: str) -> dict[str, int]:
    return {name: int(value) for name, _, value in (line.partition(" ") for line in text.splitlines())}


def anonymous_memory(figures: Mapping[str, int]) -> int:
    """Return the bytes that processes hold, without tmpfs and page cache, for both versions of control groups."""
    for name in ("total_rss", "anon", "rss"):
        if name in figures:
            return figures[name]
    return 0

"""What the kernel counts about a container, read from its control group where the engine is local.

The engine's own answer is at best a second old: Docker 20.10 takes a sample each second and lets
the caller wait for it, also when it is asked for one only (`one-shot`). Reading the files takes
well under a millisecond and needs no rights.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

PROC = Path("/proc")
ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroup:
    """Where one container's figures are.

    Attributes:
        memory: Its `memory.stat`.
        cpu: Its `cpuacct.usage` (version 1) or `cpu.stat` (version 2).
        in_files: Whether what processes hold is in files without names, as gVisor keeps it.
    """

    memory: Path
    cpu: Path
    in_files: bool = False

    def read(self) -> tuple[float, int]:
        """Return CPU seconds so far, and the bytes that processes hold now.

        Raises:
            OSError: The container has ended, and its group is gone.
        """
        return self._cpu_seconds(), held_memory(_figures(self.memory.read_text()), in_files=self.in_files)

    def _cpu_seconds(self) -> float:
        text = self.cpu.read_text()
        if self.cpu.name == "cpuacct.usage":
            return int(text) / 1e9
        return _figures(text)["usage_usec"] / 1e6


def find(pid: int, container: str, *, in_files: bool = False, proc: Path = PROC, root: Path = ROOT) -> Cgroup | None:
    """Return a container's control group, or None where its files cannot be seen from here.

    Args:
        pid: The container's first process, as its engine numbers it.
        container: Its id. The engine may be another machine's, or ours be in a container of its own:
            a group counts only when its path names this id.
        in_files: As in `Cgroup`.
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
            found = replace(found, in_files=in_files)
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


def held_memory(figures: Mapping[str, int], *, in_files: bool = False) -> int:
    """Return the bytes that processes hold, for both versions of control groups.

    Without tmpfs and page cache; but where memory is `in_files`, it cannot be told from tmpfs, and both count.
    """
    held = next((figures[name] for name in ("total_rss", "anon", "rss") if name in figures), 0)
    shared = next((figures[name] for name in ("total_shmem", "shmem") if name in figures), 0)
    return held + shared if in_files else held

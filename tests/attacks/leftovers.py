"""What a run may leave behind: boxes, processes, threads, open files, temporary files, memory."""

from __future__ import annotations

import gc
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.docker_engine import Engine

DESCRIPTORS_SPARE = 4  # connections to the engine that are kept for the next request
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What this process has at a moment."""

    threads: int
    children: int
    descriptors: int
    temporary: frozenset[str]

    @classmethod
    def take(cls, temporary: Path) -> Snapshot:
        """Look at this process, and into the folder of its temporary files."""
        gc.collect()
        return cls(
            threads=threading.active_count(),
            children=_children(),
            descriptors=len(list(Path("/proc/self/fd").iterdir())),
            temporary=frozenset(path.name for path in temporary.iterdir()),
        )

    def more_than(self, before: Snapshot) -> list[str]:
        """Say what there is more of than there was before."""
        found = [
            f"{now - then} {what} more"
            for what, now, then in (
                ("threads", self.threads, before.threads),
                ("processes", self.children, before.children),
                ("descriptors", self.descriptors, before.descriptors + DESCRIPTORS_SPARE),
            )
            if now > then
        ]
        return found + sorted(self.temporary - before.temporary)


def _children() -> int:
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            count += int(fields[1]) == os.getpid()
    return count


def boxes_of(engine: Engine, run: str) -> list[str]:
    """Return the containers of a run that are still there."""
    found = engine.api.containers(all=True, filters={"label": f"grader.run={run}"})
    return [f"box {container['Id'][:12]}" for container in found]


def networks_and_volumes(engine: Engine) -> frozenset[str]:
    """Return what an engine has besides containers and images."""
    networks = [network["Name"] for network in engine.api.networks()]
    volumes = [volume["Name"] for volume in engine.api.volumes()["Volumes"] or ()]
    return frozenset(networks + volumes)


def reset_peak() -> None:
    """Begin to measure the most memory that this process takes."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Return the most memory that this process took since, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0

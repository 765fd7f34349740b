"""What the kernel counts about this box: memory kills, refused processes, full disks, ways that lead nowhere."""

from __future__ import annotations

import os
from pathlib import Path

# cgroup v1 and v2, as seen from inside with a private cgroup namespace
_OOM = ("/sys/fs/cgroup/memory/memory.oom_control", "/sys/fs/cgroup/memory.events")
_PIDS = ("/sys/fs/cgroup/pids/pids.events", "/sys/fs/cgroup/pids.events")


def oom_kills() -> int:
    """Processes killed in this box for memory so far."""
    return _counter(_OOM, "oom_kill")


def refused_processes() -> int:
    """Processes or threads refused so far because the box had too many."""
    return _counter(_PIDS, "max")


def unreachable() -> int:
    """Packets and connections so far that no network took; 0 where there is a network, since others use it too."""
    try:
        interfaces = Path("/proc/self/net/dev").read_text().splitlines()[2:]
        if [line.split(":")[0].strip() for line in interfaces] != ["lo"]:
            return 0
        names, values = (
            line.split() for line in Path("/proc/self/net/snmp").read_text().splitlines() if line.startswith("Ip:")
        )
    except (OSError, ValueError):
        return 0
    newer = _counter(("/proc/self/net/snmp6",), "Ip6OutNoRoutes")
    return int(dict(zip(names, values, strict=False)).get("OutNoRoutes", "0")) + newer


def is_full(folder: Path) -> bool:
    """Whether a file system has no room left, in blocks or in files."""
    figures = os.statvfs(folder)
    return figures.f_bavail == 0 or (figures.f_files > 0 and figures.f_ffree == 0)


def _counter(paths: tuple[str, ...], name: str) -> int:
    for path in paths:
        try:
            lines = Path(path).read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            key, _, value = line.replace("\t", " ").partition(" ")
            if key == name and value.strip().isdigit():
                return int(value)
    return 0

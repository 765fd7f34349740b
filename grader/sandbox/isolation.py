"""What walls stand around a box, as read back from the engine. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grader.model.run import Isolation
from grader.sandbox.hardening import GVISOR, profile_name
from grader.sandbox.version_floor import FLOOR, below_floor


def read_back(
    *,
    product: str = "Docker",
    engine: str,
    runc: str,
    info: Mapping[str, Any],
    inspected: Mapping[str, Any],
    profile: str,
    floor: Mapping[str, Any],
    cpus: float,
) -> Isolation:
    """Return the walls around one container.

    Args:
        product: Which engine it is.
        engine: Version of the engine.
        runc: Version of runc, as the engine prints it.
        info: The engine's `info`.
        inspected: The engine's inspect of the container, without `differences`.
        profile: Our seccomp profile; the container was found to have it.
        floor: From `load_floor`.
        cpus: How many the box should have had.
    """
    runtime = str(inspected.get("HostConfig", {}).get("Runtime") or "unknown")
    module = security_module(inspected)
    version = str(info.get("CgroupVersion") or "1")
    return Isolation(
        engine=f"{product} {engine}{', rootless' if rootless(info) else ''}",
        runtime=runtime,
        # gVisor answers system calls itself, so the host's filter is not what a program meets.
        seccomp=profile_name(profile) if runtime != GVISOR else "none (gVisor's own)",
        security_module=module,
        cgroups=f"v{version}",
        warnings=tuple(_warnings(engine if product == "Docker" else "", runc, info, module, floor, cpus)),
    )


def security_module(inspected: Mapping[str, Any]) -> str:
    """Return which security module confines a container, and with what."""
    profile = str(inspected.get("AppArmorProfile") or "")
    if profile and profile != "unconfined":
        return f"apparmor {profile}"
    label = str(inspected.get("ProcessLabel") or "")
    return f"selinux {label.split(':')[2]}" if label.count(":") >= 2 else "none"


# Names in the engine's `info`, and what each is about. Docker's `inspect` shows limits as they were asked for, also
# where a rootless engine without control groups ignores them; only `info` tells.
_LIMITS = {"MemoryLimit": "memory", "PidsLimit": "processes", "CpuCfsQuota": "CPU time"}


def missing_limits(info: Mapping[str, Any]) -> list[str]:
    """Return what an engine says that it cannot limit; without these no box is opened."""
    return [name for key, name in _LIMITS.items() if info.get(key) is False]


def rootless(info: Mapping[str, Any]) -> bool:
    """Tell whether an engine runs without root's rights."""
    options = [str(option) for option in info.get("SecurityOptions") or ()]
    return any(option.split(",")[0] == "name=rootless" for option in options)


def _warnings(
    engine: str, runc: str, info: Mapping[str, Any], module: str, floor: Mapping[str, Any], cpus: float
) -> Iterator[str]:
    if module == "none":
        yield "No security module (AppArmor or SELinux) confines the box: one wall less."
    if not info.get("SwapLimit"):
        yield "The engine's kernel cannot limit swap, so a box may use more memory than it should by swapping."
    machine = int(info.get("NCPU") or 0)
    if machine < cpus:
        yield f"The box was to have {cpus:g} CPUs, but the engine's machine has {machine}."
    for name, version in (("engine", engine), ("runc", runc)):
        floors = floor.get("branches", {}).get(name) or [floor[name]] if name in floor else []
        if floors and below_floor(version, floors):
            title = "Docker" if name == "engine" else name
            yield f"{title} {version} is older than {floor[name]}: known holes may be open."


def load_floor(path: Path = FLOOR) -> dict[str, Any]:
    """Return the lowest versions in which all known holes are closed; nothing where no file says them."""
    return tomllib.loads(path.read_text()) if path.is_file() else {}

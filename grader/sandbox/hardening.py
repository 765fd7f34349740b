"""The walls of a box: what is asked of the engine, and whether the engine did it. Pure.

SECURITY section 3, flag by flag. `container_body` writes the request, `differences` compares it with
what the engine says it made of it. A box with a difference is never started.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.sandbox.port import BoxSpec

PROFILE = Path(__file__).resolve().parent.parent.parent / "docker" / "seccomp.json"
NOBODY = "65534:65534"
GVISOR = "runsc"
HOSTNAME = "box"
WORK = "/work"
SHARED_MEMORY = 64 * 1024 * 1024
OPEN_FILES = 1024
_PATH = "/usr/local/bin:/usr/bin:/bin"

# Asked for by saying nothing; each would be a way out of the box, or into it.
_MUST_BE_EMPTY = (
    "Mounts",
    "Config.Volumes",
    "HostConfig.Binds",
    "HostConfig.CapAdd",
    "HostConfig.CgroupParent",
    "HostConfig.DeviceCgroupRules",
    "HostConfig.DeviceRequests",
    "HostConfig.Devices",
    "HostConfig.Dns",
    "HostConfig.DnsOptions",
    "HostConfig.DnsSearch",
    "HostConfig.ExtraHosts",
    "HostConfig.GroupAdd",
    "HostConfig.Links",
    "HostConfig.Mounts",
    "HostConfig.PidMode",
    "HostConfig.PortBindings",
    "HostConfig.Sysctls",
    "HostConfig.UTSMode",
    "HostConfig.UsernsMode",
    "HostConfig.VolumesFrom",
)
# Left to the engine's defaults, which hide parts of /proc; "unconfined" would empty them.
_MUST_BE_FILLED = ("HostConfig.MaskedPaths", "HostConfig.ReadonlyPaths")


def load_profile(path: Path = PROFILE) -> str:
    """Return our seccomp profile as one line of JSON, as it goes into the request."""
    return json.dumps(json.loads(path.read_text()), separators=(",", ":"), sort_keys=True)


def profile_name(profile: str) -> str:
    """Return how a profile is called on a sheet: "grader" and the start of its SHA-256."""
    return f"grader {hashlib.sha256(profile.encode()).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Overhead:
    """What a runtime itself uses inside of a box's limits: processes and threads, bytes of memory."""

    pids: int = 0
    memory: int = 0


# gVisor's kernel is a program in the box's control group, with threads for each process of the box: with 32 and
# nothing on top it does not start, with 96 it ends when sixteen processes work at once.
OVERHEAD = {GVISOR: Overhead(pids=256, memory=64 * 1024**2)}


def container_body(
    spec: BoxSpec,
    *,
    image: Mapping[str, Any],
    profile: str,
    runtime: str,
    labels: Mapping[str, str],
    cpus: int,
    swap_limit: bool,
    program: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return the body of the engine's "create container" request.

    Args:
        spec: What to open.
        image: The image as the engine's inspect gives it. Its environment stays, ours goes before it.
        profile: From `load_profile`.
        runtime: OCI runtime by name.
        labels: What the reaper needs to know.
        cpus: How many the engine's machine has; it refuses a box that is given more.
        swap_limit: Whether the engine's kernel can limit swap at all.
        program: Runs in place of the image's own.
    """
    config = image.get("Config") or {}
    inherited = environment(config.get("Env") or ())
    # PATH stays the image's: it knows where its Python is.
    ours = {"PATH": inherited.get("PATH", _PATH), "HOME": WORK, "LANG": "C.UTF-8"}
    return {
        "Image": image["Id"],
        "Entrypoint": list(program or config.get("Entrypoint") or ()),
        "Cmd": [],
        "Env": [f"{name}={value}" for name, value in {**inherited, **ours}.items()],
        "User": NOBODY,
        "WorkingDir": WORK,
        "Hostname": HOSTNAME,
        "Domainname": "",
        "Tty": False,
        "OpenStdin": True,
        "StdinOnce": True,  # when this process dies, the box reads the end of its stdin and ends too
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": dict(labels),
        "HostConfig": {
            **_walls(profile, runtime),
            **_limits(spec, cpus=cpus, swap_limit=swap_limit, runtime=runtime),
        },
    }


def _walls(profile: str, runtime: str) -> dict[str, Any]:
    return {
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "Privileged": False,
        "PublishAllPorts": False,
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges", f"seccomp={profile}"],
        "IpcMode": "private",
        "CgroupnsMode": "private",
        "LogConfig": {"Type": "none", "Config": {}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "AutoRemove": False,  # how it ended is asked for after it ended
        "Init": False,  # our own program is PID 1 on purpose: docs/decisions/2026-11-23-agent-is-pid-1.md
        "Runtime": runtime,
    }


def _limits(spec: BoxSpec, *, cpus: int, swap_limit: bool, runtime: str) -> dict[str, Any]:
    limits, own = spec.limits, OVERHEAD.get(runtime, Overhead())
    memory, size = int(limits.memory) + own.memory, int(limits.workspace)
    disk = f"size={size},nr_inodes={limits.files},mode=1777,nosuid,nodev,noexec"
    # runc gives a tmpfs the mode of the folder that it covers, whatever was asked for, so /work needs an owner.
    user, group = NOBODY.split(":")
    return {
        "Tmpfs": {"/tmp": disk, WORK: f"{disk},uid={user},gid={group}"},  # noqa: S108 - the box's own
        "ShmSize": SHARED_MEMORY,
        "Memory": memory,
        "MemorySwap": memory if swap_limit else -1,
        "NanoCpus": min(math.floor(limits.cpus * 1e9), cpus * 10**9),
        "PidsLimit": limits.pids + own.pids,
        "OomScoreAdj": 500,
        "Ulimits": [
            _ulimit("nofile", OPEN_FILES),
            _ulimit("fsize", size),
            _ulimit("core", 0),
            # Message queues live in /dev/mqueue until the box ends, and their quota is the user's on this machine.
            _ulimit("msgqueue", 0),
        ],
    }


def _ulimit(name: str, value: int) -> dict[str, Any]:
    return {"Name": name, "Soft": value, "Hard": value}


def differences(body: Mapping[str, Any], inspected: Mapping[str, Any]) -> list[str]:
    """Compare what the engine made with what it was asked for.

    Args:
        body: From `container_body`.
        inspected: The engine's inspect of the container.

    Returns:
        One line for each difference, naming the flag; empty when every wall stands.
    """
    asked = {f"Config.{name}": value for name, value in body.items() if name != "HostConfig"}
    asked |= {f"HostConfig.{name}": value for name, value in body["HostConfig"].items()}
    asked["Image"] = body["Image"]
    found = [_compare(path, value, _at(inspected, path)) for path, value in asked.items()]
    found += [_compare(path, None, _at(inspected, path)) for path in _MUST_BE_EMPTY]
    found += [f"{path}: is empty" for path in _MUST_BE_FILLED if not _at(inspected, path)]
    return [line for line in found if line]


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _compare(path: str, asked: Any, got: Any) -> str:
    if path == "Config.Labels":  # the image's own labels are there too
        got = {name: value for name, value in (got or {}).items() if name in asked}
    if _plain(asked) == _plain(got):
        return ""
    return f"{path}: asked for {_shown(asked)}, got {_shown(got)}"


def _plain(value: Any) -> Any:
    """Make equal what means the same: order of lists, and the many ways of saying nothing."""
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()} or None
    if isinstance(value, list | tuple):
        return sorted(json.dumps(_plain(part), sort_keys=True) for part in value) or None
    return None if value == "" or value is False else value


def _shown(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 120 else f"{text[:60]}… (SHA-256 {hashlib.sha256(text.encode()).hexdigest()[:12]})"


def environment(entries: Any) -> dict[str, str]:
    """Return "NAME=value" entries as a mapping."""
    return {name: value for name, _, value in (str(entry).partition("=") for entry in entries)}

"""What is there and what is wrong on this machine, and clearing away what grader left.

`gather` asks, `judge` is pure. Nothing here changes anything, but `clean`; a box is opened for a try and removed.
"""

from __future__ import annotations

import re
import secrets
import shutil
import stat
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from grader import clock
from grader.config import Settings
from grader.errors import InfrastructureFault
from grader.model.base import Frozen
from grader.model.exercise import BoxLimits
from grader.sandbox import reaper
from grader.sandbox.docker_box import DockerSandbox
from grader.sandbox.docker_engine import Engine, EngineVersion, connect, translate
from grader.sandbox.hardening import GVISOR
from grader.sandbox.images import LABEL_STAGE, image_id
from grader.sandbox.isolation import missing_limits
from grader.sandbox.port import BoxSpec, Role
from grader.sandbox.recipes import REPOSITORIES, recipes
from grader.sandbox.version_floor import FLOOR, below_floor

GIB = 1024**3
DISK_LOW, DISK_EMPTY = 6 * GIB, GIB
MEMORY_LOW = 4 * GIB

Level = Literal["ok", "warn", "error"]


class Finding(Frozen):
    """One thing that was looked at. `hint` says what to do where it is not ok."""

    id: str
    level: Level
    what: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What `gather` found; sizes in bytes, None where it could not be found out.

    Attributes:
        python: Version of the interpreter that runs grader.
        engine_error: Why no engine answers: message and hint.
        version: The engine's versions.
        info: The engine's `info`.
        runtime: The runtime that the settings ask for.
        missing: Names of images that are not built, or not from the present sources.
        outdated: Images of grader's that no longer belong to these sources.
        left_over: Boxes whose process is dead.
        refused: Why no box could be opened: message and hint. None where one was, or where images are missing.
        disk_free: Where the engine keeps its images, if that is on this machine.
        core_pattern: The kernel's, if it is this machine's.
        loose_keys: Key files that others can read.
    """

    python: tuple[int, int, int]
    engine_error: tuple[str, str] | None = None
    version: EngineVersion | None = None
    info: Mapping[str, Any] = field(default_factory=dict)
    runtime: str = "runc"
    missing: tuple[str, ...] = ()
    outdated: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    refused: tuple[str, str] | None = None
    disk_free: int | None = None
    core_pattern: str = ""
    loose_keys: tuple[str, ...] = ()


def examine(settings: Settings) -> tuple[Finding, ...]:
    """Look at this machine and the engine, and say what is wrong. Raises nothing of the engine's."""
    return judge(gather(settings), tomllib.loads(FLOOR.read_text()))


def gather(settings: Settings) -> Facts:
    """Ask the machine and the engine. An engine that does not answer is a fact too."""
    here = Facts(
        python=sys.version_info[:3],
        runtime=settings.runtime,
        core_pattern=_read("/proc/sys/kernel/core_pattern"),
        loose_keys=tuple(_loose_keys(settings.config_dir)),
    )
    try:
        with connect(settings) as engine:
            info = engine.info()
            wanted = [recipe.tag for recipe in recipes(engine.version.arch)]
            missing = tuple(tag for tag in wanted if image_id(engine, tag) is None)
            return replace(
                here,
                version=engine.version,
                info=info,
                missing=missing,
                outdated=tuple(_outdated(engine)),
                left_over=tuple(_left_over(engine)),
                disk_free=_disk_free(Path(str(info.get("DockerRootDir", "")))),
                refused=None if missing else _refused(engine, settings.runtime, wanted[0]),
            )
    except InfrastructureFault as error:
        return replace(here, engine_error=(error.message, error.hint))


def _refused(engine: Engine, runtime: str, image: str) -> tuple[str, str] | None:
    """Open a box as grading does, which compares what the engine built with what was asked for, and remove it."""
    spec = BoxSpec(role=Role.SUBMISSION, image=image, limits=BoxLimits(), run=secrets.token_hex(16), seconds=60.0)
    try:
        DockerSandbox(engine, runtime).open(spec).close()
    except InfrastructureFault as fault:
        return fault.message, fault.hint
    return None


def clean(settings: Settings) -> list[str]:
    """Remove boxes whose process is dead, images of other sources, and cached wheels of other versions.

    Returns:
        One line for each thing removed, or not removed because it is in use.

    Raises:
        InfrastructureFault: The engine failed.
    """
    with connect(settings) as engine:
        lines = [f"removed the box {reaped.container[:12]}: {reaped.why}" for reaped in reaper.reap(engine)]
        lines += remove_images(engine, _outdated(engine))
        with translate("removing what builds left"):
            engine.client.images.prune(filters={"dangling": True, "label": LABEL_STAGE})
        current = {folder for recipe in recipes(engine.version.arch) for folder in recipe.wheels_folders}
    return lines + remove_wheels(settings.cache_dir, current)


def remove_wheels(cache: Path, keep: Set[str]) -> list[str]:
    """Remove cached wheels but those in folders with the names in `keep`; return one line for each folder."""
    lines = []
    for folder in sorted((cache / "wheels").glob("*")):
        if folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)
            lines.append(f"removed cached wheels: {folder}")
    return lines


def remove_images(engine: Engine, names: Iterable[str]) -> list[str]:
    """Remove images by name; return one line for each. One that is in use stays."""
    lines = []
    for name in names:
        try:
            with translate(f"removing the image {name}"):
                engine.client.images.remove(name)
            lines.append(f"removed the image {name}")
        except InfrastructureFault as error:
            lines.append(f"kept: {error.message}")
    return lines


def judge(facts: Facts, floor: Mapping[str, Any]) -> tuple[Finding, ...]:
    """Say what the facts mean; the most fundamental first."""
    findings = [_python(facts), *_keys(facts)]
    if facts.engine_error:
        message, hint = facts.engine_error
        return (*findings, Finding(id="engine", level="error", what=message, hint=_not_here(hint, _START)))
    return (*findings, *_versions(facts, floor), *_walls(facts), *_room(facts), *_images(facts))


_START = "Start it, or type: grader setup"
_OTHER = "Nothing can be graded there. Update the engine, or use another: DOCKER_HOST, or docker_host in grader.toml."


def _not_here(hint: str, instead: str) -> str:
    """A hint of somebody else's; whoever reads it here need not be sent here."""
    return instead if re.search(r"grader doctor\b(?! --clean)", hint) else hint


def _python(facts: Facts) -> Finding:
    version = ".".join(map(str, facts.python))
    if facts.python < (3, 11):
        return Finding(id="python", level="error", what=f"Python {version}", hint="grader needs Python 3.11 or newer.")
    return Finding(id="python", level="ok", what=f"Python {version}")


def _keys(facts: Facts) -> Iterator[Finding]:
    for path in facts.loose_keys:
        yield Finding(id="keys", level="error", what=f"{path} can be read by others", hint=f"Type: chmod 600 {path}")


def _versions(facts: Facts, floor: Mapping[str, Any]) -> Iterator[Finding]:
    version = facts.version
    if version is None:
        return
    desktop = re.search(r"Docker Desktop ([\d.]+)", version.platform)
    if desktop:
        yield _floor_finding("desktop", "Docker Desktop", desktop[1], [floor["desktop"]["floor"]])
        if below_floor(desktop[1], [floor["desktop"]["never_below"]]):
            hint = "Boxes can reach the engine itself (CVE-2025-9074): update before grading anything."
            yield Finding(id="desktop-hole", level="error", what=f"Docker Desktop {desktop[1]}", hint=hint)
    if version.product != "Docker":
        hint = "grader is made for Docker's engine; what this one cannot build is refused."
        yield Finding(id="engine", level="warn", what=f"{version.product} {version.engine}", hint=hint)
        return
    branches = floor.get("branches", {})
    yield _floor_finding("engine", "Docker engine", version.engine, branches.get("engine", [floor["engine"]]))
    yield _floor_finding("runc", "runc", version.runc, branches.get("runc", [floor["runc"]]))


def _floor_finding(name: str, title: str, version: str, floors: list[str]) -> Finding:
    if not below_floor(version, floors):
        return Finding(id=name, level="ok", what=f"{title} {version}")
    return Finding(
        id=name,
        level="warn",
        what=f"{title} {version} is older than {' / '.join(floors)}, the first with all known holes closed",
        hint="Distributions may have closed them without a new number. For strangers' code, update or use a VM.",
    )


def _walls(facts: Facts) -> Iterator[Finding]:
    info = facts.info
    options = " ".join(info.get("SecurityOptions") or [])
    if "name=seccomp" in options:
        yield Finding(id="seccomp", level="ok", what="seccomp filters system calls")
    else:
        yield Finding(
            id="seccomp", level="error", what="the engine cannot filter system calls", hint="It needs seccomp support."
        )
    module = next((name for name in ("apparmor", "selinux") if f"name={name}" in options), "")
    if module:
        yield Finding(id="security-module", level="ok", what=f"{module} confines boxes")
    else:
        hint = "One wall less: enable AppArmor or SELinux, or use a VM, for strangers' code."
        yield Finding(id="security-module", level="warn", what="neither AppArmor nor SELinux confines boxes", hint=hint)
    cgroups = str(info.get("CgroupVersion") or "1")
    hint = "" if cgroups == "2" else "Works; version 2 is preferred, as it has no release agent."
    yield Finding(id="cgroups", level="ok" if cgroups == "2" else "warn", what=f"control groups v{cgroups}", hint=hint)
    yield from _limits(info)
    yield _runtime(facts)
    if facts.core_pattern.startswith("|"):
        yield Finding(
            id="core-pattern",
            level="warn",
            what="a crash in a box starts a program on this machine (kernel.core_pattern is a pipe)",
            hint="Type: sysctl -w kernel.core_pattern=core",
        )


def _limits(info: Mapping[str, Any]) -> Iterator[Finding]:
    lacking = missing_limits(info)
    if lacking:
        what = f"the engine cannot limit: {', '.join(lacking)}"
        hint = "No box is opened there. Rootless engines need cgroups v2 with delegation."
        yield Finding(id="limits", level="error", what=what, hint=hint)
    if info.get("SwapLimit") is False:
        hint = "Turn swap off, or boot with swapaccount=1."
        yield Finding(id="swap-limit", level="warn", what="the engine cannot limit swap", hint=hint)


def _runtime(facts: Facts) -> Finding:
    runtimes = sorted(facts.info.get("Runtimes") or {})
    what = f"runtime {facts.runtime} (there are: {', '.join(runtimes)})"
    if facts.runtime not in runtimes:
        return Finding(id="runtime", level="error", what=what, hint="Install it, or change the setting 'runtime'.")
    hint = ""
    if GVISOR not in runtimes:
        hint = "For strangers' code, gVisor (runsc) puts a kernel of its own around a box."
    elif facts.runtime != GVISOR:
        hint = "gVisor is here. For strangers' code choose it: GRADER_RUNTIME=runsc, or runtime in grader.toml."
    return Finding(id="runtime", level="ok", what=what, hint=hint)


def _room(facts: Facts) -> Iterator[Finding]:
    driver = facts.info.get("Driver", "unknown")
    if facts.disk_free is None:
        yield Finding(id="disk", level="ok", what=f"storage driver {driver}; the engine's disk is not on this machine")
    else:
        low = "error" if facts.disk_free < DISK_EMPTY else "warn" if facts.disk_free < DISK_LOW else "ok"
        hint = "" if low == "ok" else "Building the images takes about 5 GiB. 'grader doctor --clean' frees some."
        free = f"{facts.disk_free / GIB:.1f} GiB free for images, storage driver {driver}"
        yield Finding(id="disk", level=low, what=free, hint=hint)
    memory = int(facts.info.get("MemTotal") or 0)
    what = f"{memory / GIB:.1f} GiB of memory, {facts.info.get('NCPU', '?')} CPUs"
    if memory < MEMORY_LOW:
        hint = "A run opens two boxes of up to 2 GiB each; less memory may stop an honest program."
        yield Finding(id="memory", level="warn", what=what, hint=hint)
    else:
        yield Finding(id="memory", level="ok", what=what)


def _images(facts: Facts) -> Iterator[Finding]:
    if facts.refused:
        message, hint = facts.refused
        what = f"no box can be opened: {message}"
        yield Finding(id="box", level="error", what=what, hint=_not_here(hint, _OTHER))
    if facts.missing:
        what = f"not built from the present sources: {', '.join(facts.missing)}"
        yield Finding(id="images", level="error", what=what, hint="Type: grader setup")
    else:
        yield Finding(id="images", level="ok", what="both images are built from the present sources")
        if not facts.refused:
            yield Finding(id="box", level="ok", what="a box with all its walls was opened for a try")
    if facts.outdated:
        what = f"{len(facts.outdated)} outdated images: {', '.join(facts.outdated)}"
        yield Finding(id="outdated-images", level="ok", what=what, hint="'grader doctor --clean' removes them.")
    if facts.left_over:
        what = f"{len(facts.left_over)} boxes whose process is dead: {', '.join(facts.left_over)}"
        yield Finding(id="left-over-boxes", level="warn", what=what, hint="'grader doctor --clean' removes them.")


def _outdated(engine: Engine) -> Iterator[str]:
    """Yield the names of our images that the present sources do not lead to."""
    current = {tag for recipe in recipes(engine.version.arch) for tag in recipe.all_tags}
    with translate("listing the images"):
        images = engine.client.images.list()
    names = [tag for image in images for tag in image.tags]
    names = [name for name in names if name.split(":")[0] in REPOSITORIES and name not in current]
    # From the top: an image that another stands on cannot be removed before it.
    yield from sorted(names, key=lambda name: (-REPOSITORIES.index(name.split(":")[0]), name))


def _left_over(engine: Engine) -> Iterator[str]:
    machine, now = reaper.this_process().machine, clock.now().timestamp()
    with translate("looking for boxes that were left behind"):
        containers = engine.api.containers(all=True, filters={"label": [reaper.LABEL_RUN]})
    for container in containers:
        if reaper.why_remove(container.get("Labels") or {}, now=now, machine=machine, alive=reaper.is_alive):
            yield str(container["Id"])[:12]


def _disk_free(folder: Path) -> int | None:
    return shutil.disk_usage(folder).free if folder.is_absolute() and folder.is_dir() else None


def _loose_keys(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("*.key")):
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield str(path)


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""

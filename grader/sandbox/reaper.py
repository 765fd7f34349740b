"""Removes boxes that nobody will ever close: their process is dead, or their time is over.

Every box carries labels that say whose it is. A process is known by machine start, process
namespace, id and start time, so that neither a reboot nor a reused id can make a stranger of it,
and a grader in a container of its own does not take the host's processes for dead ones.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader import clock
from grader.errors import BoxLost, EngineUnavailable, InfrastructureFault
from grader.sandbox.docker_engine import Engine, translate
from grader.sandbox.port import BoxSpec

LABEL_RUN = "grader.run"
LABEL_ROLE = "grader.role"
LABEL_OWNER = "grader.owner"
LABEL_DEADLINE = "grader.deadline"
GRACE_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process, told apart from every other one.

    Attributes:
        machine: Start of the machine and process namespace; "" where the system does not tell.
        pid: Its id there.
        started: When it started, in the kernel's ticks; "" where the system does not tell.
    """

    machine: str
    pid: int
    started: str

    def __str__(self) -> str:
        """Write it as a label's value."""
        return f"{self.machine}/{self.pid}/{self.started}"

    @classmethod
    def parse(cls, text: str) -> Process | None:
        """Read a label's value back; None when it is none of ours."""
        machine, _, rest = text.partition("/")
        pid, _, started = rest.partition("/")
        return cls(machine=machine, pid=int(pid), started=started) if pid.isdigit() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaped:
    """A container that was removed, and why."""

    container: str
    run: str
    why: str


def this_process() -> Process:
    """Return the process that is asking."""
    pid = os.getpid()
    return Process(machine=_machine(), pid=pid, started=_started(pid))


def labels_for(spec: BoxSpec) -> dict[str, str]:
    """Return the labels that a new box of this process gets."""
    deadline = int(clock.now().timestamp() + spec.seconds) + GRACE_SECONDS
    return {
        LABEL_RUN: spec.run,
        LABEL_ROLE: spec.role.value,
        LABEL_OWNER: str(this_process()),
        LABEL_DEADLINE: str(deadline),
    }


def why_remove(labels: Mapping[str, str], *, now: float, machine: str, alive: Callable[[Process], bool]) -> str:
    """Return why a box with these labels should go, or "" if it may still be in use.

    Args:
        labels: Of the container.
        now: Seconds since 1970.
        machine: Where the one who asks runs; boxes from elsewhere are judged by their deadline only.
        alive: Tells whether a process of that machine still runs.
    """
    deadline = labels.get(LABEL_DEADLINE, "")
    if deadline.isdigit() and int(deadline) < now:
        return "its time is over"
    owner = Process.parse(labels.get(LABEL_OWNER, ""))
    if owner is None or not deadline.isdigit():
        return "nobody knows whose it is"
    if machine and owner.machine == machine and not alive(owner):
        return "the process that opened it has ended"
    return ""


def reap(engine: Engine) -> list[Reaped]:
    """Remove every box on this engine that nobody will close any more.

    Raises:
        InfrastructureFault: The engine failed; what was removed until then stays removed.
    """
    machine, now = _machine(), clock.now().timestamp()
    with translate("looking for boxes that were left behind"):
        containers = engine.api.containers(all=True, filters={"label": [LABEL_RUN]})
    reaped = []
    for container in containers:
        labels = container.get("Labels") or {}
        why = why_remove(labels, now=now, machine=machine, alive=is_alive)
        if why and _can_remove(engine, container["Id"]):
            reaped.append(Reaped(container=container["Id"], run=labels[LABEL_RUN], why=why))
    return reaped


def _can_remove(engine: Engine, container: str) -> bool:
    """Remove a container; one that cannot go now must not keep the others from going."""
    try:
        return remove(engine, container)
    except EngineUnavailable:
        raise
    except InfrastructureFault:
        return False


def remove(engine: Engine, container: str) -> bool:
    """Remove a container with all that belongs to it; return False when there was none."""
    try:
        with translate("removing a box"):
            engine.api.remove_container(container, v=True, force=True)
    except BoxLost:
        return False
    except InfrastructureFault as fault:
        if "already in progress" not in fault.message:  # somebody else is at it, which will do
            raise
    return True


def is_alive(process: Process) -> bool:
    """Tell whether a process of this machine still runs."""
    started = _started(process.pid)
    if started or process.started:
        return started == process.started
    try:  # a system without /proc
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _machine() -> str:
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
        return f"{boot}.{namespace.strip('pid:[]')}"
    return ""


def _started(pid: int) -> str:
    with contextlib.suppress(OSError, IndexError):
        # The name, in brackets, may hold spaces and brackets itself. After it: state, and 19 fields on the start time.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""

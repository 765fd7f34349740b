"""Making sure of a Docker engine: the one that answers, else the distribution's, installed and started.

Works with systemd, and without it as in plain VMs and containers. Nothing is installed or started
unless this is a Debian or Ubuntu, run by root, without GRADER_NO_INSTALL, and nobody asked for an
engine elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from grader.clock import Deadline
from grader.config import Settings
from grader.errors import EngineUnavailable, InfrastructureFault
from grader.sandbox.docker_engine import LOCAL_SOCKET, Engine, connect, locate
from grader.sandbox.machine import Report, apt_install, run_tool

START_SECONDS = 60.0
POLL_SECONDS = 0.2
PACKAGE = "docker.io"
LOCK = Path("/run/grader-engine.lock")
LOCK_SECONDS = 900.0
LOG = Path("/var/log/grader-dockerd.log")
PID_FILES = {
    Path("/var/run/docker.pid"): "dockerd",
    Path("/var/run/docker/containerd/containerd.pid"): "containerd",
}
LOCAL_SOCKETS = (LOCAL_SOCKET, "unix:///run/docker.sock", "http+unix:///var/run/docker.sock")

# Where root's tools are; a user's PATH often leaves them out.
_TOOLS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What decides whether an engine may be installed and started here.

    Attributes:
        debian: Debian, Ubuntu, or one made from them.
        root: This process may install packages.
        systemd: systemd runs this machine.
        dockerd: Path of the engine's daemon, or None.
    """

    debian: bool
    root: bool
    systemd: bool
    dockerd: str | None


def look_at_machine() -> Machine:
    """Return what this machine is."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    family = {release.get("ID", ""), *release.get("ID_LIKE", "").split()}
    return Machine(
        debian=bool(family & {"debian", "ubuntu"}) and shutil.which("apt-get") is not None,
        root=os.geteuid() == 0,
        systemd=Path("/run/systemd/system").is_dir(),
        dockerd=shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:{_TOOLS}"),
    )


def ensure_engine(settings: Settings, report: Report) -> Engine:
    """Return an engine that answers, after installing and starting one where that is allowed.

    Args:
        settings: `docker_host` and `no_install` count.
        report: Takes one line about each thing that is changed on this machine.

    Raises:
        EngineUnavailable: None answers; the hint is what to type.
        InfrastructureFault: Installing or starting one failed.
    """
    try:
        return connect(settings)
    except EngineUnavailable as error:
        machine = look_at_machine()
        refusal = why_not(settings, machine, os.environ)
        if refusal:
            raise EngineUnavailable(error.message, hint=better_hint(error.hint, refusal)) from error
    try:
        with FileLock(LOCK, timeout=LOCK_SECONDS):
            return _install_and_start(settings, machine, report)
    except Timeout as error:
        raise InfrastructureFault(
            f"another grader has been installing an engine for {LOCK_SECONDS / 60:.0f} minutes",
            hint=f"End that process, or delete {LOCK} if there is none.",
        ) from error


def why_not(settings: Settings, machine: Machine, environment: Mapping[str, str]) -> str:
    """Return "" if an engine may be installed and started here, else what a person should type."""
    address, _ = locate(settings, dict(environment))
    if address not in LOCAL_SOCKETS:
        return f"Start the engine at {address}, or unset DOCKER_HOST and DOCKER_CONTEXT to use this machine's."
    sudo = "" if machine.root else "sudo "
    if machine.dockerd:
        command = f"{sudo}systemctl start docker" if machine.systemd else f"{sudo}sh -c 'dockerd >{LOG} 2>&1 &'"
    elif machine.debian:
        command = f"{sudo}apt-get install {PACKAGE}"
    else:
        return "Install a Docker engine: Docker Desktop, or your distribution's docker package; then: grader setup"
    if settings.no_install:
        return f"GRADER_NO_INSTALL is set, so nothing was installed or started. Type: {command}"
    return "" if machine.root and machine.debian else f"Type: {command}"


def better_hint(found: str, general: str) -> str:
    """Choose between the connection's own hint and the general one: a lack of permission is more exact."""
    return found if "usermod" in found else general


def _install_and_start(settings: Settings, machine: Machine, report: Report) -> Engine:
    if not machine.dockerd:
        report(f"no Docker engine here: installing the distribution's ({PACKAGE})")
        apt_install([PACKAGE], hint=f"Type: apt-get install {PACKAGE}")
        machine = look_at_machine()
    try:
        return connect(settings)  # installing may have started it, and so may another grader
    except EngineUnavailable:
        report("starting the Docker engine")
    if machine.systemd:
        run_tool(["systemctl", "start", "docker"], "starting the engine", hint="Look at: journalctl -u docker")
        return wait_for(settings, None)
    mount_cgroups(report)
    drop_stale_pid_files()
    return wait_for(settings, start_daemon([machine.dockerd or "dockerd"], LOG))


def mount_cgroups(report: Report, mounts: Path = Path("/proc/mounts")) -> None:
    """Mount the control groups where nothing did at the start of the machine; the engine needs them."""
    if any(line.split()[2] in ("cgroup", "cgroup2") for line in mounts.read_text().splitlines()):
        return
    report("mounting the control groups (cgroupfs-mount), which limit what boxes use")
    if not shutil.which("cgroupfs-mount", path=_TOOLS):
        apt_install(["cgroupfs-mount"], hint="Type: apt-get install cgroupfs-mount && cgroupfs-mount")
    run_tool(["cgroupfs-mount"], "mounting the control groups")


def drop_stale_pid_files(files: Mapping[Path, str] | None = None, proc: Path = Path("/proc")) -> None:
    """Remove the pid files of daemons that were killed.

    A daemon that finds its old number in use takes whatever runs under it for itself, and does not start.

    Args:
        files: Pid file to the name of its daemon; the engine's own two when left out.
        proc: Where the kernel lists processes.
    """
    for path, daemon in (PID_FILES if files is None else files).items():
        with contextlib.suppress(OSError):
            number = path.read_text().strip()
            running = proc / number / "comm"
            if not (number.isdigit() and running.exists() and running.read_text().strip() == daemon):
                path.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """An engine that was started here: its process, and the file that it prints to."""

    process: subprocess.Popen[bytes]
    log: Path


def start_daemon(command: Sequence[str], log: Path) -> Daemon:
    """Start the engine's daemon so that it outlives this process and its terminal.

    Raises:
        InfrastructureFault: It cannot be run, or its log cannot be written.
    """
    try:
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,
                env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_TOOLS}"},
            )
    except OSError as error:
        raise InfrastructureFault(f"starting the engine: {error}", hint=f"Type: {' '.join(command)}") from error
    return Daemon(process=process, log=log)


def wait_for(settings: Settings, daemon: Daemon | None, seconds: float = START_SECONDS) -> Engine:
    """Return the engine as soon as it answers.

    Args:
        settings: Where it should be.
        daemon: What was started here; None when the machine's service manager did.
        seconds: How long to wait.

    Raises:
        InfrastructureFault: It ended, or did not answer in time; with the last lines of its log.
    """
    deadline = Deadline(seconds)
    while True:
        try:
            return connect(settings)
        except EngineUnavailable as error:
            ended = daemon is not None and daemon.process.poll() is not None
            if ended or deadline.passed:
                what = "ended right after its start" if ended else f"did not answer within {seconds:.0f} s"
                raise InfrastructureFault(
                    f"the Docker engine {what}{_tail(daemon)}", hint="'grader doctor' looks for what it lacks."
                ) from error
        time.sleep(min(POLL_SECONDS, deadline.left))


def _tail(daemon: Daemon | None) -> str:
    if daemon is None:
        return ""
    lines = daemon.log.read_text(errors="replace").splitlines()[-8:]
    return "; the end of {}:\n{}".format(daemon.log, "\n".join(lines))

"""When an engine may be installed or started, and what everybody else is told to type."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from grader.config import Settings
from grader.errors import EngineUnavailable, InfrastructureFault
from grader.sandbox.engine_setup import (
    Machine,
    better_hint,
    drop_stale_pid_files,
    ensure_engine,
    mount_cgroups,
    start_daemon,
    wait_for,
    why_not,
)

ROOT_ON_DEBIAN = Machine(debian=True, root=True, systemd=False, dockerd=None)


@pytest.mark.parametrize(
    ("number", "runs", "kept"), [("7", "dockerd", True), ("7", "bash", False), ("7", "", False), ("x", "", False)]
)
def test_only_the_pid_file_of_a_daemon_that_runs_is_kept(tmp_path: Path, number: str, runs: str, kept: bool) -> None:
    file = tmp_path / "docker.pid"
    file.write_text(number)
    if runs:
        (tmp_path / "7").mkdir()
        (tmp_path / "7" / "comm").write_text(f"{runs}\n")
    drop_stale_pid_files({file: "dockerd", tmp_path / "none": "containerd"}, proc=tmp_path)
    assert file.exists() is kept


def test_root_on_debian_may_install() -> None:
    assert why_not(Settings(), ROOT_ON_DEBIAN, {}) == ""


@pytest.mark.parametrize(
    ("machine", "command"),
    [
        (replace(ROOT_ON_DEBIAN, root=False), "sudo apt-get install docker.io"),
        (replace(ROOT_ON_DEBIAN, root=False, dockerd="/d", systemd=True), "sudo systemctl start docker"),
        (replace(ROOT_ON_DEBIAN, root=False, dockerd="/d"), "sudo sh -c 'dockerd"),
        (replace(ROOT_ON_DEBIAN, debian=False, dockerd="/d", systemd=True), "Type: systemctl start docker"),
        (replace(ROOT_ON_DEBIAN, debian=False), "Docker Desktop"),
    ],
)
def test_anybody_else_gets_the_command_to_type(machine: Machine, command: str) -> None:
    assert command in why_not(Settings(), machine, {})


def test_installing_can_be_refused() -> None:
    refusal = why_not(Settings(no_install=True), ROOT_ON_DEBIAN, {})
    assert "GRADER_NO_INSTALL" in refusal
    assert "apt-get install docker.io" in refusal


@pytest.mark.parametrize("host", ["tcp://far.example:2376", "unix:///run/user/1000/docker.sock"])
def test_an_engine_that_was_asked_for_elsewhere_is_not_replaced(host: str) -> None:
    assert host in why_not(Settings(), ROOT_ON_DEBIAN, {"DOCKER_HOST": host})


def test_refusing_keeps_exit_code_4(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EngineUnavailable, match="no Docker engine answers") as caught:
        ensure_engine(Settings(docker_host="unix:///nowhere.sock", no_install=True), pytest.fail)
    assert caught.value.exit_code == 4


def test_a_lack_of_permission_is_the_better_hint() -> None:
    assert "usermod" in better_hint("Type: sudo usermod ...", "Type: sudo systemctl start docker")
    assert "systemctl" in better_hint("Start it", "Type: sudo systemctl start docker")


def test_mounted_control_groups_are_left_alone(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")
    mount_cgroups(pytest.fail, mounts)


def test_a_daemon_that_ends_is_told_with_its_last_words(tmp_path: Path) -> None:
    program = "import sys; sys.exit('iptables not found')"
    daemon = start_daemon([sys.executable, "-c", program], tmp_path / "log")
    daemon.process.wait()
    with pytest.raises(InfrastructureFault, match="iptables not found"):
        wait_for(Settings(docker_host="unix:///nowhere.sock"), daemon)


def test_a_daemon_that_never_answers_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    daemon = start_daemon([sys.executable, "-c", "import signal; signal.pause()"], tmp_path / "log")
    try:
        with pytest.raises(InfrastructureFault, match="did not answer within 0 s"):
            wait_for(Settings(docker_host="unix:///nowhere.sock"), daemon, seconds=0.1)
    finally:
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()


def test_a_daemon_that_cannot_be_run_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InfrastructureFault, match="starting the engine"):
        start_daemon(["/nowhere/dockerd"], tmp_path / "log")

"""Every wall of SECURITY section 3: read back from the engine, and tried from inside."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from grader.sandbox.docker_engine import Engine
from grader.sandbox.hardening import load_profile
from grader.sandbox.port import Box
from tests.integration.sandbox import programs
from tests.integration.sandbox.conftest import Boxes, answer, soon

pytestmark = pytest.mark.docker

MIB = 1024 * 1024
LIMITS = {"memory": 512 * MIB, "workspace": 8 * MIB, "files": 200, "pids": 64, "cpus": 1.5}
DISK = f"size={8 * MIB},nr_inodes=200,mode=1777,nosuid,nodev,noexec"

READ_BACK = {
    "Config.User": "65534:65534",
    "Config.Tty": False,
    "Config.OpenStdin": True,
    "Config.StdinOnce": True,
    "Config.Hostname": "box",
    "Config.WorkingDir": "/work",
    "Config.Healthcheck": {"Test": ["NONE"]},
    "Config.Volumes": None,
    "HostConfig.NetworkMode": "none",
    "HostConfig.ReadonlyRootfs": True,
    "HostConfig.Privileged": False,
    "HostConfig.CapDrop": ["ALL"],
    "HostConfig.CapAdd": None,
    "HostConfig.GroupAdd": None,
    "HostConfig.Tmpfs": {"/tmp": DISK, "/work": f"{DISK},uid=65534,gid=65534"},
    "HostConfig.PidsLimit": 64,
    "HostConfig.Memory": 512 * MIB,
    "HostConfig.MemorySwap": 512 * MIB,
    "HostConfig.NanoCpus": 1_500_000_000,
    "HostConfig.OomScoreAdj": 500,
    "HostConfig.Ulimits": [
        {"Name": "nofile", "Soft": 1024, "Hard": 1024},
        {"Name": "fsize", "Soft": 8 * MIB, "Hard": 8 * MIB},
        {"Name": "core", "Soft": 0, "Hard": 0},
        {"Name": "msgqueue", "Soft": 0, "Hard": 0},
    ],
    "HostConfig.IpcMode": "private",
    "HostConfig.ShmSize": 64 * MIB,
    "HostConfig.CgroupnsMode": "private",
    "HostConfig.PidMode": "",
    "HostConfig.UTSMode": "",
    "HostConfig.UsernsMode": "",
    "HostConfig.Binds": None,
    "HostConfig.VolumesFrom": None,
    "HostConfig.Devices": None,
    "HostConfig.DeviceRequests": None,
    "HostConfig.ExtraHosts": None,
    "HostConfig.Dns": None,
    "HostConfig.Links": None,
    "HostConfig.LogConfig.Type": "none",
    "HostConfig.RestartPolicy.Name": "no",
    "HostConfig.AutoRemove": False,
    "HostConfig.Init": False,
    "HostConfig.Runtime": "runc",
    "Mounts": [],
}


@pytest.fixture(scope="module")
def box(engine: Engine, runtime_image: str) -> Iterator[Box]:
    with contextlib.closing(Boxes("docker", runtime_image, engine)(programs.EVALUATE, **LIMITS)) as box:
        yield box


@pytest.fixture(scope="module")
def inspected(engine: Engine, box: Box) -> dict[str, Any]:
    return dict(engine.api.inspect_container(box.container))


def at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value[name]
    return value


@pytest.mark.parametrize(("path", "expected"), READ_BACK.items(), ids=READ_BACK)
def test_the_engine_says_that_the_flag_is_set(inspected: dict[str, Any], path: str, expected: object) -> None:
    assert at(inspected, path) == expected


def test_the_engine_holds_our_seccomp_profile(inspected: dict[str, Any], box: Box) -> None:
    first, second = inspected["HostConfig"]["SecurityOpt"]
    profile = second.removeprefix("seccomp=")
    assert first == "no-new-privileges"
    assert json.loads(profile) == json.loads(load_profile())
    assert box.isolation.seccomp == f"grader {hashlib.sha256(profile.encode()).hexdigest()[:12]}"


def test_parts_of_proc_are_hidden(inspected: dict[str, Any]) -> None:
    assert {"/proc/kcore", "/proc/keys"} <= set(inspected["HostConfig"]["MaskedPaths"])
    assert "/proc/sys" in inspected["HostConfig"]["ReadonlyPaths"]


def test_the_environment_holds_nothing_of_this_machine(inspected: dict[str, Any]) -> None:
    assert {entry.partition("=")[0] for entry in inspected["Config"]["Env"]} == {"PATH", "HOME", "LANG"}


def test_the_image_is_named_by_its_id(inspected: dict[str, Any], runtime_image: str) -> None:
    assert inspected["Config"]["Image"] == inspected["Image"] == runtime_image
    assert runtime_image.startswith("sha256:")


def test_the_name_tells_nothing(inspected: dict[str, Any]) -> None:
    assert re.fullmatch(r"/grader-submission-[0-9a-f]{16}", inspected["Name"])


def test_it_is_nobody_without_groups_or_rights(box: Box) -> None:
    assert answer(box, "os.getresuid() + os.getresgid(), os.getgroups()") == f"({(65534,) * 6}, [65534])"
    status = answer(box, "Path('/proc/self/status').read_text()")
    assert re.findall(r"Cap\w+:\s+(\w+)", status) == ["0" * 16] * 5
    assert re.findall(r"(?:NoNewPrivs|Seccomp):\s+(\d)", status) == ["1", "2"]


@pytest.mark.parametrize("folder", ["/", "/etc", "/usr", "/opt/venv", "/run", "/var/tmp", "/home"])
def test_the_system_cannot_be_written_to(box: Box, folder: str) -> None:
    assert answer(box, f"refused(lambda: open('{folder}/canary', 'w'))") in ("EROFS", "EACCES")
    assert answer(box, f"bool(os.statvfs('{folder}').f_flag & os.ST_RDONLY)") == "True"


@pytest.mark.parametrize(
    "file", ["/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger"]
)
def test_files_of_the_engine_and_the_kernel_cannot_be_written_to(box: Box, file: str) -> None:
    assert answer(box, f"refused(lambda: open('{file}', 'a'))") in ("EROFS", "EACCES", "ENOENT")


@pytest.mark.parametrize("file", ["/proc/kcore", "/proc/keys", "/proc/timer_list"])
def test_hidden_files_are_empty(box: Box, file: str) -> None:
    assert answer(box, f"refused(lambda: open('{file}', 'rb').read(1))") in ("allowed: b''", "EACCES", "ENOENT")


def test_control_groups_are_out_of_reach(box: Box) -> None:
    assert set(re.findall(r":(/.*)", answer(box, "Path('/proc/self/cgroup').read_text()"))) == {"/"}
    assert answer(box, "[p for p in Path('/sys/fs/cgroup').glob('*/*') if os.access(p, os.W_OK)]") == "[]"


def test_nothing_of_the_host_is_mounted(box: Box) -> None:
    lines = answer(box, "Path('/proc/self/mountinfo').read_text()").splitlines()
    places = {line.split()[4] for line in lines}
    written = {place for place in places if not place.startswith(("/proc", "/sys", "/dev"))}
    assert written == {"/", "/tmp", "/work", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}
    assert answer(box, "[p for p in ('/var/run/docker.sock', '/run/docker.sock') if os.path.lexists(p)]") == "[]"


@pytest.mark.parametrize("folder", ["/tmp", "/work", "/dev/shm"])
def test_folders_for_writing_run_no_programs(box: Box, folder: str) -> None:
    flags = "os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC"
    assert answer(box, f"os.statvfs('{folder}').f_flag & ({flags}) == ({flags})") == "True"
    script = f"[Path('{folder}/run').write_text('#!/bin/sh'), os.chmod('{folder}/run', 0o755)]"
    answer(box, script)
    assert answer(box, f"refused(lambda: subprocess.run(['{folder}/run']))") == "EACCES"


@pytest.mark.parametrize("folder", ["/tmp", "/work"])
def test_disk_space_ends_at_the_limit(docker_boxes: Boxes, folder: str) -> None:
    box = docker_boxes(programs.EVALUATE, **LIMITS)
    write = f"Path('{folder}', name).write_bytes(bytes(5 * 2**20))"
    assert answer(box, f"refused(lambda: [{write} for name in 'ab'])") == "ENOSPC"


@pytest.mark.parametrize("folder", ["/tmp", "/work"])
def test_the_number_of_files_ends_at_the_limit(docker_boxes: Boxes, folder: str) -> None:
    box = docker_boxes(programs.EVALUATE, **LIMITS)
    make = f"[Path('{folder}', str(number)).touch() for number in range(500)]"
    assert answer(box, f"refused(lambda: {make})") == "ENOSPC"
    assert 150 < int(answer(box, f"len(os.listdir('{folder}'))")) < 200


def test_one_file_ends_at_the_limit(box: Box) -> None:
    assert answer(box, f"refused(lambda: open('/dev/shm/big', 'wb', 0).seek({9 * MIB}) and None)") == "allowed: None"
    assert answer(box, f"refused(lambda: os.truncate(os.memfd_create('big'), {9 * MIB}))") == "EFBIG"


def test_shared_memory_has_its_size(box: Box) -> None:
    assert answer(box, "(lambda s: s.f_frsize * s.f_blocks)(os.statvfs('/dev/shm'))") == str(64 * MIB)


def test_descriptors_end_at_the_limit(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.EVALUATE)
    assert answer(box, "refused(lambda: [os.dup(0) for _ in range(2000)])") == "EMFILE"


def test_threads_end_at_the_limit(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.EVALUATE, **LIMITS)
    start = "[threading.Thread(target=time.sleep, args=(60,), daemon=True).start() for _ in range(100)]"
    assert answer(box, start).startswith("RuntimeError: can't start new thread")
    assert answer(box, "threading.active_count() <= 64") == "True"


def test_no_core_is_written(box: Box) -> None:
    assert answer(box, "resource.getrlimit(resource.RLIMIT_CORE)") == "(0, 0)"


def test_message_queues_cannot_be_made_as_files_either(box: Box) -> None:
    assert answer(box, "refused(lambda: open('/dev/mqueue/canary', 'w'))") in ("EMFILE", "EACCES", "ENOENT")


def test_it_goes_first_when_memory_runs_out(box: Box) -> None:
    assert answer(box, "Path('/proc/self/oom_score_adj').read_text().strip()") == "500"


def test_memory_ends_at_the_limit_and_the_end_says_so(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.EVALUATE, **LIMITS)
    with pytest.raises(EOFError):
        answer(box, f"len(bytearray(b'x') * {2048 * MIB})")
    ending = box.close()
    assert (ending.exit_status, ending.oom, ending.removed_by_us) == (137, True, False)


def test_a_child_killed_for_memory_shows_though_the_box_ends_well(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.EVALUATE, **LIMITS)
    hungry = f"bytearray(b'x') * {2048 * MIB}"
    assert answer(box, f"subprocess.run([sys.executable, '-c', {hungry!r}]).returncode") == "-9"
    with pytest.raises(EOFError):
        answer(box, "os._exit(0)")
    ending = box.close()
    assert (ending.exit_status, ending.oom) == (0, True)


def test_memory_in_files_counts_too(docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.EVALUATE, **{**LIMITS, "memory": 128 * MIB, "workspace": 1024 * MIB})
    with pytest.raises(EOFError):
        answer(
            box,
            f"Path('/tmp/big').write_bytes(bytes({64 * MIB})) + sum(os.write(2, b'') for _ in [0])"
            f" + sum(open('/tmp/big', 'ab').write(bytes({MIB})) for _ in range(500))",
        )
    assert box.close().oom


def test_no_terminal(box: Box) -> None:
    assert answer(box, "[os.isatty(fd) for fd in (0, 1, 2)]") == "[False, False, False]"
    assert answer(box, "refused(lambda: open('/dev/tty'))") in ("ENXIO", "EACCES", "ENOENT")


def test_only_the_loopback_is_there(box: Box) -> None:
    interfaces = "[line.split(':')[0].strip() for line in Path('/proc/net/dev').read_text().splitlines()[2:]]"
    assert answer(box, interfaces) == "['lo']"


@pytest.mark.parametrize("address", ["192.0.2.1", "169.254.169.254", "172.17.0.1", "2001:db8::1"])
def test_no_address_can_be_reached(box: Box, address: str) -> None:
    connect = f"socket.create_connection(('{address}', 80), timeout=5)"
    assert answer(box, f"refused(lambda: {connect})") in ("ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH")


@pytest.mark.parametrize("name", ["example.invalid", "host.docker.internal"])
def test_no_name_can_be_resolved(box: Box, name: str) -> None:
    assert answer(box, f"socket.getaddrinfo('{name}', 80)").startswith("gaierror")


def test_what_listens_on_the_host_cannot_be_reached(box: Box) -> None:
    with socket.create_server(("0.0.0.0", 0)) as canary:
        connect = f"socket.create_connection(('127.0.0.1', {canary.getsockname()[1]}), timeout=5)"
        assert answer(box, f"refused(lambda: {connect})") == "ECONNREFUSED"


def test_a_service_can_be_reached_on_the_loopback(box: Box) -> None:
    serve = "globals().update(server=socket.create_server(('127.0.0.1', 0)))"
    answer(box, serve)
    assert answer(box, "socket.create_connection(server.getsockname()).send(b'x')") == "1"


def test_two_boxes_do_not_see_each_other(docker_boxes: Boxes) -> None:
    first, second = docker_boxes(programs.EVALUATE), docker_boxes(programs.EVALUATE)
    answer(first, "globals().update(server=socket.create_server(('127.0.0.1', 8123)))")
    connect = "socket.create_connection(('127.0.0.1', 8123), timeout=5)"
    assert answer(second, f"refused(lambda: {connect})") == "ECONNREFUSED"


def test_the_engine_writes_no_log(engine: Engine, docker_boxes: Boxes) -> None:
    box = docker_boxes(programs.LAST_WORDS)
    box.read_exactly(5, soon())
    assert engine.api.inspect_container(box.container)["LogPath"] == ""

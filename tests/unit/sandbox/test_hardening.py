from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from grader.model.exercise import BoxLimits
from grader.sandbox.hardening import PROFILE, container_body, differences, environment, load_profile, profile_name
from grader.sandbox.port import BoxSpec, Role

SPEC = BoxSpec(role=Role.SUBMISSION, image="runtime", limits=BoxLimits(), run="0" * 32, seconds=60)
IMAGE = {
    "Id": "sha256:" + "a" * 64,
    "Config": {"Env": ["PATH=/opt/venv/bin:/bin", "LANG=C"], "Entrypoint": ["/opt/venv/bin/python", "-I"]},
}


def body(**changes: Any) -> dict[str, Any]:
    options = {"image": IMAGE, "profile": load_profile(), "runtime": "runc", "labels": {"a": "b"}, "cpus": 8}
    return container_body(SPEC, **{"swap_limit": True, **options, **changes})


def honest(asked: dict[str, Any]) -> dict[str, Any]:
    """What an engine answers that has built everything as asked, in the words of Docker 20.10."""
    asked = copy.deepcopy(asked)
    host = asked.pop("HostConfig") | {"MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": ["/proc/sys"], "Binds": None}
    config = asked | {"Cmd": None, "Volumes": None, "Labels": {**asked["Labels"], "grader.digest": "of the image"}}
    return {"Image": asked["Image"], "Config": config, "HostConfig": host, "Mounts": []}


def test_an_engine_that_did_as_asked_has_no_differences() -> None:
    assert differences(body(), honest(body())) == []


@pytest.mark.parametrize("flag", sorted(body()["HostConfig"]))
def test_each_flag_that_is_lost_is_named(flag: str) -> None:
    inspected = honest(body())
    lost = {"Privileged": True, "PublishAllPorts": True, "AutoRemove": True, "Init": True}
    inspected["HostConfig"][flag] = lost.get(flag)
    (line,) = differences(body(), inspected)
    assert line.startswith(f"HostConfig.{flag}: ")


@pytest.mark.parametrize("field", sorted(set(body()) - {"HostConfig", "Domainname", "Cmd", "Tty", "Image"}))
def test_each_field_that_is_lost_is_named(field: str) -> None:
    inspected = honest(body())
    del inspected["Config"][field]
    assert [line.partition(":")[0] for line in differences(body(), inspected)] == [f"Config.{field}"]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("Mounts", [{"Type": "volume"}]),
        ("Config.Volumes", {"/data": {}}),
        ("HostConfig.Binds", ["/:/host"]),
        ("HostConfig.CapAdd", ["SYS_ADMIN"]),
        ("HostConfig.Devices", [{"PathOnHost": "/dev/kvm"}]),
        ("HostConfig.PidMode", "host"),
        ("HostConfig.UsernsMode", "host"),
        ("HostConfig.PortBindings", {"80/tcp": [{"HostPort": "80"}]}),
        ("HostConfig.MaskedPaths", []),
        ("HostConfig.ReadonlyPaths", None),
        ("Config.Tty", True),
        ("Image", "sha256:another"),
    ],
)
def test_what_nobody_asked_for_is_named(place: str, value: object) -> None:
    inspected = honest(body())
    where, _, name = place.rpartition(".")
    (inspected[where] if where else inspected)[name] = value
    assert [line.partition(":")[0] for line in differences(body(), inspected)] == [place]


def test_a_weaker_seccomp_profile_is_named_but_not_printed() -> None:
    inspected = honest(body(profile='{"defaultAction":"SCMP_ACT_ALLOW"}'))
    (line,) = differences(body(), inspected)
    assert line.startswith("HostConfig.SecurityOpt")
    assert len(line) < 400


def test_the_order_of_lists_does_not_matter() -> None:
    inspected = honest(body())
    inspected["HostConfig"]["Ulimits"].reverse()
    inspected["Config"]["Env"].reverse()
    assert differences(body(), inspected) == []


def test_the_environment_is_the_images_path_and_ours() -> None:
    assert environment(body()["Env"]) == {"PATH": "/opt/venv/bin:/bin", "LANG": "C.UTF-8", "HOME": "/work"}


def test_an_image_that_names_no_path_gets_one() -> None:
    assert environment(body(image={"Id": "x", "Config": {}})["Env"])["PATH"] == "/usr/local/bin:/usr/bin:/bin"


def test_a_program_goes_before_the_images_own() -> None:
    assert body()["Entrypoint"] == ["/opt/venv/bin/python", "-I"]
    assert body(program=("sh", "-c"))["Entrypoint"] == ["sh", "-c"]


def test_a_box_is_given_no_more_cpus_than_there_are() -> None:
    assert body(cpus=1)["HostConfig"]["NanoCpus"] == 10**9
    assert body(cpus=64)["HostConfig"]["NanoCpus"] == 2 * 10**9


def test_swap_is_as_large_as_memory_or_not_limited_at_all() -> None:
    assert body()["HostConfig"]["MemorySwap"] == SPEC.limits.memory
    assert body(swap_limit=False)["HostConfig"]["MemorySwap"] == -1


def test_gvisors_own_processes_and_memory_are_not_taken_from_the_submissions() -> None:
    runc, runsc = (body(runtime=name)["HostConfig"] for name in ("runc", "runsc"))
    assert (runc["PidsLimit"], runc["Memory"]) == (SPEC.limits.pids, int(SPEC.limits.memory))
    assert runsc["PidsLimit"] - runc["PidsLimit"] >= 64
    assert runsc["MemorySwap"] == runsc["Memory"] > runc["Memory"]
    same = {"PidsLimit": 0, "Memory": 0, "MemorySwap": 0, "Runtime": ""}
    assert runsc | same == runc | same


def test_the_profiles_name_changes_with_every_byte(tmp_path: Path) -> None:
    other = tmp_path / "seccomp.json"
    other.write_text(PROFILE.read_text().replace('"ptrace"', "").replace('"brk"', '"ptrace", "brk"'))
    assert profile_name(load_profile(other)) != profile_name(load_profile())
    assert profile_name(load_profile()).startswith("grader ")


# fmt: off
FORBIDDEN = [
    "add_key", "bpf", "chroot", "clone3", "fanotify_init", "fsopen", "inotify_init1", "io_setup",
    "io_uring_enter", "io_uring_setup", "kcmp", "keyctl", "landlock_create_ruleset", "mknod", "mknodat",
    "mount", "move_mount", "mq_open", "msgget", "name_to_handle_at", "open_by_handle_at", "open_tree",
    "perf_event_open", "personality", "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv",
    "process_vm_writev", "ptrace", "request_key", "seccomp", "semget", "setns", "shmget", "splice", "swapon",
    "syslog", "tee", "umount2", "unshare", "userfaultfd", "vmsplice",
]
# fmt: on


@pytest.mark.parametrize("name", FORBIDDEN)
def test_the_profile_never_allows(name: str) -> None:
    rules = json.loads(PROFILE.read_text())["syscalls"]
    assert not [rule for rule in rules if name in rule["names"] and rule["action"] == "SCMP_ACT_ALLOW"]


@pytest.mark.parametrize("name", ["clone", "ioctl", "prctl", "socket", "socketpair"])
def test_the_profile_allows_only_with_conditions(name: str) -> None:
    rules = [rule for rule in json.loads(PROFILE.read_text())["syscalls"] if name in rule["names"]]
    assert rules
    assert all(rule.get("args") for rule in rules)


def test_the_profile_refuses_by_default_and_knows_native_calls_only() -> None:
    profile = json.loads(PROFILE.read_text())
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    names = [(one["architecture"], one["subArchitectures"]) for one in profile["archMap"]]
    assert names == [("SCMP_ARCH_X86_64", []), ("SCMP_ARCH_AARCH64", [])]

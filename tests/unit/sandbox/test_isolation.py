from __future__ import annotations

from typing import Any

import pytest

from grader.model.run import Isolation
from grader.sandbox.isolation import load_floor, missing_limits, read_back, security_module

INFO = {"CgroupVersion": "1", "SwapLimit": True, "NCPU": 4}
INSPECTED = {"AppArmorProfile": "docker-default", "HostConfig": {"Runtime": "runc"}}
FLOOR = {"engine": "29.7.0", "runc": "1.2.8", "branches": {"runc": ["1.2.8", "1.3.3"]}}


def isolation(**changes: Any) -> Isolation:
    facts = {"engine": "29.7.1", "runc": "1.3.3", "info": INFO, "inspected": INSPECTED, "floor": FLOOR, "cpus": 2.0}
    return read_back(profile="{}", **{**facts, **changes})


def test_all_walls_and_new_versions_give_no_warning() -> None:
    found = isolation()
    assert (found.engine, found.runtime, found.cgroups) == ("Docker 29.7.1", "runc", "v1")
    assert found.security_module == "apparmor docker-default"
    assert found.seccomp == "grader 44136fa355b3"  # SHA-256 of "{}"
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"inspected": {"AppArmorProfile": "", "HostConfig": {}}}, "No security module"),
        ({"inspected": {"AppArmorProfile": "unconfined"}}, "No security module"),
        ({"info": {**INFO, "SwapLimit": False}}, "swap"),
        ({"cpus": 8.0}, "8 CPUs, but the engine's machine has 4"),
        ({"engine": "20.10.24+dfsg1"}, "Docker 20.10.24+dfsg1 is older than 29.7.0"),
        ({"runc": "1.1.5+ds1"}, "runc 1.1.5+ds1 is older"),
        ({"runc": "1.3.2"}, "runc 1.3.2 is older"),
    ],
)
def test_each_missing_wall_is_told(changes: dict[str, Any], words: str) -> None:
    (warning,) = isolation(**changes).warnings
    assert words in warning


def test_an_engine_that_limits_nothing_says_so_in_its_info_alone() -> None:
    """As of a rootless Docker 20.10 with control groups v1, whose inspect shows every limit that it was asked for."""
    rootless = {"MemoryLimit": False, "SwapLimit": False, "PidsLimit": False, "CpuCfsQuota": False}
    assert missing_limits(rootless) == ["memory", "processes", "CPU time"]
    assert missing_limits({**rootless, "MemoryLimit": True, "PidsLimit": True}) == ["CPU time"]
    assert missing_limits(INFO) == []


def test_a_sheet_says_which_engine_it_was_and_that_it_is_rootless() -> None:
    info = {**INFO, "SecurityOptions": ["name=seccomp,profile=default", "name=rootless"]}
    assert isolation(info=info).engine == "Docker 29.7.1, rootless"
    podman = isolation(product="Podman", engine="4.3.1")
    assert (podman.engine, podman.warnings) == ("Podman 4.3.1", ())


def test_gvisor_is_not_said_to_use_our_filter() -> None:
    assert "gVisor" in isolation(inspected={**INSPECTED, "HostConfig": {"Runtime": "runsc"}}).seccomp


def test_selinux_is_read_from_the_process_label() -> None:
    label = "system_u:system_r:container_t:s0:c1,c2"
    assert security_module({"AppArmorProfile": "", "ProcessLabel": label}) == "selinux container_t"


def test_versions_are_not_judged_without_a_floor() -> None:
    assert isolation(engine="1.0", runc="", floor={}).warnings == ()


def test_the_floor_that_ships_is_read() -> None:
    assert {"engine", "runc"} <= load_floor().keys()

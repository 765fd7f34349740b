"""The doctor's judgement, on facts that no machine has to have."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grader.config import Settings
from grader.sandbox.docker_engine import EngineVersion
from grader.sandbox.doctor import GIB, Facts, Finding, examine, gather, judge, remove_wheels
from grader.sandbox.version_floor import FLOOR

VERSION = EngineVersion(
    engine="30.0.1", api="1.55", runc="1.4.1", containerd="2.3", os="linux", arch="amd64", kernel="6.18", platform=""
)
INFO = {
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=default", "name=cgroupns"],
    "CgroupVersion": "2",
    "Driver": "overlay2",
    "Runtimes": {"runc": {}, "runsc": {}},
    "MemTotal": 8 * GIB,
    "NCPU": 4,
    "MemoryLimit": True,
    "PidsLimit": True,
    "SwapLimit": True,
    "CpuCfsQuota": True,
}
GOOD = Facts(python=(3, 12, 1), version=VERSION, info=INFO, disk_free=50 * GIB, core_pattern="core")


def look(facts: Facts) -> dict[str, Finding]:
    return {finding.id: finding for finding in judge(facts, tomllib.loads(FLOOR.read_text()))}


def with_info(**changes: Any) -> Facts:
    return replace(GOOD, info={**INFO, **changes})


def test_a_machine_in_order_has_nothing_to_say() -> None:
    assert {finding.level for finding in look(GOOD).values()} == {"ok"}


@pytest.mark.parametrize(
    ("facts", "identity", "level"),
    [
        (replace(GOOD, python=(3, 10, 9)), "python", "error"),
        (replace(GOOD, version=replace(VERSION, engine="20.10.24+dfsg1")), "engine", "warn"),
        (replace(GOOD, version=replace(VERSION, runc="1.3.2")), "runc", "warn"),
        (replace(GOOD, version=replace(VERSION, platform="Docker Desktop 4.50.0 (1)")), "desktop", "warn"),
        (replace(GOOD, version=replace(VERSION, platform="Docker Desktop 4.40.0 (1)")), "desktop-hole", "error"),
        (with_info(SecurityOptions=["name=apparmor"]), "seccomp", "error"),
        (with_info(SecurityOptions=["name=seccomp,profile=default"]), "security-module", "warn"),
        (with_info(CgroupVersion="1"), "cgroups", "warn"),
        (with_info(PidsLimit=False), "limits", "error"),
        (with_info(SwapLimit=False), "swap-limit", "warn"),
        (replace(with_info(Runtimes={"runc": {}}), runtime="runsc"), "runtime", "error"),
        (replace(GOOD, disk_free=2 * GIB), "disk", "warn"),
        (replace(GOOD, disk_free=GIB // 2), "disk", "error"),
        (with_info(MemTotal=2 * GIB), "memory", "warn"),
        (replace(GOOD, core_pattern="|/usr/lib/apport %p"), "core-pattern", "warn"),
        (replace(GOOD, missing=("grader-runtime:0",)), "images", "error"),
        (replace(GOOD, left_over=("abc",)), "left-over-boxes", "warn"),
        (replace(GOOD, refused=("HostConfig.PidsLimit: asked for 128, got 0", "Take another engine.")), "box", "error"),
        (replace(GOOD, version=replace(VERSION, product="Podman")), "engine", "warn"),
        (replace(GOOD, loose_keys=("/k/signing.key",)), "keys", "error"),
    ],
)
def test_what_is_wrong_is_found_and_comes_with_a_hint(facts: Facts, identity: str, level: str) -> None:
    finding = look(facts)[identity]
    assert finding.level == level
    assert finding.hint


def test_no_engine_is_one_finding_with_its_own_hint() -> None:
    findings = look(Facts(python=(3, 12, 1), engine_error=("nobody answers", "Type: x")))
    assert findings["engine"] == Finding(id="engine", level="error", what="nobody answers", hint="Type: x")
    assert set(findings) == {"python", "engine"}


@pytest.mark.parametrize("seen", ["or see what is wrong with 'grader doctor'.", "see grader doctor"])
def test_the_doctor_sends_nobody_to_the_doctor(seen: str) -> None:
    for facts in (Facts(python=(3, 12, 1), engine_error=("nobody answers", seen)), replace(GOOD, refused=("no", seen))):
        (finding,) = [each for each in look(facts).values() if each.level == "error"]
        assert finding.hint
        assert "grader doctor" not in finding.hint
    clean = "Free some disk space ('grader doctor --clean' removes what grader left), then try again."
    assert look(replace(GOOD, refused=("no space", clean)))["box"].hint == clean


def test_outdated_images_are_named_but_harm_nothing() -> None:
    finding = look(replace(GOOD, outdated=("grader-checker:1",)))["outdated-images"]
    assert (finding.level, "grader-checker:1" in finding.what) == ("ok", True)


def test_a_box_is_tried_only_where_there_is_an_image() -> None:
    assert look(GOOD)["box"].level == "ok"
    assert "box" not in look(replace(GOOD, missing=("grader-runtime:0",)))


def test_gvisor_is_recommended_where_it_is_missing() -> None:
    assert "gVisor" in look(with_info(Runtimes={"runc": {}}))["runtime"].hint


def test_gvisor_is_recommended_where_it_is_there_and_not_chosen() -> None:
    both = with_info(Runtimes={"runc": {}, "runsc": {}})
    assert "GRADER_RUNTIME=runsc" in look(both)["runtime"].hint
    assert look(replace(both, runtime="runsc"))["runtime"].hint == ""


def test_an_engine_that_does_not_answer_is_a_finding_not_an_error(tmp_path: Path) -> None:
    findings = examine(Settings(docker_host="unix:///nowhere.sock", config_dir=tmp_path))
    assert [finding.id for finding in findings if finding.level == "error"] == ["engine"]


def test_keys_that_others_can_read_are_found(tmp_path: Path) -> None:
    (tmp_path / "signing.key").touch(mode=0o600)
    (tmp_path / "server.key").touch()
    (tmp_path / "server.key").chmod(0o640)
    facts = gather(Settings(docker_host="unix:///nowhere.sock", config_dir=tmp_path))
    assert facts.loose_keys == (str(tmp_path / "server.key"),)


def test_only_wheels_of_other_versions_are_removed(tmp_path: Path) -> None:
    for name in ("runtime-amd64-1", "runtime-amd64-2"):
        (tmp_path / "wheels" / name).mkdir(parents=True)
    lines = remove_wheels(tmp_path, {"runtime-amd64-2"})
    assert [path.name for path in (tmp_path / "wheels").iterdir()] == ["runtime-amd64-2"]
    assert len(lines) == 1

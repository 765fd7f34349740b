from __future__ import annotations

from pathlib import Path

import pytest

from grader.sandbox import cgroup

ID = "bfa548512a9a4b75365d00468564ef606c8e5c23c2d9f51991d6985e5fc94d28"


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    (tmp_path / "proc" / "7").mkdir(parents=True)
    return tmp_path


def lay(machine: Path, groups: str, files: dict[str, str]) -> cgroup.Cgroup | None:
    (machine / "proc/7/cgroup").write_text(groups)
    for name, text in files.items():
        path = machine / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return cgroup.find(7, ID, proc=machine / "proc", root=machine / "sys")


def test_version_1_also_where_version_2_is_mounted_beside_it(machine: Path) -> None:
    found = lay(
        machine,
        f"4:memory:/docker/{ID}\n2:cpuacct:/docker/{ID}\n0::/docker/{ID}\n",
        {
            f"memory/docker/{ID}/memory.stat": "cache 9\nrss 1\ntotal_cache 99\ntotal_rss 2500\n",
            f"cpuacct/docker/{ID}/cpuacct.usage": "1500000000\n",
        },
    )
    assert found is not None
    assert found.read() == (1.5, 2500)


def test_version_1_with_controllers_mounted_together(machine: Path) -> None:
    files = {
        f"cpu,cpuacct/docker/{ID}/cpuacct.usage": "2000000000\n",
        f"memory/docker/{ID}/memory.stat": "total_rss 10\n",
    }
    found = lay(machine, f"5:cpu,cpuacct:/docker/{ID}\n4:memory:/docker/{ID}\n", files)
    assert found is not None
    assert found.read() == (2.0, 10)


def test_version_2(machine: Path) -> None:
    scope = f"system.slice/docker-{ID}.scope"
    files = {f"{scope}/memory.stat": "anon 4096\nfile 99\n", f"{scope}/cpu.stat": "usage_usec 250000\nuser_usec 1\n"}
    found = lay(machine, f"0::/{scope}\n", files)
    assert found is not None
    assert found.read() == (0.25, 4096)


@pytest.mark.parametrize(
    "groups", ["", "0::/\n", "4:memory:/docker/another\n2:cpuacct:/docker/another\n", f"0::/{ID}\n"]
)
def test_a_process_that_is_not_the_containers_is_not_read(machine: Path, groups: str) -> None:
    assert lay(machine, groups, {"memory.stat": "anon 1\n", "cpu.stat": "usage_usec 1\n"}) is None


def test_an_engine_elsewhere_has_no_such_process(machine: Path) -> None:
    assert cgroup.find(8, ID, proc=machine / "proc", root=machine / "sys") is None


@pytest.mark.parametrize(
    ("figures", "expected"), [({"total_rss": 1, "rss": 2, "anon": 3}, 1), ({"anon": 3, "file": 4}, 3), ({}, 0)]
)
def test_tmpfs_and_cache_are_not_counted(figures: dict[str, int], expected: int) -> None:
    assert cgroup.held_memory({**figures, "shmem": 9}) == expected


@pytest.mark.parametrize(
    ("figures", "expected"), [({"total_rss": 1, "total_shmem": 5, "shmem": 2}, 6), ({"anon": 3, "shmem": 4}, 7)]
)
def test_memory_in_files_without_names_counts_where_it_is_kept_so(figures: dict[str, int], expected: int) -> None:
    assert cgroup.held_memory(figures, in_files=True) == expected

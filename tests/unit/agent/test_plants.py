"""Files that a run writes where harnesses have looked for results."""

from __future__ import annotations

from pathlib import Path

from grader.agent import kernel
from grader.agent.plants import FOUND_CAP, NAMES, planted
from grader.intake.paths import WITHOUT_EFFECT


def test_names_are_those_that_intake_knows() -> None:
    assert NAMES == WITHOUT_EFFECT


def test_only_what_was_not_there_before_is_named(tmp_path: Path) -> None:
    for name in ("conftest.py", "results.json", "evil.pth", "answer.json"):
        (tmp_path / name).touch()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "reward.txt").touch()
    assert planted([tmp_path, tmp_path / "nowhere"], ["conftest.py"]) == ["evil.pth", "results.json"]


def test_a_crowd_is_cut(tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"{number}.pth").touch()
    assert len(planted([tmp_path], [])) == FOUND_CAP


def test_where_there_is_a_network_nothing_is_counted() -> None:
    interfaces = Path("/proc/self/net/dev").read_text().splitlines()[2:]
    alone = [line.split(":")[0].strip() for line in interfaces] == ["lo"]
    assert (kernel.unreachable() == 0) or alone

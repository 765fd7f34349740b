"""The authors' guide, executed: every command in it, in its order, on a new exercise in real boxes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.acceptance.conftest import Grader

pytestmark = [pytest.mark.docker, pytest.mark.slow]

GUIDE = Path(__file__).parents[2] / "docs" / "authoring.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
RUNGS = 16  # ten that are written, the untouched kit, an empty submission, four cheats


def steps() -> list[tuple[str, list[str]]]:
    """Each command of the guide, with the lines that it is said to print."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def test_the_guide_works(grader: Grader, tmp_path: Path) -> None:
    commands = steps()
    assert [command.split()[:3] for command, _ in commands[:2]] == [
        ["grader", "author", "new"], ["grader", "author", "lint"],
    ]  # fmt: skip
    for command, printed in commands:
        program, *arguments = shlex.split(command)
        done = grader(*arguments)
        assert (program, done.status) == ("grader", 0), f"{command}\n{done.out}\n{done.err}"
        for line in printed:
            assert line in done.out, command
    exercise = tmp_path / "pack" / "order_values"
    calibration = json.loads((exercise / "calibration.json").read_text())
    reference = next(each for each in calibration["spreads"] if each["rung"] == "reference")
    assert (reference["n"], reference["mean"], reference["sd"]) == (2, 100.0, 0.0)
    assert f"rungs graded on the first variant: {RUNGS}" in (exercise / "CALIBRATION.md").read_text()
    assert "not a graded result" in (tmp_path / "grading" / "plain.debug" / "sheet.html").read_text()
    assert (tmp_path / "kit" / "summarise.py").is_file()

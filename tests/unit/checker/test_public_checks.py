"""Public checks in the checker's box end as a candidate's own would, and it is told which did not pass and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.checker.public_checks import MOST_TOLD, run_public_checks

KIT = """
import os
from pathlib import Path

import answer
import pytest


def test_right():
    assert answer.VALUE == 42


def test_wrong():
    assert answer.VALUE == 41, "it is another\\nnumber"


@pytest.mark.skip
def test_not_here():
    raise AssertionError


def test_at_home():
    (Path.home() / "cache").write_text("a tool may keep something")
    assert Path.cwd() == Path(__file__).parents[1]
    assert "PYTEST_DISABLE_PLUGIN_AUTOLOAD" not in os.environ
"""


def kit(folder: Path, checks: str) -> Path:
    (folder / "checks").mkdir()
    (folder / "answer.py").write_text("VALUE = 42\n")
    (folder / "checks" / "test_public.py").write_text(checks)
    return folder


def test_what_passed_and_what_did_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("HOME", "/nowhere")
    found = run_public_checks(kit(tmp_path, KIT), 60)
    assert (found.passed, found.failed) == (2, 1)
    ((name, why),) = found.told
    assert name == "test_wrong"
    assert why == "AssertionError: it is another"


def test_checks_that_cannot_be_imported_did_not_pass(tmp_path: Path) -> None:
    found = run_public_checks(kit(tmp_path, "import nothing_of_this_name\n"), 60)
    assert (found.passed, found.failed) == (0, 1)
    assert found.told[0][1] == "ModuleNotFoundError: No module named 'nothing_of_this_name'"


def test_of_many_only_the_first_are_told(tmp_path: Path) -> None:
    many = "import pytest\n\n\n@pytest.mark.parametrize('n', range(9))\ndef test_each(n):\n    assert False\n"
    found = run_public_checks(kit(tmp_path, many), 60)
    assert (found.failed, len(found.told)) == (9, MOST_TOLD)


@pytest.mark.parametrize(
    ("checks", "seconds", "said"),
    [
        ("", 60, "finds none"),
        ("import threading\n\n\ndef test_long():\n    threading.Event().wait()\n", 1.5, "longer than 2 s"),
        ("import os\n\n\ndef test_end():\n    os._exit(7)\n", 60, "pytest ended with 7"),
    ],
)
def test_without_an_end_there_is_no_outcome(tmp_path: Path, checks: str, seconds: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run_public_checks(kit(tmp_path, checks), seconds)

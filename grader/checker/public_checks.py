"""Public checks, run the way `make check` of a kit runs them: plain pytest, in the folder that a candidate works in."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

# They are an exercise's own, and candidates' environments load the plugins that they have.
_OURS = ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTHONPATH", "GRADER_WORK")
MOST_TOLD, LONGEST = 5, 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicOutcome:
    """What became of the public checks.

    Attributes:
        passed: How many passed; those that were skipped are not among them.
        failed: How many did not.
        told: Of the first ones that did not, the check and why in one line, at most five.
    """

    passed: int
    failed: int
    told: tuple[tuple[str, str], ...]


def run_public_checks(folder: Path, seconds: float) -> PublicOutcome:
    """Run `checks/` of a folder that holds the kit's files and a solution.

    Args:
        folder: That folder.
        seconds: How long they may take in all.

    Raises:
        ValueError: They did not come to an end, or there are none.
    """
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", "checks", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
        environment = {name: value for name, value in os.environ.items() if name not in _OURS} | {"HOME": scratch}
        try:
            ended = subprocess.run(  # noqa: S603 - pytest, on files of the exercise's own
                command, cwd=folder, env=environment, timeout=seconds, check=False, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ValueError(f"they take longer than {seconds:.0f} s") from None
        if not report.exists():
            last = (ended.stdout.strip().splitlines() or ["nothing"])[-1]
            raise ValueError(f"pytest ended with {ended.returncode} and said: {last[:LONGEST]}")
        report_of_pytest = ElementTree.parse(report)  # noqa: S314, TID251 - about the exercise's own solutions
        cases = list(report_of_pytest.iter("testcase"))
    if not cases:
        raise ValueError("pytest finds none in checks/")
    return _outcome(cases)


def _outcome(cases: list[ElementTree.Element]) -> PublicOutcome:
    told: list[tuple[str, str]] = []
    skipped = 0
    for case in cases:
        found = case.find("failure")
        found = case.find("error") if found is None else found
        if found is not None:
            told.append((case.get("name", ""), _why(found)))
        skipped += case.find("skipped") is not None
    passed = len(cases) - skipped - len(told)
    return PublicOutcome(passed=passed, failed=len(told), told=tuple(told[:MOST_TOLD]))


def _why(found: ElementTree.Element) -> str:
    """Say in one line why; of what could not even be imported, pytest's message tells nothing, and its text does."""
    raised = [line.removeprefix("E").strip() for line in (found.text or "").splitlines() if line.startswith("E ")]
    said = (found.get("message") or "").strip().splitlines()
    lines = raised[-1:] if found.tag == "error" and raised else said
    return (lines or ["pytest gives no reason"])[0][:LONGEST]

"""No regular expression of ours takes exponential time, whatever stranger's text it is given (SECURITY row 67)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.patterns import Found, is_exponential, patterns_in

ROOT = Path(__file__).parents[2]
FOLDERS = ("grader", "exercises/*/checks", "exercises/*/data", "candidate_template")
ELSEWHERE = "grader/sandbox/failures.py"  # reads what the engine says before anything of a submission is there


@pytest.fixture(scope="module")
def patterns() -> list[Found]:
    files = [path for folder in FOLDERS for each in ROOT.glob(folder) for path in sorted(each.rglob("*.py"))]
    return [found for path in files for found in patterns_in(path)]


def test_no_pattern_can_be_made_to_backtrack_for_ever(patterns: list[Found]) -> None:
    known = [found for found in patterns if found.pattern is not None]
    assert len(known) > 70
    assert [found for found in known if is_exponential(found.pattern or "")] == []


def test_every_pattern_was_found(patterns: list[Found]) -> None:
    unknown = {found.place for found in patterns if found.pattern is None}
    assert {place.rpartition(":")[0] for place in unknown} == {str(ROOT / ELSEWHERE)}


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+b", r"(a*)*b", r"(a|a)*b", r"(a|ab|b)*c", r"(?:\w+\s*)*x", r"([ab]+b)*", r"(x+x+)+y", rb"(.*,){11}P"],
)  # fmt: skip
def test_a_pattern_that_reads_one_text_in_many_ways_is_refused(pattern: str | bytes) -> None:
    assert is_exponential(pattern)


@pytest.mark.parametrize(
    "pattern", [r"(\w+\.)*x", r"(?:,\s*\w+)*", r'"(?:[^"\\]|\\.)*"', r"(a|b)*", r"\d+(?:\.\d+)*", r"(?=(?:ab)+)c"]
)
def test_one_that_reads_it_in_one_way_is_not(pattern: str) -> None:
    assert not is_exponential(pattern)

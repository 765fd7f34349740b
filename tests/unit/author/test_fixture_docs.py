"""The reference of fixtures is current, and leaves no public word of them out."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from grader.author.fixture_docs import CONTENTS, reference
from grader.checker.fixtures import programs

COMMITTED = Path(__file__).parents[3] / "docs" / "fixtures.md"
PAGE = COMMITTED.read_text(encoding="utf-8")
CLASSES = [member for members in CONTENTS.values() for member in members.values() if inspect.isclass(member)]


def test_the_committed_page_is_what_the_docstrings_say() -> None:
    assert reference() == PAGE, "run `python -m grader.author.fixture_docs > docs/fixtures.md`"


@pytest.mark.parametrize("kind", ["callable", "service", "command"])
def test_every_fixture_of_a_kind_is_in_it(kind: str, tmp_path: Path) -> None:
    limits = {"call": 1, "start": 1, "seconds": 1, "printed": 1, "file": 1}
    header = {"start": {"kind": kind, "entry": "a:B", "argv": ["x"]}, "limits": limits}
    for name in programs(None, header, tmp_path):  # type: ignore[arg-type]
        assert f"### {name}\n" in PAGE


@pytest.mark.parametrize("member", CLASSES, ids=lambda member: member.__name__)
def test_every_public_method_is_in_it(member: type) -> None:
    for name, value in vars(member).items():
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            assert f"#### `.{name}" in PAGE
            assert inspect.getdoc(value), name


def test_arguments_are_lists_and_what_the_harness_makes_is_not_explained() -> None:
    assert "- `fraction`: 1 is all of them, 0 none.\n" in PAGE
    assert "The line to the host" not in PAGE
    assert "### `plot`\n\nAttaches a picture" in PAGE

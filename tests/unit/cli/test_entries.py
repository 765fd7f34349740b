"""From what was typed to submissions."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.cli.entries import Named, from_manifest, from_paths
from grader.errors import SubmissionRejected, UsageError
from grader.model.exercise import Exercise

Find = Callable[..., list[str]]


@pytest.fixture
def find(tmp_path: Path, tiny: Exercise) -> Find:
    """Names of what is found, in a folder with two archives, one submission and a note."""
    for name in (
        "in/ada.zip",
        "in/grace.tar.gz",
        "in/notes.txt",
        "in/.hidden.zip",
        "one/add.py",
        "one/data.zip",
        "people.csv",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    def found(*texts: str, candidate: str | None = None) -> list[str]:
        said: list[str] = []
        named = from_paths([str(tmp_path / text) for text in texts], candidate, tiny, said.append)
        return [os.path.relpath(each.path, tmp_path) for each in named] + [each.rpartition(": ")[2] for each in said]

    return found


def test_a_folder_of_archives_is_many_submissions(find: Find) -> None:
    assert find("in") == ["in/ada.zip", "in/grace.tar.gz", "notes.txt"]


def test_a_folder_with_the_program_is_one_submission_whatever_lies_beside_it(find: Find) -> None:
    assert find("one") == ["one"]


def test_a_list_is_no_submission(find: Find) -> None:
    with pytest.raises(UsageError, match="is a list") as caught:
        find("one", "people.csv")
    assert "people.csv?" in caught.value.hint
    assert "--manifest" in caught.value.hint


def test_patterns_that_no_shell_has_seen(find: Find) -> None:
    assert find("in/*.zip", "one") == ["in/ada.zip", "one"]
    with pytest.raises(UsageError, match="Nothing fits"):
        find("in/*.rar")


def test_what_is_named_twice_is_graded_once(find: Find) -> None:
    assert find("one", "one", "in/ada.zip", "in") == ["one", "in/ada.zip", "in/grace.tar.gz", "notes.txt"]


def test_a_candidate_has_one_submission(find: Find) -> None:
    with pytest.raises(UsageError, match="names one person"):
        find("in", candidate="Ada")


def test_what_does_not_exist_and_what_is_elsewhere(find: Find, tiny: Exercise) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        find("none.zip")
    with pytest.raises(SubmissionRejected, match="is an address"):
        from_paths(["https://example.com/a.zip"], None, tiny, lambda _: None)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("ada\x1b]0;x\x07.zip", "ada\\u{1b}]0;x\\u{7}"), ("\u202egnp.zip", "\\u{202e}gnp"), ("\udcff.zip", "\\u{dcff}")],
)
def test_a_name_that_no_sheet_could_hold_is_written_out(name: str, shown: str) -> None:
    named = Named(path=Path(name))
    assert (named.folder_name, named.label) == (shown, f"{shown}.zip")


def test_who_is_who_comes_from_the_list(tmp_path: Path) -> None:
    (tmp_path / "1.zip").touch()
    (tmp_path / "list.csv").write_text("candidate,path,variant\nAda L.,1.zip,own\n")
    (named,) = from_manifest(tmp_path / "list.csv", tmp_path, print)
    assert (named.folder_name, named.label, named.variant_of) == ("Ada L.", "1.zip", "Ada L.")

"""The rules for paths, one by one (SECURITY rows 92, 97, 98)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import SubmissionRejected
from grader.intake.paths import (
    LEFT_OUT,
    check_depth,
    check_length,
    check_name,
    check_visible,
    folded,
    left_out,
    shown,
    split,
)
from grader.model.reasons import Rejection


@pytest.mark.parametrize(
    "raw",
    [
        "../evil.py", "a/../../evil.py", "a/..", "..", "/etc/passwd", "//server/share/x", "C:/x.py", "c:x.py",
        "a\\b.py", "..\\evil.py", "\\\\server\\share", "a//b.py", "a/./b.py", "", "trailing./x", "trailing ", "x.py.",
        "... ", "./../x",
    ],
)  # fmt: skip
def test_a_path_that_could_lead_elsewhere_is_refused(raw: str) -> None:
    with pytest.raises(SubmissionRejected) as caught:
        split(raw)
    assert caught.value.reason is Rejection.PATH
    assert shown(raw) in caught.value.message


def test_the_message_says_when_a_path_leads_out() -> None:
    with pytest.raises(SubmissionRejected, match="leads out of the submission"):
        split("lib/../../evil.py")


@pytest.mark.parametrize(
    ("raw", "parts"),
    [("./clean.py", ("clean.py",)), ("./", ()), ("lib/", ("lib",)), ("-x", ("-x",)), (".hidden/a", (".hidden", "a"))],
)
def test_what_honest_tools_write_is_understood(raw: str, parts: tuple[str, ...]) -> None:
    assert split(raw) == parts


@given(st.text(max_size=40))
def test_no_path_that_passes_can_leave_its_folder(raw: str) -> None:
    try:
        parts = split(raw)
    except SubmissionRejected:
        return
    assert not {"", ".", ".."} & set(parts)
    assert not any("\\" in part or "/" in part for part in parts)


@pytest.mark.parametrize("name", ["evil\u202epy.txt", "zero\u200bwidth", "bell\x07", "nul\0", "del\x7f", "line\nfeed"])
def test_what_cannot_be_seen_is_refused_and_made_visible(name: str) -> None:
    with pytest.raises(SubmissionRejected) as caught:
        check_visible((name,))
    assert caught.value.reason is Rejection.NAME
    assert "\\u{" in caught.value.message
    assert caught.value.message.isprintable()


@pytest.mark.parametrize(
    ("name", "said"), [("my notes.md", "a space"), ("für.md", "'ü'"), ("a:b", "':'"), ("a*?", "'*', '?'")]
)
def test_the_message_says_which_characters_are_at_fault(name: str, said: str) -> None:
    with pytest.raises(SubmissionRejected) as caught:
        check_name(("docs", name), 100)
    assert caught.value.message == f"'docs/{name}' has {said} in its name."
    assert "A-Z" in caught.value.hint


def test_names_and_depth_are_bounded() -> None:
    check_name(("x" * 100,), 100)
    check_depth(("x",) * 10, 10)
    with pytest.raises(SubmissionRejected, match="101 characters"):
        check_name(("x" * 101,), 100)
    with pytest.raises(SubmissionRejected, match="11 levels"):
        check_depth(("x",) * 11, 10)


@pytest.mark.parametrize("pattern", LEFT_OUT)
def test_what_tools_make_is_left_out_wherever_it_lies(pattern: str) -> None:
    name = pattern.replace("*", "module")
    assert left_out(("lib", name, "x")) == pattern
    assert left_out((f"my{name}y",)) == ""


def test_a_name_that_no_file_system_has_is_refused() -> None:
    check_length(("\u0300" * 255, "a"))
    with pytest.raises(SubmissionRejected, match="has a name of 256 characters") as caught:
        check_length(("a", "\u0300" * 256, "b"))
    assert caught.value.reason is Rejection.NAME


def test_names_that_some_systems_confuse_fold_to_one() -> None:
    assert folded("Stra\u00dfe") == folded("STRASSE")
    assert folded("caf\u00e9") == folded("cafe\u0301")
    assert folded("\uff21.py") == folded("a.py")


def test_a_long_text_is_shown_in_part() -> None:
    assert len(shown("x" * 10_000)) < 130

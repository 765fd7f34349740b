"""What `visible` promises to every renderer."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.render.text import ELLIPSIS, is_invisible, visible

anything = st.text(alphabet=st.characters(), max_size=400)


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("\x1b[31m", "\\u001b[31m"),
        ("\x9b31m", "\\u009b31m"),
        ("a\x08b", "a\\u0008b"),
        ("\x7f", "\\u007f"),
        ("\u202eevil", "\\u202eevil"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("a\u200bb", "a\\u200bb"),
        ("\ufeff", "\\ufeff"),
        ("\u00ad", "\\u00ad"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
        ("\U000e0041", "\\U000e0041"),
        ("a\U000e0100", "a\\U000e0100"),
        ("\u3164", "\\u3164"),
        ("\ufffe", "\\ufffe"),
        ("a\nb\tc\rd\0", "a\\nb\\tc\\rd\\0"),
    ],
)
def test_what_cannot_be_seen_is_written_out(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@pytest.mark.parametrize("text", ["Zoë Müller", "Łódź", "李小龙", "עברית", "نص", "🙂", "a < b & c", "C:\\dir"])
def test_ordinary_writing_stays(text: str) -> None:
    assert visible(text) == text


def test_decomposed_letters_are_composed() -> None:
    assert visible("Zoe\u0308") == "Zo\u00eb"


def test_lines_and_tabs_stay_where_a_place_can_show_them() -> None:
    assert visible("a\r\nb\n\tc\rd", lines=True) == "a\nb\n\tc\\rd"


@given(anything, st.integers(min_value=1, max_value=60), st.booleans())
def test_the_answer_is_capped_and_holds_nothing_invisible(text: str, cap: int, lines: bool) -> None:
    shown = visible(text, cap, lines=lines)
    allowed = "\n\t" if lines else ""
    assert len(shown) <= cap
    assert not any(is_invisible(character) for character in shown if character not in allowed)
    shown.encode("utf-8")


@given(anything)
def test_text_within_the_cap_is_not_cut(text: str) -> None:
    plain = unicodedata.normalize("NFC", text)
    if not any(is_invisible(character) for character in plain):
        assert visible(text) == plain


def test_what_is_cut_ends_in_an_ellipsis_and_never_inside_an_escape() -> None:
    assert visible("abcdef", 4) == "abc" + ELLIPSIS
    assert visible("ab\u202ec", 7) == "ab" + ELLIPSIS


def test_ten_megabytes_of_combining_marks_cost_no_time() -> None:
    started = time.process_time()
    visible("e" + "\u0301\u0323" * 5_000_000)
    assert time.process_time() - started < 1.0

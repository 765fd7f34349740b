"""What `visible` promises to every renderer."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.render.text import ELLIPSIS, LINES_CAP, is_invisible, visible

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
        ("Ada\ufe0f", "Ada\\ufe0f"),
        ("\U0001f642\ufe00\ufe0f", "\U0001f642\\ufe00\\ufe0f"),
        ("\u180b\U0001d159", "\\u180b\\U0001d159"),
        ("\ufffe", "\\ufffe"),
        ("a\nb\tc\rd\0", "a\\nb\\tc\\rd\\0"),
    ],
)
def test_what_cannot_be_seen_is_written_out(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@pytest.mark.parametrize("text", ["Zoë Müller", "Łódź", "李小龙", "עברית", "نص", "🙂", "a < b & c", "C:\\dir"])
def test_ordinary_writing_stays(text: str) -> None:
    assert visible(text) == text


MARKED = (
    "\u05d1\u05bc\u05b0\u05e8\u05b5\u05d0\u05e9\u05b4\u05c1\u0596\u05d9\u05ea",  # Hebrew with vowels and an accent
    "\u0e17\u0e35\u0e48",  # Thai
    "\u0f67\u0f71\u0f74\u0f83",  # Tibetan
    "\u1e69\u0300\u0301",
    "Voil\u00e0\u202f!",
    "12\u00a0000",
    "\u5c71\u3000\u7530",
)


@pytest.mark.parametrize("text", MARKED)
def test_writing_with_marks_and_wide_blanks_stays(text: str) -> None:
    assert visible(text) == unicodedata.normalize("NFC", text)


def test_marks_are_not_heaped_and_stand_on_no_text_of_ours() -> None:
    assert visible("z\u0310\u0310\u0310\u0310\u0310x") == "z\u0310\u0310\u0310\u0310\\u0310x"
    assert visible("\u0338x \u20dd") == "\\u0338x \\u20dd"
    assert visible("\u200b\u0338") == "\\u200b\\u0338"


def test_no_row_of_blanks_moves_words_to_where_ours_stand() -> None:
    shown = visible("0.2" + "\u00a0 \u2003" * 40 + "passed")
    assert re.search("[\u00a0\u2003 ]{3}", shown) is None
    assert visible("\u3000x") == "\\u3000x"


def test_an_emoji_needs_no_selector() -> None:
    assert visible("I \u2764\ufe0f it") == "I \u2764 it"


def test_few_lines_and_no_tower_of_empty_ones() -> None:
    assert visible("a\n\nb\n \n\t\n\nc", lines=True) == "a\n\nb\n \n\t\\n\\nc"
    shown = visible("x\n" * 500, lines=True)
    assert shown.count("\n") == LINES_CAP
    assert "x\\nx" in shown


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
    if not any(is_invisible(each) or unicodedata.category(each) in {"Mn", "Me", "Zs"} for each in plain):
        assert visible(text) == plain


def test_what_is_cut_ends_in_an_ellipsis_and_never_inside_an_escape() -> None:
    assert visible("abcdef", 4) == "abc" + ELLIPSIS
    assert visible("ab\u202ec", 7) == "ab" + ELLIPSIS


def test_ten_megabytes_of_combining_marks_cost_no_time() -> None:
    started = time.process_time()
    visible("e" + "\u0301\u0323" * 5_000_000)
    assert time.process_time() - started < 1.0

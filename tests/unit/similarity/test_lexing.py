"""What counts in a comparison, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.similarity.lexing import python_tokens, sql_tokens
from tests.unit.similarity.conftest import PROGRAM, RENAMED


def test_names_literals_comments_layout_and_imports_do_not_count() -> None:
    assert python_tokens(PROGRAM).codes == python_tokens(RENAMED).codes
    assert len(python_tokens(PROGRAM).codes) > 200


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = b + c", "a = b - c"),
        ("a = b or c", "a = b and c"),
        ("a = b >= c", "a = b > c"),
        ("a(b)", "a[b]"),
        ("return a", "yield a"),
        ("a = None", "a = True"),
        ("a = 1", "a = b"),
    ],
)
def test_what_is_done_counts(one: str, other: str) -> None:
    assert python_tokens(one).codes != python_tokens(other).codes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = {'a': 1, 'b': 2, 'c': 3}", "x = {'z': 9}"),
        ("x = ['a', 'b', 'c']", "x = ['z']"),
        ("x = 'a' 'b'\\\n 'c'", "x = 'abc'"),
        ("x = f'{y}'", "x = 'y'"),
        ("a; b", "a\nb"),
        ("x = y  # z", "x = y"),
        ("def f():\n  '''text'''\n  return 1", "def f(): return 1"),
        ("from a import (b,\n c)\nx = y", "x = y"),
    ],
)
def test_what_says_the_same(one: str, other: str) -> None:
    assert python_tokens(one).codes == python_tokens(other).codes


def test_a_text_in_brackets_is_no_docstring() -> None:
    assert len(python_tokens("f(\n'a'\n)").codes) == 4


def test_sql_in_a_string_of_several_lines_is_read() -> None:
    one = python_tokens('run("""select a, sum(b)\n from t -- why\n group by a""")')
    other = python_tokens("run('''\nSELECT day, SUM(price) FROM orders /* all */ GROUP BY day''')")
    third = python_tokens('run("""select a, sum(b)\n from t\n order by a""")')
    assert one.codes == other.codes
    assert one.codes != third.codes
    assert one.codes[2:-1] == sql_tokens("select a, sum(b) from t group by a").codes


def test_places_are_those_of_the_text() -> None:
    text = 'x = """\nselect a\nfrom b"""\nprint(x)'
    found = python_tokens(text)
    words = [text[start:end] for start, end in zip(found.starts, found.ends, strict=True)]
    assert words == ["x", "=", "select", "a", "from", "b", "print", "(", "x", ")"]


@given(st.text(st.sampled_from("\"'\\\n#ab=( )[]rf0.,:;é\t-*/\r"), max_size=80))
@example('"""' + "\\" * 9)
@example("select '" + "\0\ud800")
def test_any_text_gives_tokens_in_order(text: str) -> None:
    for found in (python_tokens(text), sql_tokens(text), python_tokens(f'"""select\n{text}')):
        places = [place for span in zip(found.starts, found.ends, strict=True) for place in span]
        assert places == sorted(places)
        assert len(found.codes) == len(found.starts)

"""Marks of kits: one for each person and exercise, and nothing to learn from one about another."""

from __future__ import annotations

from grader.catalog.marks import kit_mark, marks_in

KEY = b"k" * 32


def test_a_mark_belongs_to_a_person_an_exercise_and_a_key() -> None:
    mark = kit_mark(KEY, "tiny_sum", "Ada Lovelace")
    assert mark == kit_mark(KEY, "tiny_sum", " ada  LOVELACE")
    others = {
        kit_mark(KEY, "tiny_sum", "Ada"),
        kit_mark(KEY, "tiny", "Ada Lovelace"),
        kit_mark(b"l" * 32, "tiny_sum", "Ada Lovelace"),
    }
    assert len(others | {mark}) == 4


def test_a_mark_is_found_in_any_bytes() -> None:
    mark = kit_mark(KEY, "tiny_sum", "Ada")
    assert marks_in(b"\0\xff" + mark.encode() + b'"') == {mark}
    assert marks_in(f"x{mark} {mark}a {mark[:-1]}".encode()) == set()

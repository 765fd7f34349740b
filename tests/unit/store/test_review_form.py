"""The reviewer's form: written empty with the anchors, read strictly, complaints with file, line and what to do."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.model.rubric import DIMENSIONS
from grader.store.review_form import empty_form, read_form
from tests.factories import STARTED, make_notebook_sheet

SHEET = make_notebook_sheet()
FILLED = (
    empty_form(SHEET)
    .replace('reviewer = ""', 'reviewer = "Grace  Hopper"')
    .replace("rating = 0", "rating = 4")
    .replace('why = ""', 'why = "It compares two and says what would reverse it."')
)


@pytest.fixture
def form(tmp_path: Path) -> Path:
    path = tmp_path / "review.toml"
    path.write_text(FILLED)
    return path


def test_an_empty_form_has_the_anchors_and_no_name_of_the_candidate() -> None:
    text = empty_form(SHEET)
    for dimension in DIMENSIONS:
        for anchor in dimension.anchors:
            assert anchor.behaviour.split()[0] in text
    assert SHEET.candidate not in text
    assert SHEET.submission not in text
    assert tomllib.loads(text)["decision_quality"] == {"rating": 0, "why": ""}
    assert max(map(len, text.splitlines())) <= 120


def test_a_filled_in_form_is_read(form: Path) -> None:
    review = read_form(form, SHEET.run, STARTED)
    assert (review.reviewer, review.recorded) == ("Grace Hopper", STARTED)
    assert [(each.dimension, each.rating) for each in review.ratings] == [
        ("decision_quality", 4), ("evidence_handling", 4), ("communication", 4),
    ]  # fmt: skip
    assert "reverse it" in review.ratings[0].why


def test_what_is_not_scored_may_be_left_out(form: Path) -> None:
    head, _, _ = FILLED.partition("[communication]")
    form.write_text(head)
    assert len(read_form(form, SHEET.run, STARTED).ratings) == 2
    form.write_text(head + "[communication]\nrating = 0\nwhy = ''\n")
    assert len(read_form(form, SHEET.run, STARTED).ratings) == 2


WRONG = {
    "no name": (('"Grace  Hopper"', '" "'), "reviewer", "reviewer is empty"),
    "name of two lines": (('"Grace  Hopper"', '"a\\nb"'), "reviewer", "reviewer must be one line"),
    "not rated": (("rating = 4", "rating = 0"), "rating", "decision_quality.rating is 0, which is no rating"),
    "too high": (("rating = 4", "rating = 6"), "rating", "decision_quality.rating is 6, which is no rating"),
    "half": (("rating = 4", "rating = 3.5"), "rating", "decision_quality.rating is 3.5, which is no rating"),
    "true": (("rating = 4", "rating = true"), "rating", "decision_quality.rating is True, which is no rating"),
    "huge": (
        ("rating = 4", f"rating = 0x{'f' * 4000}"),
        "rating",
        "decision_quality.rating is a number of thousands of digits, which is no rating",
    ),
    "text": (("rating = 4", 'rating = "4"'), "rating", "decision_quality.rating is '4', which is no rating"),
    "no reason": (
        ('why = "It compares two and says what would reverse it."', 'why = " "'),
        "why",
        "decision_quality.why is empty",
    ),
    "misspelt": (("rating = 4", "ratting = 4"), "ratting", "decision_quality.ratting is an unknown key"),
    "unknown section": (("[communication]", "[comunication]"), "[comunication]", "comunication is an unknown key"),
    "other run": (('run = "0123', 'run = "9999'), "run", "run names another run than the sheet"),
    "other schema": (("schema = 1", "schema = 2"), "schema", "schema must be 1"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "key", "said"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_named_with_its_line(form: Path, change: tuple[str, str], key: str, said: str) -> None:
    text = FILLED.replace(*change, 1)
    assert text != FILLED
    form.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_form(form, SHEET.run, STARTED)
    line = next(n for n, each in enumerate(text.splitlines(), 1) if each.startswith(key))
    assert refused.value.message == f"{form}:{line}: {said}."
    assert refused.value.hint


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"reviewer = Grace", "is not valid TOML"),
        (b"x = 1\n" * 20_000, "is too large"),
        (b"a = " + b"[" * 5000, "is not valid TOML"),
    ],
)
def test_what_is_no_form_is_refused(form: Path, content: bytes, said: str) -> None:
    form.write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_form(form, SHEET.run, STARTED)


def test_a_missing_form_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.toml cannot be read"):
        read_form(tmp_path / "no.toml", SHEET.run, STARTED)


def test_a_long_reason_is_refused(form: Path) -> None:
    form.write_text(FILLED.replace("It compares", "x" * 2001))
    with pytest.raises(UsageError, match="too long"):
        read_form(form, SHEET.run, STARTED)

"""JSON that reads back as the very same sheet."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from grader.model.sheet import ScoreSheet
from grader.render.json_sheet import render
from grader.render.text import is_invisible
from grader.scoring.signing import sign
from tests.factories import make_check_line, make_sheet
from tests.signatures import is_genuine

KEY = bytes(range(32))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_comes_back_and_nothing_invisible_is_written(text: str) -> None:
    sheet = make_sheet(checks=(make_check_line(because=text),))
    written = render(sheet)
    assert ScoreSheet.model_validate_json(written) == sheet
    assert not [each for each in written if is_invisible(each) and each != "\n"]


def test_the_signature_still_holds_after_reading_back() -> None:
    sheet = sign(make_sheet(ai_use="\u202e\x9b\n"), KEY)
    assert is_genuine(ScoreSheet.model_validate_json(render(sheet)))


def test_names_stay_readable() -> None:
    assert '"candidate": "Zoë Łukasz"' in render(make_sheet(candidate="Zoë Łukasz"))


def test_points_are_plain_numbers() -> None:
    assert json.loads(render(make_sheet()))["earned"] == 76.4

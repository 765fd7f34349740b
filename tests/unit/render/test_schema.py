"""The committed schema is the model's, and sheets keep it."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import jsonschema
import pytest

from grader.model.sheet import Audience
from grader.render.json_sheet import render
from grader.render.schema import schema_text, score_sheet_schema
from grader.scoring.audience import for_audience
from tests.factories import make_faulted_sheet, make_rejected_sheet, make_sheet

COMMITTED = Path(__file__).parents[3] / "docs" / "score-sheet.schema.json"


def test_the_committed_schema_is_the_models() -> None:
    hint = "run `python -m grader.render.schema > docs/score-sheet.schema.json`"
    assert COMMITTED.read_text(encoding="utf-8") == schema_text(), hint


def test_the_module_prints_what_is_committed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "grader.render.schema")
    runpy.run_module("grader.render.schema", run_name="__main__")
    assert capsys.readouterr().out == COMMITTED.read_text(encoding="utf-8")


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(score_sheet_schema())


@pytest.mark.parametrize("sheet", [make_sheet(), make_rejected_sheet(), make_faulted_sheet()])
@pytest.mark.parametrize("audience", Audience)
def test_every_sheet_that_is_written_keeps_the_schema(sheet: object, audience: Audience) -> None:
    written = json.loads(render(for_audience(sheet, audience)))  # type: ignore[arg-type]
    jsonschema.validate(written, score_sheet_schema())


def test_the_schema_refuses_what_the_model_refuses() -> None:
    written = json.loads(render(make_sheet())) | {"points_of_another_kind": 1}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(written, score_sheet_schema())

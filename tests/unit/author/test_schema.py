"""The committed schema of exercise.toml is the model's, and every exercise of this repository keeps it."""

from __future__ import annotations

import runpy
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.author.schema import exercise_schema, schema_text
from grader.model.exercise import Manifest

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "docs" / "exercise.schema.json"
MANIFESTS = sorted([*ROOT.glob("exercises/*/exercise.toml"), *ROOT.glob("tests/exercises/*/exercise.toml")])


def manifest(**changes: Any) -> dict[str, Any]:
    usual = tomllib.loads((ROOT / "tests" / "exercises" / "tiny_sum" / "exercise.toml").read_text())
    return usual | changes


def test_the_committed_schema_is_the_models() -> None:
    hint = "run `python -m grader.author.schema > docs/exercise.schema.json`"
    assert COMMITTED.read_text(encoding="utf-8") == schema_text(), hint


def test_the_module_prints_what_is_committed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "grader.author.schema")
    runpy.run_module("grader.author.schema", run_name="__main__")
    assert capsys.readouterr().out == COMMITTED.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.parent.name)
def test_every_manifest_keeps_it(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(exercise_schema())
    jsonschema.validate(tomllib.loads(path.read_text()), exercise_schema())


def test_a_manifest_may_name_its_schema() -> None:
    named = manifest(**{"$schema": "../exercise.schema.json"})
    jsonschema.validate(named, exercise_schema())
    assert Manifest.model_validate(named).editor_schema == "../exercise.schema.json"


@pytest.mark.parametrize(
    "changes",
    [{"hour": 2}, {"hours": "one"}, {"version": "1"}, {"part": {"kind": "song"}}, {"part": {"kind": "notebook"}}],
)
def test_it_refuses_what_the_model_refuses(changes: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(manifest(**changes), exercise_schema())
    with pytest.raises(ValueError, match=next(iter(changes))):
        Manifest.model_validate(manifest(**changes))

"""results.json for Gradescope: candidates only, and no fault that looks like zero points."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from grader.errors import UsageError
from grader.model.sheet import Audience, ScoreSheet
from grader.render.gradescope import render
from grader.scoring.audience import for_audience
from tests.factories import make_check_line, make_faulted_sheet, make_rejected_sheet, make_sheet

TEXT_FORMATS = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
TEST = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "max_score": {"type": "number"},
        "status": {"enum": ["passed", "failed"]},
        "name": {"type": "string"},
        "name_format": TEXT_FORMATS,
        "number": {"type": "string"},
        "output": {"type": "string"},
        "output_format": TEXT_FORMATS,
        "tags": {"type": "array", "items": {"type": "string"}},
        "visibility": VISIBILITY,
        "extra_data": {"type": "object"},
    },
}
# Written from the fields that Gradescope documents for autograders.
RESULTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "number"},
        "output": {"type": "string"},
        "output_format": TEXT_FORMATS,
        "test_output_format": TEXT_FORMATS,
        "test_name_format": TEXT_FORMATS,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {"type": "array", "items": TEST},
    },
}


def results(sheet: ScoreSheet) -> dict[str, Any]:
    found = json.loads(render(for_audience(sheet, Audience.CANDIDATE)))
    jsonschema.validate(found, RESULTS)
    assert isinstance(found, dict)
    return found


def test_totals_and_tests_agree() -> None:
    found = results(make_sheet())
    assert found["score"] == pytest.approx(sum(test["score"] for test in found["tests"]))
    assert found["extra_data"]["possible"] == sum(test["max_score"] for test in found["tests"]) == 100


def test_a_test_tells_outcome_reason_and_feedback() -> None:
    (test,) = results(make_sheet(checks=(make_check_line(),)))["tests"]
    assert test["name"] == "B1 Reads amounts with a decimal comma"
    assert (test["score"], test["max_score"], test["status"]) == (2.0, 4.0, "failed")
    assert test["output"].splitlines() == [
        "Partial.", "The result is not right, or right only in part.", make_check_line().feedback,
    ]  # fmt: skip


def test_only_what_passed_is_passed() -> None:
    statuses = {test["name"][:2]: test["status"] for test in results(make_sheet())["tests"]}
    assert (statuses["A1"], statuses["A2"], statuses["G3"]) == ("passed", "failed", "failed")


def test_a_rejected_submission_gets_zero_and_an_explanation() -> None:
    found = results(make_rejected_sheet())
    assert (found["score"], found["tests"]) == (0.0, [])
    assert "No check was run." in found["output"]
    assert "missing_package" in found["output"]


def test_a_faulted_run_has_no_score_at_all() -> None:
    found = results(make_faulted_sheet())
    assert "score" not in found
    assert found["tests"] == []
    assert "The run will be repeated. Nothing counts against you." in found["output"]


@pytest.mark.parametrize("audience", [Audience.RECRUITER, Audience.AUTHOR])
def test_nobody_elses_sheet_is_written_for_candidates(audience: Audience) -> None:
    with pytest.raises(UsageError, match=f"made for the {audience}"):
        render(for_audience(make_sheet(), audience))

"""JUnit XML as the xunit2 family has it; the rules stand here as a table."""

from __future__ import annotations

from datetime import datetime
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring

from grader.model.sheet import Audience, ScoreSheet
from grader.render.junit import render
from grader.scoring.audience import for_audience
from tests.factories import make_check_line, make_faulted_sheet, make_rejected_sheet, make_sheet

# element: (required attributes, optional attributes, children, whether it may hold text)
XUNIT2 = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}, False),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"skipped", "time", "timestamp", "hostname", "id", "package"},
        {"properties", "testcase", "system-out", "system-err"},
        False,
    ),
    "properties": (set(), set(), {"property"}, False),
    "property": ({"name", "value"}, set(), set(), False),
    "testcase": (
        {"name", "classname"},
        {"time", "assertions", "status"},
        {"skipped", "error", "failure", "system-out", "system-err"},
        False,
    ),
    "failure": (set(), {"message", "type"}, set(), True),
    "error": (set(), {"message", "type"}, set(), True),
}


def check_schema(element: Element) -> None:
    required, optional, children, text = XUNIT2[element.tag]
    assert required <= set(element.attrib) <= required | optional
    assert {child.tag for child in element} <= children
    assert text or not (element.text or "").strip()
    for child in element:
        assert not (child.tail or "").strip()
        check_schema(child)


def suite(sheet: ScoreSheet) -> Element:
    root = fromstring(render(sheet).encode())
    check_schema(root)
    (found,) = root
    return found


SITUATIONS = {
    "graded": make_sheet(),
    "candidate": for_audience(make_sheet(), Audience.CANDIDATE),
    "rejected": make_rejected_sheet(),
    "faulted": make_faulted_sheet(),
    "faulted after all checks": make_faulted_sheet(checks=(make_check_line(),)),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_every_situation_keeps_the_schema_and_counts_right(name: str) -> None:
    found = suite(SITUATIONS[name])
    cases = found.findall("testcase")
    assert found.get("tests") == str(len(cases))
    assert found.get("failures") == str(len(found.findall("testcase/failure")))
    assert found.get("errors") == str(len(found.findall("testcase/error")))
    datetime.fromisoformat(found.get("timestamp", ""))


def test_there_is_one_case_per_check_named_by_group() -> None:
    sheet = make_sheet()
    cases = suite(sheet).findall("testcase")
    assert [case.get("name") for case in cases] == [f"{check.id} {check.title}" for check in sheet.checks]
    assert cases[0].get("classname") == "clean_parquet.A"


def test_lost_points_are_a_failure_in_our_words() -> None:
    (case,) = suite(make_sheet(checks=(make_check_line(),))).findall("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "partial, 2 of 4 points: The result is not right, or right only in part."
    assert failure.get("type") == "wrong_answer"
    assert "first wrong cell: part-07.parquet" in (failure.text or "")


def test_a_failure_without_a_reason_still_says_how_it_ended() -> None:
    (case,) = suite(make_sheet(checks=(make_check_line(reason=None, words=""),))).findall("testcase/failure")
    assert (case.get("type"), case.get("message")) == ("partial", "partial, 2 of 4 points")


def test_a_passed_check_is_a_success() -> None:
    (case,) = suite(make_sheet(checks=(make_check_line(earned=4),))).findall("testcase")
    assert list(case) == []


def test_a_check_without_an_answer_is_an_error_not_a_failure() -> None:
    found = suite(make_faulted_sheet())
    names = [case.get("name", "")[:2] for case in found.findall("testcase") if case.find("error") is not None]
    assert names == ["E4", "G4"]


def test_a_fault_is_never_a_success_even_when_all_checks_have_answers() -> None:
    sheet = make_faulted_sheet(checks=(make_check_line(earned=4),))
    (error,) = suite(sheet).findall("testcase/error")
    assert "the engine was restarted" in (error.text or "")


def test_a_rejected_submission_is_one_failure() -> None:
    (case,) = suite(make_rejected_sheet()).findall("testcase")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("type") == "missing_package"
    assert "dateparser" in (failure.text or "")

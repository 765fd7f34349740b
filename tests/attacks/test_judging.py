"""The judge of attacks notices what it is there for: each invariant, broken once."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from grader.model.reasons import Reason, Rejection
from grader.model.result import Outcome
from grader.model.run import Noticed, Sign
from grader.model.sheet import Audience, ScoreSheet
from grader.render.files import sheet_files
from grader.scoring.signing import sign
from tests.attacks.battery import faults_of_sheet, forged, unexpected
from tests.attacks.canaries import Canaries
from tests.attacks.cases import Expected
from tests.attacks.leftovers import Snapshot
from tests.factories import make_check_line, make_faulted_sheet, make_rejected_sheet, make_sheet

KEY = b"7" * 32
EXPECTED = Expected(rows=(1,), what="x", exercise="tiny_sum", lost={"A1": "timeout|oom"}, says={"A1": "5 s"})
GOOD = {"outcome": Outcome.PASSED, "earned": Decimal(4), "possible": Decimal(4), "reason": None}
LOST = {"outcome": Outcome.FAILED, "earned": Decimal(0), "reason": Reason.TIMEOUT, "because": "No answer in 5 s."}


def sheet(first: dict[str, Any], second: dict[str, Any] | None = None, **changes: Any) -> ScoreSheet:
    checks = (make_check_line(id="A1", **first), make_check_line(id="B1", **(second or GOOD)))
    return make_sheet(**{"checks": checks, "noticed": (), **changes})


def test_what_ends_as_expected_has_nothing_said_of_it() -> None:
    assert unexpected(EXPECTED, sheet(LOST)) == []
    assert forged(EXPECTED, sheet(LOST)) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (sheet(LOST | {"reason": Reason.CRASHED}), "A1: crashed, not timeout|oom"),
        (sheet(LOST | {"because": "It sleeps."}), "A1 does not say"),
        (sheet(LOST, LOST), "B1 lost points: timeout"),
        (make_rejected_sheet(), "rejected: missing_package, not None"),
        (make_faulted_sheet(), "KeyError"),
    ],
    ids=["another reason", "did not happen", "more was lost", "rejected", "faulted"],
)
def test_what_ends_otherwise_is_named(found: ScoreSheet, words: str) -> None:
    assert words in unexpected(EXPECTED, found)[0]


def test_a_sign_that_nobody_is_told_of_is_named() -> None:
    expected = EXPECTED.model_copy(update={"noticed": (Sign.NETWORK,)})
    assert unexpected(expected, sheet(LOST)) == ["nobody is told of network"]
    assert unexpected(expected, sheet(LOST, noticed=(Noticed(sign=Sign.NETWORK),))) == []


def test_points_for_what_must_be_lost_are_forged() -> None:
    assert forged(EXPECTED, sheet(GOOD)) == ["A1 has 4.00 of 4.00"]
    refused = Expected(rows=(1,), what="x", exercise="tiny_sum", rejection=Rejection.MANIFEST)
    assert forged(refused, sheet(LOST)) == ["4.00 points"]
    few = EXPECTED.model_copy(update={"earned": 3.5})
    assert forged(few, sheet(LOST)) == ["4.00 points, not 3.5"]


def test_a_canary_is_found_where_it_may_not_be() -> None:
    words = Canaries()
    (found,) = words.seen_in({"sheet.json": f"x {words.label} y", "checker.log": b"quiet"})
    assert found.startswith("canaryLabel")
    assert found.endswith("in sheet.json")
    assert words.seen_in({"submission.log": words.environment.encode()})
    assert words.seen_in({"sheet.html": words.given}) == []
    assert words.seen_in({"sheet.candidate.html": words.given})


def test_a_sheet_that_was_changed_is_noticed() -> None:
    files = sheet_files(sign(make_sheet(audience=Audience.AUTHOR), KEY), KEY)
    assert faults_of_sheet(files) == []
    assert faults_of_sheet(files | {"sheet.json": files["sheet.json"].replace("Ada", "Eve")})
    assert faults_of_sheet(files | {"sheet.json": files["sheet.json"].replace('"graded"', '"won"')})
    assert faults_of_sheet(files | {"sheet.md": "a\ud800"})


def test_what_is_left_over_is_named(tmp_path: Path) -> None:
    before = Snapshot.take(tmp_path)
    (tmp_path / "draft").touch()
    kept = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
    after = Snapshot.take(tmp_path)
    for descriptor in kept:
        os.close(descriptor)
    assert after.more_than(before) == ["6 descriptors more", "draft"]

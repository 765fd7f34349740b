"""What counts as a rung that does not do what its ladder expects."""

from __future__ import annotations

import pytest

from grader.author.expectations import Earned, violations
from grader.catalog.ladder import Expected

FLAW = Expected(rung="flaw", parent="reference", band=(90, 97), must_fail=("A2",))
REFERENCE = Earned(
    rung="reference", candidate="v1", submission="", exercise="", status="graded", percent=100.0,
    shares={"A1": 1.0, "A2": 1.0, "B1": 0.9},
)  # fmt: skip


def earned(**changes: object) -> Earned:
    usual = {"rung": "flaw_x", "percent": 95.0, "shares": {"A1": 0.75, "A2": 0.49, "B1": 0.65}}
    return REFERENCE.model_copy(update=usual | changes)


def test_a_flaw_that_loses_its_own_check_and_little_else_is_as_expected() -> None:
    assert list(violations(FLAW, earned(), REFERENCE)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"percent": 89.99}, "earned 89.99, outside of 90 to 97"),
        ({"percent": 97.5}, "earned 97.5, outside of 90 to 97"),
        ({"percent": None}, "earned None, outside of 90 to 97"),
        ({"shares": {"A1": 1.0, "A2": 0.51, "B1": 0.9}}, "A2 should fail, but earned 51%"),
        ({"shares": {"A1": 1.0, "B1": 0.9}}, "A2 should fail, but earned nothing that could be measured"),
        ({"shares": {"A1": 0.74, "A2": 0.0, "B1": 0.9}}, "A1 is not listed, but lost 26% against reference"),
        ({"status": "faulted", "faults": ("disk full",)}, "is faulted (disk full), not graded"),
        ({"status": "rejected", "reason": "empty"}, "is rejected (empty), not graded"),
    ],
)
def test_what_differs_is_named(changes: dict[str, object], said: str) -> None:
    assert list(violations(FLAW, earned(**changes), REFERENCE)) == [said]


def test_a_rejection_needs_the_right_reason() -> None:
    expected = Expected(rung="broken", status="rejected", reason="missing_package")
    assert list(violations(expected, earned(status="rejected", reason="missing_package"), None)) == []
    assert list(violations(expected, earned(status="rejected", reason="syntax_error"), None)) == [
        "is rejected for syntax_error, not for missing_package"
    ]


def test_loss_elsewhere_counts_for_flaws_only() -> None:
    plain = Expected(rung="plain", parent="reference", band=(60, 96))
    assert list(violations(plain, earned(shares={"A1": 0.0}), REFERENCE)) == []


NOTEBOOK_FLAW = Expected(rung="flaw", parent="reference", band=(98, 100), notebook=(6, 6), must_fail=("N1",))
WITH_NOTEBOOK = {"notebook": 6.0, "notebook_checks": ("N1", "N2"), "percent": 100.0}


def test_the_notebook_has_a_band_of_its_own() -> None:
    shares = {"N1": 0.2, "N2": 1.0}
    assert list(violations(NOTEBOOK_FLAW, earned(shares=shares, **WITH_NOTEBOOK), REFERENCE)) == []
    changed = earned(shares=shares, **{**WITH_NOTEBOOK, "notebook": 7.5})
    assert list(violations(NOTEBOOK_FLAW, changed, REFERENCE)) == ["its notebook earned 7.5, outside of 6 to 6"]
    missing = earned(shares=shares, **{**WITH_NOTEBOOK, "notebook": None})
    assert list(violations(NOTEBOOK_FLAW, missing, REFERENCE)) == ["its notebook earned None, outside of 6 to 6"]


def test_a_flaw_of_the_program_may_show_in_the_notebook_and_one_of_the_notebook_may_not_spread() -> None:
    parent = REFERENCE.model_copy(update={"shares": {"A2": 1.0, "N1": 1.0, "N2": 1.0}})
    code = earned(shares={"A2": 0.0, "N1": 1.0, "N2": 0.0}, **{**WITH_NOTEBOOK, "percent": 95.0})
    assert list(violations(FLAW, code, parent)) == []
    spread = earned(shares={"A2": 1.0, "N1": 0.0, "N2": 0.0}, **WITH_NOTEBOOK)
    assert list(violations(NOTEBOOK_FLAW, spread, parent)) == ["N2 is not listed, but lost 100% against reference"]

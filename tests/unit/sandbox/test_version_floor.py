"""Comparing versions with the floors of their branches."""

from __future__ import annotations

import pytest

from grader.sandbox.version_floor import below_floor, numbers


@pytest.mark.parametrize(
    ("version", "below"),
    [
        ("1.1.5+ds1", True),
        ("1.2.7", True),
        ("1.2.8", False),
        ("1.3.2", True),
        ("1.3.3", False),
        ("1.4.0", False),
        ("1.5.0", False),
        ("", False),
        ("unknown", False),
    ],
)
def test_each_branch_has_a_floor_of_its_own(version: str, below: bool) -> None:
    assert below_floor(version, ["1.2.8", "1.3.3", "1.4.0-rc.3"]) is below


def test_numbers_are_compared_as_numbers() -> None:
    assert below_floor("9.9.9", ["29.7.0"])
    assert not below_floor("29.10.0", ["29.7.0"])


def test_what_distributions_add_to_a_number_does_not_count() -> None:
    assert numbers("20.10.24+dfsg1") == numbers("v20.10.24") == (20, 10, 24)

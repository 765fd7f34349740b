"""The same data twice: a program that writes something else when it is asked again loses half of that check."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace

import pytest
import test_f_trust
from runs import OUTPUTS
from tables import QUARANTINE, Standing, read_truth

from grader.checker.api import Reason
from grader.checker.awards import Award

WROTE = {name: name.encode() for name in OUTPUTS}


@pytest.fixture(scope="module")
def standing(small_hidden):
    truth = read_truth(small_hidden(7) / "main" / "truth")
    return Standing(truth=truth, orders=truth.orders, quarantine=QUARANTINE.empty_table())


def awarded(standing: Standing, second: Mapping[str, bytes]) -> Award:
    def written(files: Mapping[str, bytes]) -> SimpleNamespace:
        return SimpleNamespace(json=lambda name: {}, bytes=lambda name, max_bytes: files[name])

    award, command = Award(), SimpleNamespace(run=lambda arguments, inputs, seconds: written(second))
    test_f_trust.test_report_and_rerun(written(WROTE), None, standing, command, award)
    return award


@pytest.mark.parametrize("name", OUTPUTS)
def test_one_file_that_differs_costs_half(standing, name):
    same, other = awarded(standing, WROTE), awarded(standing, {**WROTE, name: b"known already"})
    assert same.fraction - other.fraction == pytest.approx(0.5)
    assert other.reason is Reason.UNSTABLE

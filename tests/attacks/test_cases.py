"""The attacks that say the most, in real boxes; all of them run with `make attacks`."""

from __future__ import annotations

import pytest

from tests.attacks.battery import Battery
from tests.attacks.cases import load_cases

PRINCIPAL = tuple(case for case in load_cases() if case.expected.principal)


@pytest.mark.docker
def test_no_attack_forges_leaks_or_hurts(battery: Battery) -> None:
    found = {verdict.case.name: verdict.problems for verdict in battery.run(PRINCIPAL)}
    assert found == {case.name: [] for case in PRINCIPAL}

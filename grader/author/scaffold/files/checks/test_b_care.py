"""Group B: what was right is left alone."""

from __future__ import annotations

import pytest
from measures import GATE_HI, GATE_LO, share_found

from grader.checker.api import linear


@pytest.mark.check(
    id="B1",
    points=20,
    requirement="R3",
    competency="data-quality",
    title="Leaves shops without mistakes alone",
    question="What does it cost to call a large order a mistake, and what to miss one? Who would you ask?",
    feedback="You report mistakes where none were made. How sure must you be before you change an amount?",
)
def test_clean_shops_stay_clean(said, truth, award):
    clean = [name for name, each in truth.items() if not each.errors]
    left_alone = sum(said[name].errors == 0 for name in clean)
    found = share_found(said, truth)
    # Nothing is easier than to find nothing: credit for an absence is only given as far as work was done.
    gate = linear(found, GATE_LO, GATE_HI)
    because = f"{left_alone} of {len(clean)} shops without mistakes are said to have none."
    if gate < 1:
        because += f" That counts for {gate:.0%} only, since {found:.0%} of the mistakes elsewhere were found."
    award(gate * left_alone / len(clean), because, metrics={"left alone": left_alone, "found": found})

"""Identity: keys, repeated deliveries, newest states, equal numbers in two shops, retired SKUs."""

from __future__ import annotations

import pytest
from fates import deduplicates, newest, pairs_kept, redelivered
from measure import accuracy, thousands


@pytest.mark.check(
    id="D1",
    points=3,
    competency="data-quality",
    title="Brings order numbers to one form",
    requirement="R8",
    question="How did you make sure that bringing keys to one form does not make two different orders equal?",
    feedback="Look again at order numbers with a prefix, blanks or fewer digits (RULES.md 3.1).",
)
def test_key_is_normalised(standing, award):
    found = accuracy(standing, "key")
    award(found.credit, found.because("order numbers in another form"), metrics={"accuracy": found.value})


@pytest.mark.check(
    id="D2",
    points=3,
    competency="data-pipelines",
    title="Keeps an order that was delivered twice once",
    requirement="R18",
    question="Deliveries are repeated weeks later. How would you find repeats without reading all history again?",
    feedback="Some orders that were delivered twice are kept twice or not at all (RULES.md 5).",
)
def test_redelivery(standing, award):
    found = redelivered(standing)
    because = (
        f"{thousands(found.right)} of {thousands(found.total)} orders that were delivered twice are kept exactly once."
    )
    award(found.credit, because, metrics={"share": found.value})


@pytest.mark.check(
    id="D3",
    points=5,
    competency="data-pipelines",
    title="Keeps the newest valid state of an order, wherever it stands",
    requirement="R18",
    question=(
        "States arrive out of order, and the newest one may be unusable. How does your program pick the row "
        "that stays, and what would it need to do so day by day?"
    ),
    feedback="Where an order has several states, another one than the newest valid one is kept (RULES.md 5).",
)
def test_newest_version(standing, award):
    found = newest(standing)
    because = (
        f"{thousands(found.right)} of {thousands(found.total)} orders with several states are kept in their "
        f"newest valid state."
    )
    award(found.credit, because, metrics={"share": found.value})


@pytest.mark.check(
    id="D4",
    points=4,
    competency="data-quality",
    title="Keeps orders of two shops that have the same number",
    requirement="R8, R18",
    question="How would you find out from data alone that an order number is only unique within a shop?",
    feedback=(
        "Orders of different shops that have the same number are treated as one order, or duplicates are not "
        "removed at all (RULES.md 3.1 and 5)."
    ),
)
def test_same_number_in_two_shops(standing, award):
    found, gate = pairs_kept(standing), deduplicates(standing)
    because = (
        f"{thousands(found.right)} of {thousands(found.total)} orders whose number another shop uses too are kept."
    )
    if gate < 1:
        because += " Credit is reduced, because duplicates are hardly removed elsewhere."
    award(found.credit * gate, because, metrics={"share": found.value, "gate": gate})


@pytest.mark.check(
    id="D5",
    points=3,
    competency="data-quality",
    title="Follows retired SKUs to the one sold today",
    requirement="R15",
    question="What does your program do when replacements form a circle, or end at a SKU that nobody sells?",
    feedback="Look again at retired SKUs, also those whose replacement was retired too (RULES.md 3.9).",
)
def test_retired_skus(standing, award):
    found = accuracy(standing, "alias")
    award(found.credit, found.because("retired SKUs"), metrics={"accuracy": found.value})

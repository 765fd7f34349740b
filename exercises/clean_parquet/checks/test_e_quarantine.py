"""Quarantine: the right rows, for the right reason, and no clean ones."""

from __future__ import annotations

import pytest
from fates import quarantined
from measure import thousands
from pictures import quarantine_bars
from tables import REASONS


def judge(standing, award, reason: str) -> None:
    """Award half for rows being in quarantine and half for their reason, times precision."""
    found = quarantined(standing, reason)
    because = (
        f"{thousands(found.there)} of {thousands(found.total)} rows that belong in quarantine as {reason} are there, "
        f"{thousands(found.named)} with that reason; {thousands(found.kept)} are among the orders."
    )
    if found.precision < 1:
        because += (
            f" {thousands(found.harmed)} of {thousands(found.untouched)} rows without any defect are in quarantine too."
        )
    measures = {"there": found.there / max(found.total, 1), "named": found.named / max(found.total, 1)}
    award(found.credit, because, metrics={**measures, "precision": found.precision})


@pytest.mark.check(
    id="E1",
    points=4,
    competency="data-quality",
    title="Sets aside impossible quantities",
    requirement="R11, R17",
    question="Who should look at the quarantine, how often, and what would you show them first?",
    feedback=(
        "Rows with an impossible quantity are not all in quarantine with that reason, or clean rows are "
        "there too (RULES.md 4)."
    ),
)
def test_quantity(standing, award, plot):
    found = {reason: quarantined(standing, reason) for reason in REASONS}
    bars = {reason: (each.named, each.there, each.total) for reason, each in found.items()}
    one = found["bad_qty"]
    plot(
        quarantine_bars(bars, one.harmed, one.untouched),
        "What became of rows that belong in quarantine, and of clean rows",
    )
    judge(standing, award, "bad_qty")


@pytest.mark.check(
    id="E2",
    points=4,
    competency="data-quality",
    title="Sets aside orders of customers that do not exist",
    requirement="R16, R17",
    question=(
        "A customer appears in the master data one day after the first order. How would you bring that order back?"
    ),
    feedback=(
        "Rows of customers that do not exist are not all in quarantine with that reason, or clean rows are "
        "there too (RULES.md 4)."
    ),
)
def test_foreign_key(standing, award):
    judge(standing, award, "unknown_customer")


@pytest.mark.check(
    id="E3",
    points=4,
    competency="data-quality",
    title="Sets aside impossible dates",
    requirement="R9, R17",
    question=(
        "Why is a date of 1970 or 2099 a sign of a defect, and how would you choose the valid range for "
        "another company?"
    ),
    feedback=(
        "Rows with an impossible date are not all in quarantine with that reason, or clean rows are there "
        "too (RULES.md 4)."
    ),
)
def test_date(standing, award):
    judge(standing, award, "bad_date")


@pytest.mark.check(
    id="E4",
    points=4,
    competency="data-quality",
    title="Sets aside amounts that cannot be read",
    requirement="R10, R17",
    question=(
        "What is worse for finance: an amount that was guessed or a row in quarantine? When would you answer "
        "differently?"
    ),
    feedback=(
        "Rows whose amount cannot be read or is out of range are not all in quarantine with that reason, or "
        "clean rows are there too (RULES.md 4)."
    ),
)
def test_amount(standing, award):
    judge(standing, award, "bad_amount")

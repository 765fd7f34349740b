"""Parity: the numbers of the nightly batch, trap by trap."""

from __future__ import annotations

import numpy as np
import pytest
from gates import mostly_right
from parity import CLOSE, HI, LO, SAME
from pictures import parity_dots

from grader.checker.api import linear

ALL = {
    "plain": "plain rows",
    "amounts": "rows with huge or tiny amounts",
    "number_formats": "rows with numbers written in other ways",
    "local_hour": "rows whose local hour is not that of UTC",
    "dst": "rows near a change of clocks",
    "null_income": "rows without income",
    "messy_segment": "rows with a segment spelt in another way",
    "merged_segment": "rows with a rare segment",
    "unseen_segment": "rows with an unknown segment",
    "currency": "rows in other currencies",
    "customer_unknown": "rows of unknown customers",
    "customer_asof": "rows older than some of the customer's values",
}
BATCHED = ("plain", "messy_segment", "unseen_segment", "currency", "customer_unknown", "customer_asof", "dst")


def judge(award, *weighted):
    """Award the weighted mean of several strata's credit."""
    total = sum(weight for _, weight in weighted)
    credit = sum(parity.credit * weight for parity, weight in weighted) / total
    evidence = {key: value for parity, _ in weighted for key, value in parity.evidence().items()}
    because = " ".join(parity.because for parity, _ in weighted)
    metrics = {parity.stratum: parity.value for parity, _ in weighted}
    award(min(1.0, round(credit, 9)), because, evidence=evidence, metrics=metrics)


@pytest.mark.check(
    id="B1",
    points=5,
    competency="serving",
    requirement="R3, R6",
    title="Gives the batch job's probability for ordinary rows",
    question=(
        "The service and the nightly batch disagree in the third decimal for some customers. Where do you look "
        "first, and how do you keep the two from drifting apart again?"
    ),
    feedback="For ordinary rows the probability is not that of the batch job (offline/featurize.py).",
)
def test_plain_rows(strata, award, plot):
    profile = {}
    for name, words in ALL.items():
        profile[words] = strata.of(name, words)
    plot(
        parity_dots({words: found.value for words, found in profile.items()}, LO, HI),
        "Share of rows on which service and batch agree",
    )
    weights = {"plain": 8, "amounts": 1, "number_formats": 1}
    judge(award, *((profile[ALL[name]], weight) for name, weight in weights.items()))


@pytest.mark.check(
    id="B2",
    points=4,
    competency="serving",
    requirement="R3",
    title="Takes hour and weekday from the customer's clock, also around changes of the clocks",
    question=(
        "A request comes with an offset that is not the one its time zone has at that moment. What does your "
        "service do, and why may that be right?"
    ),
    feedback="Rows whose local time is not UTC, or that lie near a change of clocks, differ from the batch job.",
)
def test_local_time(strata, award):
    judge(award, (strata.of("local_hour", ALL["local_hour"]), 1), (strata.of("dst", ALL["dst"]), 1))


@pytest.mark.check(
    id="B3",
    points=3,
    competency="serving",
    requirement="R3",
    title="Fills a missing income as the model was trained",
    question="Where does the value come from that stands in for a missing income, and when may it change?",
    feedback="Rows without income differ from the batch job.",
)
def test_null_income(strata, award):
    judge(award, (strata.of("null_income", ALL["null_income"]), 1))


@pytest.mark.check(
    id="B4",
    points=1,
    competency="serving",
    requirement="R8",
    title="Scores a row the same, whatever other rows are in its batch",
    question="How could two rows of one request influence each other, and which test would notice?",
    feedback="The probability of a row changes with the other rows of its batch.",
)
def test_batch_mates(strata, award):
    rows = strata.rows("null_income", 120, "mates")
    poor, rich = mates(strata, "poor", 100.0), mates(strata, "rich", 1e6)
    first = strata.in_batches([*rows, *poor])[: len(rows)]
    second = strata.in_batches([*map(strata.names.rename, rows), *rich])[: len(rows)]
    same = np.abs(first - second) <= SAME
    gate = mostly_right([strata.of(name, ALL[name]) for name in BATCHED])
    silent = int((~np.isfinite(first) | ~np.isfinite(second)).sum())
    because = f"{int((~same).sum()) - silent} of {len(rows)} rows without income change with the rest of their batch."
    because += f" {silent} have no probability." if silent else ""
    award(linear(float(same.mean()), LO, HI) * gate.value, because + gate.note, metrics={"same": float(same.mean())})


def mates(strata, purpose, income):
    """Return rows of one income, to keep others company."""
    return [{**row, "income": income} for row in strata.rows("plain", 60, purpose)]


@pytest.mark.check(
    id="B5",
    points=4,
    competency="data-quality",
    requirement="R3",
    title="Reads segments in any spelling, merges rare ones, and accepts unknown ones",
    question="A new segment appears in production. What does the model do with it, and who should hear of it?",
    feedback="Rows whose segment is spelt in another way, rare, or not known, differ from the batch job.",
)
def test_segments(strata, award):
    spelt, rare, unseen = (strata.of(name, ALL[name]) for name in ("messy_segment", "merged_segment", "unseen_segment"))
    judge(award, (spelt, 11), (rare, 4), (unseen, 5))


@pytest.mark.check(
    id="B6",
    points=3,
    competency="serving",
    requirement="R3",
    title="Converts currencies with the table that comes with the model",
    question="Exchange rates move every day. Why does the service use those of the training data?",
    feedback="Rows in currencies other than the euro differ from the batch job.",
)
def test_currency(strata, award):
    judge(award, (strata.of("currency", ALL["currency"]), 1))


@pytest.mark.check(
    id="B7",
    points=4,
    competency="data-pipelines",
    requirement="R3",
    title="Uses what was known of a customer at the time of the request",
    question="How do you look up a value as of a time quickly, and what goes wrong offline when you do not?",
    feedback="Rows of unknown customers, or rows older than some of the customer's values, differ from the batch job.",
)
def test_customer_values(strata, award):
    as_of, unknown = (strata.of(name, ALL[name]) for name in ("customer_asof", "customer_unknown"))
    judge(award, (as_of, 3), (unknown, 2))


@pytest.mark.check(
    id="B9",
    points=4,
    competency="serving",
    requirement="R7, R8",
    title="Gives the same numbers in a batch as one by one, in the same order",
    question="Your batch path is vectorised and your single path is not. How do you know that they agree?",
    feedback="Batches give other probabilities than single requests, or another order.",
)
def test_batch_equals_single(strata, award):
    singles = [(row, got) for name in BATCHED for row, got in zip_rows(strata.of(name, ALL[name]), 70)]
    order = np.random.default_rng(len(singles)).permutation(len(singles))
    renamed = [strata.names.rename(row) for row, _ in singles]  # before they are mixed: ids must not be in order
    rows = [renamed[place] for place in order]
    one_by_one = np.array([singles[place][1] for place in order])
    together = strata.in_batches(rows, 98)
    known = np.isfinite(one_by_one)
    same = np.abs(together - one_by_one) <= SAME
    share = float(same[known].mean()) if known.any() else 0.0
    share *= min(1.0, float(known.mean()) / 0.5)
    gate = mostly_right([strata.of(name, ALL[name]) for name in BATCHED])
    near = int((np.abs(together - one_by_one) <= CLOSE).sum())
    because = f"{int(same.sum())} of {len(rows)} rows have the same probability in a batch as alone."
    evidence = {"equal within a millionth": near, "rows that were answered alone": int(known.sum())}
    award(linear(share, LO, HI) * gate.value, because + gate.note, evidence=evidence, metrics={"same": share})


def zip_rows(parity, count):
    """Return the first rows of a stratum with the probabilities that were answered."""
    return list(zip(parity.rows[:count], parity.got[:count], strict=True))

"""Numbers: decimal marks, currency text, cents, kilograms, and words for nothing."""

from __future__ import annotations

import pytest
from measure import accuracy


@pytest.mark.check(
    id="B1",
    points=4,
    competency="data-quality",
    title="Reads amounts with a decimal comma",
    requirement="R10",
    question=(
        "Which texts can be read both with a decimal comma and with a decimal point, and how does your program decide?"
    ),
    feedback="Look again at amounts of the shops that write a decimal comma (RULES.md 3.3).",
)
def test_decimal_comma(standing, award):
    found = accuracy(standing, "comma")
    award(found.credit, found.because("amounts with a decimal comma"), metrics={"accuracy": found.value})


@pytest.mark.check(
    id="B2",
    points=3,
    competency="data-quality",
    title="Reads amounts with currency signs, codes and thousands marks",
    requirement="R10",
    question=(
        "How did you find out all the ways in which amounts are written, and what happens to a way you have not seen?"
    ),
    feedback="Look again at amounts with a currency code or sign, or with a thousands mark (RULES.md 3.3).",
)
def test_currency_text(standing, award):
    found = accuracy(standing, "money_text")
    award(found.credit, found.because("amounts with a sign, code or thousands mark"), metrics={"accuracy": found.value})


@pytest.mark.check(
    id="B3",
    points=4,
    competency="data-pipelines",
    title="Takes the unit of whole-number amounts from the file's metadata",
    requirement="R6",
    question=(
        "Amounts in some files were 100 times too large or not at all: where did you look for the reason, "
        "and how would you guard against it?"
    ),
    feedback=(
        "Look again at where a file says whether its amounts are cents (RULES.md 2.2), and at files that do not say so."
    ),
)
def test_cents_by_metadata(standing, award):
    cents, units = accuracy(standing, "cents"), accuracy(standing, "units")
    both = accuracy(standing, "cents", "units")
    evidence = {
        "files flagged as cents": f"{cents.right} of {cents.total} amounts right",
        "files without the flag": f"{units.right} of {units.total} amounts right",
    }
    award(both.credit, both.because("whole-number amounts"), evidence=evidence, metrics={"accuracy": both.value})


@pytest.mark.check(
    id="B4",
    points=3,
    competency="data-quality",
    title="Brings weights in kilograms and weights with their unit in the text to grams",
    requirement="R12",
    question="How would you find wrong units in a column if nothing said which unit a value has?",
    feedback="Look again at weights in kilograms and at weights written as text (RULES.md 3.6).",
)
def test_kilograms(standing, award):
    found = accuracy(standing, "unit")
    award(found.credit, found.because("weights that name their unit"), metrics={"accuracy": found.value})


@pytest.mark.check(
    id="B5",
    points=2,
    competency="data-quality",
    title="Turns numbers and words that stand for nothing into null",
    requirement="R7",
    question="What would the demand model learn if -1 and 9999999 stayed in a weight column?",
    feedback="Look again at values that stand for nothing, in weights and in cities (RULES.md 2.3).",
)
def test_words_for_nothing(standing, award):
    found = accuracy(standing, "nothing")
    award(found.credit, found.because("values that stand for nothing"), metrics={"accuracy": found.value})

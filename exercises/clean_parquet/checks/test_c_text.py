"""Text: status words, typing errors, broken encoding, Unicode forms."""

from __future__ import annotations

import pytest
from measure import accuracy


@pytest.mark.check(
    id="C1",
    points=3,
    competency="data-quality",
    title="Maps status words in three languages and any case",
    requirement="R13",
    question="A fourth language arrives tomorrow. What does your program do with its words on the first day?",
    feedback="Look again at status words in other languages, in capitals or with blanks around them (RULES.md 3.7).",
)
def test_synonyms_and_case(standing, award):
    found = accuracy(standing, "synonym")
    award(found.credit, found.because("status words in another language or case"), metrics={"accuracy": found.value})


@pytest.mark.check(
    id="C2",
    points=3,
    competency="data-quality",
    title="Repairs status words with one typing error",
    requirement="R13",
    question="Why is distance 1 safe for these words, and what would you test before you allowed distance 2?",
    feedback="Look again at status words with one letter inserted, left out or replaced (RULES.md 3.7).",
)
def test_typing_errors(standing, award):
    found = accuracy(standing, "typo")
    award(found.credit, found.because("status words with a typing error"), metrics={"accuracy": found.value})


@pytest.mark.check(
    id="C3",
    points=3,
    competency="data-pipelines",
    title="Undoes UTF-8 that was read as Windows-1252",
    requirement="R14",
    question=(
        "How do you tell a broken text from one that only looks unusual, and what can go wrong when a text "
        "is repaired twice?"
    ),
    feedback="Look again at city names whose letters beyond ASCII became two or three other characters (RULES.md 3.8).",
)
def test_wrong_decoding(standing, award):
    found = accuracy(standing, "mojibake")
    award(found.credit, found.because("city names with broken letters"), metrics={"accuracy": found.value})


@pytest.mark.check(
    id="C4",
    points=2,
    competency="data-quality",
    title="Brings city names to one Unicode form and to ordinary blanks",
    requirement="R14",
    question=(
        "Two city names look equal and compare unequal. What are the usual reasons, and where in a pipeline "
        "would you deal with them?"
    ),
    feedback="Look again at decomposed letters and no-break blanks in city names (RULES.md 3.8).",
)
def test_unicode_forms(standing, award):
    found = accuracy(standing, "unicode")
    award(found.credit, found.because("city names in another Unicode form"), metrics={"accuracy": found.value})

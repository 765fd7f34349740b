"""What a worker answers with: data that can travel with other calls' answers."""

from __future__ import annotations

import json
from enum import Enum
from typing import Any

import numpy as np
import pytest

from grader.agent.caller import Caller, respond
from grader.frames import strict_json

HALF = "\ud800"  # half of a character: a text for Python, and not for UTF-8


class Refused(ValueError):
    pass


class Echo:
    """A submission that returns, or raises with, what it is told."""

    def give(self, value: Any) -> Any:
        return value

    def fail(self, value: str) -> None:
        raise ValueError(value)

    def refuse(self, value: str) -> None:
        raise Refused(value)


def answer(method: str, value: object) -> Any:
    caller = Caller(f"{__name__}:Echo")
    for request in (
        {"op": "construct", "arguments": {}},
        {"op": "call", "method": method, "arguments": {"value": value}},
    ):
        found = respond(caller, request, {})
    return strict_json(json.dumps(found).encode())


@pytest.mark.parametrize("value", [HALF, {HALF: 1}, [{"a": f"b{HALF}"}]], ids=["text", "key", "inside"])
def test_half_a_character_costs_one_answer_and_not_all_that_travel_with_it(value: object) -> None:
    assert answer("give", value) == {"reason": "format", "message": "a text that is not valid Unicode"}


def test_half_a_character_in_a_message_is_shown_as_its_number() -> None:
    found = answer("fail", f"no {HALF}")
    assert (found["error"], found["message"]) == ("ValueError", "no \\ud800")


def test_an_exception_tells_what_it_is_a_kind_of() -> None:
    found = answer("refuse", "no rows")
    assert (found["error"], found["bases"][:2]) == ("Refused", ["Refused", "ValueError"])


class Feature(str, Enum):  # noqa: UP042  (StrEnum is the easier case)
    AMOUNT = "amount"


def test_what_counts_as_text_and_number_is_an_answer() -> None:
    given = {Feature.AMOUNT: Feature.AMOUNT, "p": np.longdouble("0.25"), "n": np.int32(3), "drift": np.bool_(True)}
    assert answer("give", given) == {"value": {"amount": "amount", "p": 0.25, "n": 3, "drift": True}}
    assert answer("give", np.clongdouble(1))["reason"] == "format"


def test_other_texts_are_answers() -> None:
    value = {"\u00e9": ["\U0001f600", "", None, True]}
    assert answer("give", value) == {"value": value}

"""Reads what a detector answered, with suspicion: every fault has a name, and none stops a check.

A decision is what an answer says about drift. It counts only when the flag is a bool, `p_value` is a number in 0..1,
and both agree at the detector's alpha; otherwise it is wrong on clean and on drifted data alike. `scores` and `n` are
read apart from it, so that one malformed field costs the checks that need this field.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from grader.checker.api import Reason

FORM = ("answer", "p_value", "flag")  # the faults that make an answer illegible
DECISION = (*FORM, "agreement")  # the faults that spoil a decision


class Given(Protocol):
    """What a call brought back: the harness's `Answer`."""

    value: object
    error: str
    reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One answer of `check` or `feedback`, as far as it could be read.

    Attributes:
        flag: What it says where that is a bool, else what its p-value implies: the kind reading, for gates, so that one
            flaw does not cost every check.
        p: The p-value, where it is one.
        scores: Feature to score, where all of them are right.
        faults: Field to what is wrong with it.
        reason: Why there is no answer, where there is none.
    """

    flag: bool | None = None
    p: float | None = None
    scores: Mapping[str, float] | None = None
    faults: Mapping[str, str] = field(default_factory=dict)
    reason: Reason | None = None

    @property
    def legible(self) -> bool:
        """Whether flag and p-value could be read, be they at odds or not."""
        return self.flag is not None and self.p is not None and not any(name in self.faults for name in FORM)

    @property
    def decision(self) -> bool | None:
        """What it decided; None when the answer breaks the contract."""
        return None if any(name in self.faults for name in DECISION) else self.flag

    @property
    def false_alarm(self) -> bool:
        """On clean data: an alarm, or no valid decision."""
        return self.decision is not False

    @property
    def hit(self) -> bool:
        """On drifted data: a valid alarm."""
        return self.decision is True


def read_check(given: Given, *, rows: int, features: Collection[str], alpha: float) -> Reading:
    """Read an answer of `check`."""
    reading = _read(given, "drift", alpha)
    if "answer" in reading.faults:
        return reading
    value = given.value
    assert isinstance(value, dict), "an answer without a fault is an object"
    faults = dict(reading.faults)
    scores, fault = _scores(value, features)
    if fault:
        faults["scores"] = fault
    elif unknown := set(value["scores"]) - set(features):
        faults["names"] = f"scores has {len(unknown)} names that are no features"  # attribution passes over them
    if not _is_count(value.get("n"), rows):
        faults["n"] = "n is missing" if "n" not in value else "n is not the number of rows"
    return Reading(flag=reading.flag, p=reading.p, scores=scores, faults=faults)


def read_feedback(given: Given, *, alpha: float) -> Reading:
    """Read an answer of `feedback`."""
    return _read(given, "concept_drift", alpha)


def read_alarm(given: Given) -> Reading:
    """Read an answer of `update`: a flag alone."""
    fault = _no_object(given)
    if fault:
        return _unread(given, fault)
    flag, fault = _flag(given.value, "alarm")
    return Reading(flag=flag, faults={"flag": fault} if fault else {})


def not_asked(why: str) -> Reading:
    """Stand for an answer that there was no time for."""
    return Reading(faults={"answer": why}, reason=Reason.TIMEOUT)


def _read(given: Given, flag_name: str, alpha: float) -> Reading:
    fault = _no_object(given)
    if fault:
        return _unread(given, fault)
    faults: dict[str, str] = {}
    flag, flag_fault = _flag(given.value, flag_name)
    p, p_fault = _p_value(given.value)
    if p_fault:
        faults["p_value"] = p_fault
    if flag_fault:
        faults["flag"] = flag_fault
    elif p is not None and flag != (p <= alpha):
        faults["agreement"] = f"{flag_name} contradicts p_value"
    return Reading(flag=flag if flag is not None else _implied(p, alpha), p=p, faults=faults)


def _unread(given: Given, fault: str) -> Reading:
    return Reading(faults={"answer": fault}, reason=given.reason or (Reason.CRASHED if given.error else None))


def _implied(p: float | None, alpha: float) -> bool | None:
    return None if p is None else p <= alpha


def _no_object(given: Given) -> str:
    if given.error:
        return f"raised {given.error[:60]}"
    if given.reason is not None:
        return f"no answer ({given.reason.value})"
    return "" if isinstance(given.value, dict) else f"the answer is a {_kind(given.value)}, not a dict"


def _flag(value: object, name: str) -> tuple[bool | None, str]:
    assert isinstance(value, dict), "looked at before"
    if name not in value:
        return None, f"{name} is missing"
    found = value[name]
    return (found, "") if isinstance(found, bool) else (None, f"{name} is a {_kind(found)}, not a bool")


def _p_value(value: object) -> tuple[float | None, str]:
    assert isinstance(value, dict), "looked at before"
    if "p_value" not in value:
        return None, "p_value is missing"
    number = _number(value["p_value"])
    if number is None:
        return None, f"p_value is a {_kind(value['p_value'])}, not a number"
    if not math.isfinite(number):
        return None, f"p_value is {number}"
    return (number, "") if 0 <= number <= 1 else (None, "p_value is outside of 0..1")


def _scores(value: Mapping[str, object], features: Collection[str]) -> tuple[dict[str, float] | None, str]:
    if "scores" not in value:
        return None, "scores is missing"
    found = value["scores"]
    if not isinstance(found, dict):
        return None, f"scores is a {_kind(found)}, not a dict"
    lacking = set(features) - set(found)
    if lacking:
        return None, f"scores lacks {len(lacking)} of the features"
    numbers = {name: _number(found[name]) for name in features}
    if any(number is None or not math.isfinite(number) for number in numbers.values()):
        return None, "a score is not a finite number"
    clean = {name: number for name, number in numbers.items() if number is not None}
    return (None, "a score is negative") if min(clean.values(), default=0.0) < 0 else (clean, "")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _is_count(value: object, rows: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value == rows


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__


def fault_facts(readings: Iterable[Reading], fields: Collection[str], most: int = 4) -> dict[str, str]:
    """Return the commonest faults in some fields as evidence: what is wrong, in how many answers."""
    listed = list(readings)
    found = Counter(text for reading in listed for name, text in reading.faults.items() if name in fields)
    return {f"malformed: {text}": f"{count} of {len(listed)} answers" for text, count in found.most_common(most)}


def main_reason(readings: Iterable[Reading], fields: Collection[str]) -> Reason:
    """Say why a check failed: the commonest cause of faults where half of the answers have one, else a wrong answer."""
    listed = list(readings)
    faulty = [reading for reading in listed if any(name in reading.faults for name in fields)]
    if not listed or 2 * len(faulty) < len(listed):
        return Reason.WRONG_ANSWER
    return Counter(reading.reason or _form(reading) for reading in faulty).most_common(1)[0][0]


def _form(reading: Reading) -> Reason:
    odd = any(
        text.endswith((" is nan", " is inf", " is -inf", "not a finite number")) for text in reading.faults.values()
    )
    return Reason.NON_FINITE if odd else Reason.SCHEMA

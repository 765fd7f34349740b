"""The form of `decision.json`: its keys, and what stands in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.checker.api import SubmissionFailed
from grader.model.reasons import Reason

KEYS = (
    "chosen_method",
    "alternatives",
    "metric",
    "estimate",
    "interval",
    "operating_point",
    "cost_assumption",
    "known_failures",
    "rollback_trigger",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What can be taken from a decision, each value by itself, so that one flaw costs one check."""

    method: str | None
    estimate: float | None
    interval: tuple[float, float] | None
    point: float | None

    def require_estimate(self) -> float:
        """Return the estimate.

        Raises:
            SubmissionFailed: There is no finite number.
        """
        if self.estimate is None:
            raise SubmissionFailed(Reason.SCHEMA, "decision.json has no finite number as its estimate.")
        return self.estimate

    def require_interval(self) -> tuple[float, float]:
        """Return the ends of the interval.

        Raises:
            SubmissionFailed: There are no two finite numbers in order.
        """
        if self.interval is None:
            raise SubmissionFailed(Reason.SCHEMA, "decision.json has no interval of two finite numbers in order.")
        return self.interval


def claims_of(decision: object) -> Claims:
    """Take the claims from a decision; what is not of its kind is None."""
    values: Mapping[str, object] = decision if isinstance(decision, dict) else {}
    method = values.get("chosen_method")
    return Claims(
        method=method.strip() if isinstance(method, str) else None,
        estimate=number(values.get("estimate")),
        interval=_interval(values.get("interval")),
        point=number(values.get("operating_point")),
    )


def number(value: object) -> float | None:
    """Return a finite number, or None for everything else; true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return found if math.isfinite(found) else None


def _interval(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    low, high = number(value[0]), number(value[1])
    return (low, high) if low is not None and high is not None and low <= high else None


def deviations(decision: object, metric: str) -> list[str]:
    """List how a decision differs from the form.

    Args:
        decision: Parsed JSON.
        metric: The name that `metric` must have.
    """
    if not isinstance(decision, dict):
        return ["decision.json is not an object"]
    found = [f"{key} is missing" for key in KEYS if key not in decision]
    found += [f"unknown key {ascii(key)[:60]}" for key in decision if key not in KEYS]
    rules: dict[str, Callable[[object], str]] = {
        "chosen_method": _text,
        "alternatives": _alternatives,
        "metric": lambda value: "" if value == metric else f"must be {metric!r}",
        "estimate": lambda value: "" if number(value) is not None else "must be a finite number",
        "interval": lambda value: "" if _interval(value) else "must be two finite numbers, the lower one first",
        "operating_point": lambda value: "" if number(value) is not None else "must be a finite number",
        "cost_assumption": _assumption,
        "known_failures": _failures,
        "rollback_trigger": _text,
    }
    said = {key: rule(decision[key]) for key, rule in rules.items() if key in decision}
    found += [f"{key} {what}" for key, what in said.items() if what]
    claims = claims_of(decision)
    if (
        claims.interval
        and claims.estimate is not None
        and not claims.interval[0] <= claims.estimate <= claims.interval[1]
    ):
        found.append("estimate lies outside of interval")
    return found


def _text(value: object) -> str:
    return "" if isinstance(value, str) and value.strip() else "must be a text"


def _alternatives(value: object) -> str:
    if not isinstance(value, list) or len(value) < 2:
        return "must be a list of at least 2"
    for entry in value:
        if not isinstance(entry, dict) or not {"name", "value"} <= set(entry):
            return "must hold objects of name and value"
        if _text(entry["name"]) or number(entry["value"]) is None:
            return "must give every name a finite number"
    names = [str(entry["name"]).strip() for entry in value]
    return "must have different names" if len(set(names)) < len(names) else ""


def _assumption(value: object) -> str:
    if isinstance(value, dict):
        return "" if value else "must not be empty"
    return _text(value) and "must be a text or an object"


def _failures(value: object) -> str:
    if not isinstance(value, list) or len(value) < 2:
        return "must be a list of at least 2 texts"
    if any(_text(entry) for entry in value):
        return "must hold texts"
    return "must name different failures" if len({entry.strip() for entry in value}) < len(value) else ""

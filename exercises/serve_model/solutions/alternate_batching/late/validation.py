"""What a body must look like. Written by hand: the rules are stricter than what pydantic does by default.

Nothing here depends on a version of the model, and nothing here raises for anything that a client can send.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Container
from datetime import UTC, datetime, timedelta, timezone
from hashlib import blake2b
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

MAX_ID, MAX_ROWS = 64, 512
CURRENCIES = ("EUR", "NOK", "USD", "JPY")
FIELDS = ("request_id", "ts", "tz", "amount", "currency", "income", "segment", "customer_id")
FIELD_SET = frozenset(FIELDS)
MAX_UNKNOWN_NAMED = 20  # unknown fields of one object that an answer names

TS = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:([Zz])|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Problem = dict[str, Any]
Loc = tuple[str | int, ...]


class Row(NamedTuple):
    """A request that is right, before anything of a version touches it."""

    request_id: str
    micros: int  # since 1970, UTC
    hour: int  # local
    weekday: int  # local, Monday is 0
    amount: float
    currency: str
    income: float | None
    segment: str
    customer_id: int
    digest: bytes  # the same for bodies that are equal as JSON


class NotJson(Exception):
    """The body is no JSON."""


def parse_json(body: bytes) -> Any:
    """Parse a body. Numbers that overflow become infinite and are refused where they stand.

    Raises:
        NotJson: It is no JSON, not UTF-8, or nested deeper than any body of ours.
    """
    try:
        return json.loads(body.decode("utf-8"), parse_int=_whole)
    except (ValueError, RecursionError) as error:
        raise NotJson from error


def _whole(digits: str) -> int | float:
    # Python reads no more than 4300 digits as an integer; as many as that are beyond any float.
    return int(digits) if len(digits) < 400 else float(digits)


def problem(loc: Loc, msg: str, kind: str) -> Problem:
    """One entry of FastAPI's `detail`."""
    return {"loc": ["body", *loc], "msg": msg, "type": kind}


def sound(text: str) -> str:
    """Replace halves of surrogate pairs, which strict parsers of JSON refuse."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def names(found: dict[str, Any], wanted: Container[str], required: tuple[str, ...], at: Loc) -> list[Problem]:
    """Find the fields that are missing, and those that are too many."""
    problems = [problem((*at, name), "Field required", "missing") for name in required if name not in found]
    unknown = [name for name in found if name not in wanted][:MAX_UNKNOWN_NAMED]
    return problems + [
        problem((*at, sound(name)), "Extra inputs are not permitted", "extra_forbidden") for name in unknown
    ]


class Zones:
    """The IANA time zones that are there."""

    def __init__(self) -> None:
        self._names = available_timezones() - {"localtime", "Factory"}
        self._zones: dict[str, ZoneInfo] = {}

    def get(self, name: str) -> ZoneInfo | None:
        """A zone by its name; None when there is none of that name."""
        zone = self._zones.get(name)
        if zone is None and name in self._names:
            try:
                zone = self._zones[name] = ZoneInfo(name)
            except Exception:  # noqa: BLE001 - a name without sound data behind it
                return None
        return zone


def instant(text: str) -> datetime | None:
    """Read RFC 3339 with an offset; None when it is something else, or no such time. Microseconds are cut, not rounded."""
    match = TS.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, utc, sign, off_hours, off_minutes = match.groups()
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        zone = UTC
        if utc is None:
            offset = timedelta(hours=int(off_hours), minutes=int(off_minutes))
            zone = timezone(-offset if sign == "-" else offset)
        return datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), micros, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def check_row(found: Any, at: Loc, zones: Zones) -> Row | list[Problem]:
    """Check one request; returns it, or everything that is wrong with it."""
    if type(found) is not dict:
        return [problem(at, "Input should be an object", "model_type")]
    problems: list[Problem] = [] if found.keys() == FIELD_SET else names(found, FIELD_SET, FIELDS, at)

    def wrong(field: str, msg: str, kind: str) -> None:
        if field in found:  # otherwise it is missing, which has been said
            problems.append(problem((*at, field), msg, kind))

    request_id = found.get("request_id")
    if type(request_id) is not str:
        wrong("request_id", "Input should be a valid string", "string_type")
    elif not 1 <= len(request_id) <= MAX_ID:
        wrong("request_id", f"String should have 1 to {MAX_ID} characters", "string_length")
    elif not _is_text(request_id):
        wrong("request_id", "String should be valid Unicode", "string_unicode")

    ts, when = found.get("ts"), None
    if type(ts) is not str:
        wrong("ts", "Input should be a valid string", "string_type")
    elif (when := instant(ts)) is None:
        wrong("ts", "Input should be a date and time of RFC 3339 with offset", "datetime_parsing")

    tz, zone = found.get("tz"), None
    if type(tz) is not str:
        wrong("tz", "Input should be a valid string", "string_type")
    elif (zone := zones.get(tz)) is None:
        wrong("tz", "Input should be the name of an IANA time zone", "time_zone")

    amount = _number(found.get("amount"))
    if amount is None:
        wrong("amount", "Input should be a finite number", "finite_number")
    elif not amount > 0:
        wrong("amount", "Input should be greater than 0", "greater_than")

    currency = found.get("currency")
    if type(currency) is not str or currency not in CURRENCIES:
        wrong("currency", f"Input should be one of {', '.join(CURRENCIES)}", "literal_error")

    income = found.get("income")
    if income is not None:
        income = _number(income)
        if income is None:
            wrong("income", "Input should be a finite number or null", "finite_number")

    segment = found.get("segment")
    if type(segment) is not str:
        wrong("segment", "Input should be a valid string", "string_type")
    elif not _is_text(segment):
        wrong("segment", "String should be valid Unicode", "string_unicode")

    customer_id = found.get("customer_id")
    if type(customer_id) is float and customer_id.is_integer():  # false for infinity and NaN
        customer_id = int(customer_id)
    if type(customer_id) is not int:
        wrong("customer_id", "Input should be a valid integer", "int_type")

    local = None
    if when is not None and zone is not None:
        try:
            local = when.astimezone(zone)
        except (ValueError, OverflowError):  # beyond the first or the last year there
            wrong("ts", "There is no such local time", "datetime_parsing")
    if problems:
        return problems
    body = (ts, tz, amount, currency, income, segment, customer_id)
    digest = blake2b(repr(body).encode("utf-8"), digest_size=16).digest()
    micros = (when - EPOCH) // MICROSECOND
    return Row(
        request_id, micros, local.hour, local.weekday(), amount, currency, income, segment, customer_id, digest
    )  # fmt: skip


def _number(value: Any) -> float | None:
    """A finite number as a float, or None. Adding 0.0 makes -0.0 the 0.0 that it equals."""
    if type(value) is float:
        return value + 0.0 if math.isfinite(value) else None
    if type(value) is int:
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def _is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def check_batch(found: Any) -> list[Any] | list[Problem]:
    """Check what is around the rows; returns the problems, none when the rows themselves can be looked at."""
    if type(found) is not dict:
        return [problem((), "Input should be an object", "model_type")]
    problems = names(found, ("rows",), ("rows",), ())
    rows = found.get("rows")
    if "rows" in found:
        if type(rows) is not list:
            problems.append(problem(("rows",), "Input should be a list", "list_type"))
        elif not 1 <= len(rows) <= MAX_ROWS:
            problems.append(problem(("rows",), f"List should have 1 to {MAX_ROWS} items", "list_length"))
    return problems


def check_activation(found: Any) -> list[Problem]:
    """Check the body of an activation."""
    if type(found) is not dict:
        return [problem((), "Input should be an object", "model_type")]
    problems = names(found, ("version",), ("version",), ())
    if "version" in found and type(found["version"]) is not str:
        problems.append(problem(("version",), "Input should be a valid string", "string_type"))
    return problems

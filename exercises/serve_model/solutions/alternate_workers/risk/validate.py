"""What a legal request is. Standard library only: the front uses it for single rows, the workers for batches."""

from __future__ import annotations

import functools
import hashlib
import importlib.resources
import json
import math
import re
import zoneinfo
from datetime import UTC, datetime, timedelta
from typing import Any

LARGEST_BODY = 1024 * 1024
MOST_ROWS = 512
MOST_PROBLEMS = 2000
CURRENCIES = ("EUR", "NOK", "USD", "JPY")
FIELDS = ("request_id", "ts", "tz", "amount", "currency", "income", "segment", "customer_id")
_FIELDS = frozenset(FIELDS)

# RFC 3339; [0-9] and not \d, which also matches digits of other scripts.
_TS = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Problem = dict[str, Any]


class Refusal(Exception):
    """A request that is refused with 422; holds FastAPI's list of problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("refused")
        self.problems = problems


def problem(loc: list[Any], msg: str, kind: str) -> Problem:
    """One entry of FastAPI's `detail`."""
    return {"loc": loc, "msg": msg, "type": kind}


# -- JSON ----------------------------------------------------------------------------------------------------------


def _no_constant(word: str) -> float:
    # NaN and Infinity are read as such here, so that the field can be named when it is refused.
    return math.nan if word == "NaN" else math.inf


def _long_int(text: str) -> int | float:
    return int(text) if len(text) <= 400 else float(text)


_plain = json.JSONDecoder(parse_constant=_no_constant)
_careful = json.JSONDecoder(parse_constant=_no_constant, parse_int=_long_int)


def parse(raw: bytes) -> Any:
    """Read JSON. NaN, Infinity and numbers that overflow become non-finite floats, which no field accepts.

    Raises:
        Refusal: Not UTF-8, not JSON, or nested too deeply.
    """
    try:
        text = raw.decode("utf-8")
        try:
            return _plain.decode(text)
        except json.JSONDecodeError:
            raise
        except ValueError:  # an integer with more digits than Python turns into an int
            return _careful.decode(text)
    except (ValueError, RecursionError):
        raise Refusal([problem(["body"], "The body is not JSON in UTF-8", "json_invalid")]) from None


# -- fields --------------------------------------------------------------------------------------------------------


@functools.cache
def _zone_names() -> frozenset[str]:
    try:
        names = importlib.resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    except (ModuleNotFoundError, OSError):
        names = []
    return frozenset(names) or frozenset(zoneinfo.available_timezones())


_zones: dict[str, zoneinfo.ZoneInfo] = {}


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The zone of an IANA name; the names are a fixed list, so this cache cannot grow without bound."""
    found = _zones.get(name)
    if found is None and name in _zone_names():
        try:
            found = _zones[name] = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return None
    return found


def _instant(text: str) -> datetime | None:
    """The instant that an RFC 3339 text names, in UTC; what is finer than a microsecond is cut off, as in the batch."""
    found = _TS.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = found.groups()
    try:
        instant = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second),
            int(fraction[:6].ljust(6, "0")) if fraction else 0, UTC,
        )  # fmt: skip
        if sign is not None:
            offset = timedelta(hours=int(hours), minutes=int(minutes))
            instant = instant - offset if sign == "+" else instant + offset
    except (ValueError, OverflowError):
        return None
    return instant


def _finite(value: Any) -> float | None:
    """The float that a JSON number stands for; None when it is no number or no finite one."""
    kind = type(value)  # not isinstance: a bool is an int
    if kind is float:
        return value if math.isfinite(value) else None
    if kind is int:
        try:
            return float(value)
        except OverflowError:
            return None
    return None


def _text(value: Any) -> bool:
    return type(value) is str and (value.isascii() or _SURROGATE.search(value) is None)


# What a worker needs of a row: microseconds since 1970, local hour and weekday, amount, currency, income, segment, customer
Scorable = tuple[int, int, int, float, str, float | None, str, int]
Row = tuple[str, bytes, Scorable]  # request_id, fingerprint of the body, what is scored


def check_row(value: Any, loc: list[Any], problems: list[Problem]) -> Row | None:
    """Check one row; appends to `problems`, and returns None, when it is not legal."""
    if type(value) is not dict:
        problems.append(problem(loc, "Input should be an object", "model_type"))
        return None
    before = len(problems)
    if value.keys() != _FIELDS:
        problems.extend(problem([*loc, name], "Field required", "missing") for name in FIELDS if name not in value)
        for name in value:
            if name not in _FIELDS:
                problems.append(problem([*loc, name], "Extra inputs are not permitted", "extra_forbidden"))
                if len(problems) >= MOST_PROBLEMS:
                    break

    def wrong(name: str, msg: str, kind: str = "value_error") -> None:
        if name in value:
            problems.append(problem([*loc, name], msg, kind))

    get = value.get
    request_id = get("request_id")
    if not _text(request_id):
        wrong("request_id", "Input should be a valid string", "string_type")
    elif not 1 <= len(request_id) <= 64:
        wrong("request_id", "String should have 1 to 64 characters", "string_length")

    instant = zone = None
    ts, tz = get("ts"), get("tz")
    if type(ts) is not str:
        wrong("ts", "Input should be a valid string", "string_type")
    else:
        instant = _instant(ts)
        if instant is None:
            wrong("ts", "Input should be an RFC 3339 date and time with offset", "datetime_parsing")
    if type(tz) is not str:
        wrong("tz", "Input should be a valid string", "string_type")
    else:
        zone = _zone(tz)
        if zone is None:
            wrong("tz", "Input should be the name of an IANA time zone")
    local = None
    if instant is not None and zone is not None:
        try:
            local = instant.astimezone(zone)
        except (OverflowError, ValueError):  # at the ends of the calendar
            wrong("ts", "Input should be a date that can be told in local time")

    given_amount = get("amount")
    amount = _finite(given_amount)
    if amount is None:
        wrong("amount", "Input should be a finite number", "finite_number")
    elif amount <= 0:
        wrong("amount", "Input should be greater than 0", "greater_than")

    currency = get("currency")
    if type(currency) is not str or currency not in CURRENCIES:
        wrong("currency", f"Input should be one of {', '.join(CURRENCIES)}", "enum")

    given_income = get("income")
    income = None if given_income is None else _finite(given_income)
    if income is None and given_income is not None:
        wrong("income", "Input should be a finite number or null", "finite_number")

    segment = get("segment")
    if not _text(segment):
        wrong("segment", "Input should be a valid string", "string_type")

    customer = get("customer_id")
    if type(customer) is float and customer.is_integer():
        customer = int(customer)
    if type(customer) is not int:
        wrong("customer_id", "Input should be a valid integer", "int_type")
    elif not -(2**63) <= customer < 2**63:
        wrong("customer_id", "Input should be an integer of 64 bits", "int_size")

    if len(problems) != before:
        return None
    # Numbers in one way of writing, so that 100 and 1e2 are the same body, yet 2**53 + 1 is not 2**53.
    same = (
        ts, tz, amount if amount == given_amount else given_amount, currency,
        income if income == given_income else given_income, segment, customer,
    )  # fmt: skip
    fingerprint = hashlib.blake2b(repr(same).encode(), digest_size=16).digest()
    microseconds = (instant - _EPOCH) // _MICROSECOND
    return (
        request_id,
        fingerprint,
        (microseconds, local.hour, local.weekday(), amount, currency, income, segment, customer),
    )


def check_single(raw: bytes) -> Row:
    """Check the body of one prediction.

    Raises:
        Refusal: It is not legal.
    """
    problems: list[Problem] = []
    row = check_row(parse(raw), ["body"], problems)
    if row is None:
        raise Refusal(problems)
    return row


def check_batch(raw: bytes) -> list[Row]:
    """Check the body of a batch.

    Raises:
        Refusal: It, or one of its rows, is not legal.
    """
    body = parse(raw)
    rows = _only_field(body, "rows")
    if type(rows) is not list:
        raise Refusal([problem(["body", "rows"], "Input should be a valid list", "list_type")])
    if not 1 <= len(rows) <= MOST_ROWS:
        raise Refusal([problem(["body", "rows"], f"List should have 1 to {MOST_ROWS} items", "list_length")])
    problems: list[Problem] = []
    checked = []
    for place, row in enumerate(rows):
        checked.append(check_row(row, ["body", "rows", place], problems))
        if len(problems) >= MOST_PROBLEMS:
            break
    if problems:
        raise Refusal(problems)
    return checked


def check_activation(raw: bytes) -> str:
    """Check the body of an activation; any text is a legal name, whether there is such a version or not.

    Raises:
        Refusal: It is not legal.
    """
    version = _only_field(parse(raw), "version")
    if type(version) is not str:
        raise Refusal([problem(["body", "version"], "Input should be a valid string", "string_type")])
    return version


def _only_field(body: Any, name: str) -> Any:
    if type(body) is not dict:
        raise Refusal([problem(["body"], "Input should be an object", "model_type")])
    problems = [] if name in body else [problem(["body", name], "Field required", "missing")]
    for other in body:
        if other != name and len(problems) < MOST_PROBLEMS:
            problems.append(problem(["body", other], "Extra inputs are not permitted", "extra_forbidden"))
    if problems:
        raise Refusal(problems)
    return body[name]

"""Property-based requests: drawn from the service's own published schema, and from a grammar of the brief.

Whatever is drawn, no answer may be a server error, and what is answered must match what is published. Requests are
drawn first and sent afterwards, so that a slow or dying service does not steer what is drawn.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calls import ACTIVATE, BATCH, HEALTH, METRICS, PREDICT, READY, Names, post
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from openapi import Published

from grader.checker.http import Request

ID = "@id@"
FROM_SCHEMA, FROM_GRAMMAR = 100, 200
LONG = 400
DEEPEST, WIDEST, NARROW = 4, 20, 1  # of a published schema: levels, properties of a row, properties of what is inside


@dataclass(frozen=True, slots=True)
class Case:
    """One request. `valid` says that it must be answered with a prediction."""

    method: str
    path: str
    body: bytes
    content_type: str = "application/json"
    valid: bool = False

    def request(self, names: Names) -> Request:
        """Make the request, with ids of its own."""
        parts = self.body.split(ID.encode())
        body = parts[0] + b"".join(names.next().encode() + part for part in parts[1:])
        if self.method != "POST":
            return Request(method=self.method, path=self.path)
        return post(self.path, body, self.content_type)


def draw(rows: Sequence[Mapping[str, Any]], published: Published, number: int) -> list[Case]:
    """Draw the same requests whenever this variant is graded.

    Args:
        rows: Valid rows to start from.
        published: The service's own description.
        number: Seed.
    """
    schema = published.request_schema(PREDICT)
    own = _collect(_from_schema(published, schema), FROM_SCHEMA, number) if schema else []
    # A service that publishes nothing is asked as much.
    return own + _collect(_from_grammar(rows), FROM_SCHEMA + FROM_GRAMMAR - len(own), number + 1)


def _collect(strategy: st.SearchStrategy[Case], count: int, number: int) -> list[Case]:
    kept: list[Case] = []

    @seeded(number)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(case: Case) -> None:
        kept.append(case)

    # Values of a candidate's schema may be too large to be drawn; what was drawn before counts.
    with contextlib.suppress(Unsatisfiable):
        keep()
    return kept[:count]


class Literal(str):
    """A number written in a way that Python's own writer does not know."""

    __slots__ = ()


def write(value: object) -> str:
    """Write JSON, with literals as they are."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(name))}: {write(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write, value)) + "]"
    return json.dumps(value)


odd_numbers = st.sampled_from(
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "-0",
        "-0.0",
        "1e-400",
        "9" * LONG,
        "-" + "9" * LONG,
        "0",
        "-1",
        "0.1e1",
        "1E+2",
        "9007199254740993",
        "18446744073709551616",
        "1.7976931348623157e308",
        "5e-324",
    ]
).map(Literal)
odd_texts = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\ud800",
        "\u202e",
        "é" * 70,
        "a" * 65,
        "a" * 5_000,
        "null",
        "NaN",
        "1",
        "'; --",
        "%s%n",
        "{}",
        "\\",
    ]
) | st.text(max_size=80)
odd_times = st.sampled_from(
    [
        "2024-02-30T10:00:00Z",
        "2024-06-01T25:00:00Z",
        "2024-06-01",
        "2024-06-01T10:00:00",
        "1717236000",
        "now",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2024-06-01T10:00:00+99:99",
        "2024-06-30T23:59:60Z",
        "2024-06-01T10:00:00.123456789Z",
        "2024-06-01t10:00:00z",
        "-2024-06-01T10:00:00Z",
        "1969-12-31T23:59:59Z",
    ]
)
odd_zones = st.sampled_from(
    [
        "",
        "/",
        "..",
        "../../etc/passwd",
        "Europe",
        "europe/oslo",
        "Mars/Phobos",
        "UTC\x00",
        "Europe/Oslo ",
        "localtime",
        "/etc/localtime",
        "posix/Europe/Oslo",
        "tzdata.zi",
        "EST5EDT",
        "A" * 300,
        "Europe/\u00d8slo",
    ]
)
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | odd_texts
    | odd_numbers,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
odd_values = {
    "ts": odd_times,
    "tz": odd_zones,
    "amount": odd_numbers,
    "income": odd_numbers,
    "customer_id": odd_numbers,
}


@st.composite
def _spoilt(draw_: st.DrawFn, rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    row: dict[str, object] = {**draw_(st.sampled_from(rows)), "request_id": ID}
    for _ in range(draw_(st.integers(1, 3))):
        name = draw_(st.sampled_from(sorted(rows[0])))
        way = draw_(st.sampled_from(["odd", "odd", "any", "drop", "add"]))
        if way == "drop":
            row.pop(name, None)
        elif way == "add":
            row[draw_(st.text(max_size=12))] = draw_(anything)
        else:
            row[name] = draw_(odd_values.get(name, odd_texts) if way == "odd" else anything)
    return row


def _from_grammar(rows: Sequence[Mapping[str, Any]]) -> st.SearchStrategy[Case]:
    whole = st.sampled_from(rows).map(lambda row: {**row, "request_id": ID})
    either = whole | _spoilt(rows)
    single = _spoilt(rows).map(lambda row: Case("POST", PREDICT, write(row).encode()))
    good = whole.map(lambda row: Case("POST", PREDICT, write(row).encode(), valid=True))
    several = st.lists(either, max_size=4).map(lambda found: Case("POST", BATCH, write({"rows": found}).encode()))
    strange = anything.map(lambda found: Case("POST", BATCH, write({"rows": found}).encode()))
    return st.one_of(single, single, single, good, several, strange, _raw(rows), _elsewhere())


def _raw(rows: Sequence[Mapping[str, Any]]) -> st.SearchStrategy[Case]:
    row = write({**rows[0], "request_id": ID}).encode()
    bodies = [
        b"", b"null", b"[]", b"{}", b'"', b"\xff\xfe", b"\xef\xbb\xbf" + row, row[:-1], row + row,
        row.replace(b'"', b"'"),
        b"[" * 5_000, b'{"a":' * 5_000, row.decode().encode("utf-16"), row[:-1] + b', "amount": 1}', b"\x00" * 64,
        row.replace(b"customer_id", b"customer\xffid"), b'{"rows": [' + b"[" * 2_000 + b"]" * 2_000 + b"]}",
    ]  # fmt: skip
    types = ["application/json", "application/json", "text/plain", "application/x-www-form-urlencoded", "json", ""]
    types += ["multipart/form-data; boundary=x", "application/json; charset=utf-16", "application/vnd.api+json"]
    return st.builds(
        lambda path, body, kind: Case("POST", path, body, kind),
        st.sampled_from([PREDICT, BATCH, ACTIVATE]),
        st.sampled_from(bodies) | st.binary(max_size=60),
        st.sampled_from(types),
    )


def _elsewhere() -> st.SearchStrategy[Case]:
    paths = [
        PREDICT,
        BATCH,
        ACTIVATE,
        f"{PREDICT}?x=%ff",
        f"{READY}?verbose=1",
        f"{HEALTH}/..",
        "/nothing",
        "/v1",
        "//",
    ]
    other = st.builds(
        lambda method, path: Case(method, path, b""), st.sampled_from(["GET", "PUT", "DELETE"]), st.sampled_from(paths)
    )
    wrong = st.builds(lambda path: Case("POST", path, b"{}"), st.sampled_from([HEALTH, READY, METRICS, "/v2/predict"]))
    versions = anything | st.sampled_from(["..", "", "../../etc/passwd", "v1\x00", "V1", "v99", "v" * 300])
    activation = versions.map(lambda found: Case("POST", ACTIVATE, write({"version": found}).encode()))
    return st.one_of(other, wrong, activation)


def _from_schema(published: Published, schema: Mapping[str, Any]) -> st.SearchStrategy[Case]:
    values = value_of(published, schema, DEEPEST)
    single = values.map(lambda row: Case("POST", PREDICT, write(row).encode()))
    several = st.lists(values, min_size=1, max_size=3)
    return single | several.map(lambda rows: Case("POST", BATCH, write({"rows": rows}).encode()))


def value_of(published: Published, schema: object, depth: int) -> st.SearchStrategy[Any]:
    """Return values that a schema allows, as far as it is understood; anything elsewhere."""
    rules = published.resolve(schema)
    if depth <= 0 or not rules:
        return anything
    choices = [rules[name] for name in ("anyOf", "oneOf") if isinstance(rules.get(name), list)]
    forms = [form for several in choices for form in several if isinstance(form, dict)][:6]
    if forms:
        return st.one_of(*(value_of(published, form, depth - 1) for form in forms))
    if isinstance(rules.get("enum"), list) and rules["enum"]:
        return st.sampled_from(rules["enum"][:50])
    return _typed(published, rules, depth)


def _typed(published: Published, rules: Mapping[str, Any], depth: int) -> st.SearchStrategy[Any]:
    kind = rules.get("type")
    if kind == "object" and isinstance(rules.get("properties"), dict):
        most = WIDEST if depth == DEEPEST else NARROW
        properties = dict(list(rules["properties"].items())[:most])
        fields = {name: value_of(published, item, depth - 1) for name, item in properties.items()}
        return st.fixed_dictionaries(fields)
    if kind == "array":
        return st.lists(value_of(published, rules.get("items"), depth - 1), max_size=3)
    if kind == "string":
        if rules.get("format") == "date-time":
            return odd_times | st.datetimes().map(lambda moment: f"{moment.isoformat()}+02:00")
        return st.text(max_size=64) | st.sampled_from(
            ["EUR", "NOK", "Europe/Oslo", "retail", "2024-06-01T10:00:00+02:00"]
        )
    if kind in ("number", "integer"):
        whole = st.integers(-(2**70), 2**70)
        return whole if kind == "integer" else whole | st.floats(allow_nan=False, allow_infinity=False)
    return {"boolean": st.booleans(), "null": st.none()}.get(str(kind), anything)

"""What a service publishes about its interface: a candidate's document, read with bounds.

Only what OpenAPI documents of such services use is understood; what is not understood accepts everything. References
are followed inside the document alone, and every walk has a budget, since a document may refer to itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from calls import ACTIVATE, BATCH, BATCH_FIELDS, FIELDS, HEALTH, METRICS, PREDICT, READY, object_of

from grader.checker.http import Exchange

ROUTES = (("post", PREDICT), ("post", BATCH), ("get", HEALTH), ("get", READY), ("get", METRICS), ("post", ACTIVATE))
REQUEST_FIELDS = frozenset({"request_id", "ts", "tz", "amount", "currency", "income", "segment", "customer_id"})
BUDGET = 20_000
LONGEST_REFERENCE = 500
Schema = Mapping[str, Any]


class OverBudget(Exception):
    """A schema asks for more work than any honest one."""


@dataclass(frozen=True)
class Published:
    """An OpenAPI document. `root` is empty where there is none."""

    root: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, exchange: Exchange) -> Published:
        """Read the answer to GET /openapi.json."""
        return cls(object_of(exchange) if exchange.status == 200 else {})

    def operation(self, method: str, path: str) -> Schema:
        """Return an operation; an empty mapping where it is not described."""
        return _mapping(_mapping(_mapping(self.root.get("paths")).get(path)).get(method))

    def request_schema(self, path: str) -> Schema:
        """Return the schema of a POST request's body."""
        return self.resolve(_json_schema(self.resolve(self.operation("post", path).get("requestBody"))))

    def response_schema(self, method: str, path: str, status: int) -> Schema | None:
        """Return the schema of an answer; None where this status is not described."""
        responses = _mapping(self.operation(method, path).get("responses"))
        for name in (str(status), f"{status // 100}XX", "default"):
            if name in responses:
                return _json_schema(self.resolve(responses[name]))
        return None

    def resolve(self, schema: object) -> Schema:
        """Follow references; an empty mapping (which accepts everything) where they lead nowhere."""
        for _ in range(16):
            found = _mapping(schema)
            if not isinstance(found.get("$ref"), str):
                return found
            schema = self._pointed(found["$ref"])
        return {}

    def _pointed(self, reference: str) -> object:
        here: object = self.root
        if not reference.startswith("#/") or len(reference) > LONGEST_REFERENCE:
            return {}
        for step in reference[2:].split("/"):
            here = _mapping(here).get(step.replace("~1", "/").replace("~0", "~"))
        return here

    def fields(self, schema: Schema) -> set[str]:
        """Return the names of an object's properties, also from parts that are put together."""
        found = set(_mapping(schema.get("properties")))
        for part in _list(schema.get("allOf"))[:10]:
            found |= set(_mapping(self.resolve(part).get("properties")))
        return found

    def errors(self, value: object, schema: Schema) -> str:
        """Return how a value breaks a schema, in words; nothing when it does not.

        Raises:
            OverBudget: The schema cannot be worked through.
        """
        return next(_Check(self).breaks(value, schema, "answer", 24), "")


def _mapping(value: object) -> Schema:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _json_schema(holder: Schema) -> Schema:
    return _mapping(_mapping(_mapping(holder.get("content")).get("application/json")).get("schema"))


_TYPES: dict[str, Any] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: _is_number(value),
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _bound(schema: Schema, name: str) -> float | None:
    value = schema.get(name)
    return value if _is_number(value) else None  # type: ignore[return-value]


class _Check:
    """One walk through a value and a schema.

    Args:
        published: Where references are looked up.
    """

    def __init__(self, published: Published) -> None:
        self._published = published
        self._left = BUDGET

    def breaks(self, value: object, schema: object, place: str, depth: int) -> Iterator[str]:
        """Yield how the value breaks the schema."""
        self._spend(1, depth)
        if schema is False:
            yield f"{place} is not allowed"
            return
        rules = self._published.resolve(schema)
        # Each of these lists is looked through for every value.
        self._spend(sum(len(_list(rules.get(name))) for name in ("enum", "required", "type")), depth)
        yield from self._plain(value, rules, place)
        yield from self._combined(value, rules, place, depth - 1)
        if isinstance(value, dict):
            yield from self._object(value, rules, place, depth - 1)
        if isinstance(value, list) and "items" in rules:
            for number, item in enumerate(value):
                yield from self.breaks(item, rules["items"], f"{place}[{number}]", depth - 1)

    def _spend(self, work: int, depth: int) -> None:
        self._left -= work
        if self._left < 0 or depth < 0:
            raise OverBudget

    def _plain(self, value: object, rules: Schema, place: str) -> Iterator[str]:
        wanted = rules.get("type")
        types = [each for each in (_list(wanted) or [wanted]) if isinstance(each, str) and each in _TYPES]
        if types and not any(_TYPES[each](value) for each in types):
            yield f"{place} is not of type {' or '.join(types)}"
        if "const" in rules and not _same(rules["const"], value):
            yield f"{place} is not the one value allowed"
        if isinstance(rules.get("enum"), list) and not any(_same(each, value) for each in rules["enum"]):
            yield f"{place} is none of the values allowed"
        yield from _limits(value, rules, place)

    def _combined(self, value: object, rules: Schema, place: str, depth: int) -> Iterator[str]:
        for part in _list(rules.get("allOf")):
            yield from self.breaks(value, part, place, depth)
        for name in ("anyOf", "oneOf"):
            parts = _list(rules.get(name))
            fits = sum(next(self.breaks(value, part, place, depth), None) is None for part in parts)
            if parts and (fits == 0 or (name == "oneOf" and fits > 1)):
                yield f"{place} fits {fits} of its {len(parts)} forms"

    def _object(self, value: dict[str, object], rules: Schema, place: str, depth: int) -> Iterator[str]:
        properties = _mapping(rules.get("properties"))
        for name in _list(rules.get("required")):
            if isinstance(name, str) and name not in value:
                yield f"{place} has no {name[:40]}"
        for name, item in value.items():
            if name in properties:
                yield from self.breaks(item, properties[name], f"{place}.{name[:40]}", depth)
            elif "additionalProperties" in rules:
                other = rules["additionalProperties"]
                yield from self.breaks(item, other, f"{place}.{name[:40]}", depth)


def _same(one: object, other: object) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _limits(value: object, rules: Schema, place: str) -> Iterator[str]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = _bound(rules, "minimum"), _bound(rules, "maximum")
        over, under = _bound(rules, "exclusiveMinimum"), _bound(rules, "exclusiveMaximum")
        good = (low is None or value >= low) and (high is None or value <= high)
        good = good and (over is None or value > over) and (under is None or value < under)
        if not good:
            yield f"{place} is out of range"
    size = len(value) if isinstance(value, str | list) else math.nan
    kind = "Length" if isinstance(value, str) else "Items"
    least, most = _bound(rules, f"min{kind}"), _bound(rules, f"max{kind}")
    if (least is not None and size < least) or (most is not None and size > most):
        yield f"{place} has a length out of range"


def described(published: Published) -> dict[str, float]:
    """Return what the brief wants described, each with how far it is."""
    found = {
        f"route {method.upper()} {path}": float(bool(published.operation(method, path))) for method, path in ROUTES
    }
    row = published.request_schema(PREDICT)
    found["fields of a request"] = _share(published.fields(row), REQUEST_FIELDS)
    rows = published.resolve(published.request_schema(BATCH).get("properties", {})).get("rows")
    item = published.resolve(published.resolve(rows).get("items"))
    found["fields of a batch's rows"] = _share(published.fields(item), REQUEST_FIELDS)
    for path, names in ((PREDICT, FIELDS), (BATCH, BATCH_FIELDS)):
        answer = published.resolve(published.response_schema("post", path, 200) or {})
        found[f"fields of the answer of {path}"] = _share(published.fields(answer), names)
    return found


def _share(found: set[str], wanted: frozenset[str]) -> float:
    return len(found & wanted) / len(wanted)

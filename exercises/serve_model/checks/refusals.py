"""Requests that must be refused, each beside a twin that must not be: refusing everything earns nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench import MAIN, Bench
from calls import Names, answered, batch, how, object_of, post, predict, text

from grader.checker.http import Exchange, Request

ABSENT = object()


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way to be wrong.

    Attributes:
        name: What is wrong, in words.
        request: The request that must be refused.
        statuses: Statuses that are accepted.
        location: Field that the error must name; nothing where any place will do.
        index: Place in the batch that the error must name, or None.
    """

    name: str
    request: Request
    statuses: tuple[int, ...] = (422,)
    location: str = ""
    index: int | None = None

    def judge(self, exchange: Exchange) -> str:
        """Return what is not right about the answer; nothing when all is."""
        if exchange.error or exchange.status not in self.statuses:
            wanted = " or ".join(map(str, self.statuses))
            return f"{how(exchange)} instead of {wanted}"
        if not self.location and self.index is None:
            return ""
        found = locations(exchange)
        if any(_names(place, self.location, self.index) for place in found):
            return ""
        named = ", ".join(".".join(map(str, place)) for place in found[:3])[:200] or "no place"
        return f"refused, but the error names {named} instead of {self._place()}"

    def _place(self) -> str:
        return self.location if self.index is None else f"row {self.index}, {self.location}"


def locations(exchange: Exchange) -> list[list[Any]]:
    """Return the places that an error names."""
    detail = object_of(exchange).get("detail")
    places = [each.get("loc") for each in detail if isinstance(each, dict)] if isinstance(detail, list) else []
    return [place for place in places if isinstance(place, list)]


def _names(place: Sequence[Any], field: str, index: int | None) -> bool:
    if field not in place:
        return False
    before = place[: place.index(field)]
    return index is None or any(each == index and not isinstance(each, bool) for each in before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Refusals that were tried. `wrong` maps names to what was not right."""

    names: tuple[str, ...]
    wrong: Mapping[str, str]
    accepted: float

    @property
    def share(self) -> float:
        """Share of the names of which every case was refused, where the twin was accepted."""
        return (len(self.names) - len(self.wrong)) / len(self.names) * self.accepted

    @property
    def because(self) -> str:
        """Say it in one sentence."""
        told = f"{len(self.names) - len(self.wrong)} of {len(self.names)} kinds of wrong requests are refused as asked."
        if self.accepted < 1:
            told += (
                f" Credit is reduced, because only {self.accepted:.0%} of the right requests beside them are accepted."
            )
        return told


def try_all(bench: Bench, refusals: Sequence[Refusal], twins: Sequence[Request]) -> Judged:
    """Send refusals and twins in one load.

    Args:
        bench: The service.
        refusals: Several may have one name; all of them must then be refused.
        twins: Right requests.
    """
    requests = [each.request for each in refusals] + list(twins)
    exchanges = bench.send(requests, concurrency=4, stage=MAIN)
    wrong: dict[str, str] = {}
    for refusal, exchange in zip(refusals, exchanges, strict=False):
        found = refusal.judge(exchange)
        if found:
            wrong.setdefault(refusal.name, found)
    good = sum(answered(each) for each in exchanges[len(refusals) :])
    return Judged(
        names=tuple(dict.fromkeys(each.name for each in refusals)), wrong=wrong, accepted=good / max(len(twins), 1)
    )


class Spoiler:
    """Makes wrong requests of right rows.

    Args:
        rows: Right rows.
        names: Gives request ids.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]], names: Names) -> None:
        self._rows = rows
        self._names = names
        self._turn = 0

    def row(self, **changes: Any) -> dict[str, Any]:
        """Return the next row under an id of its own, with changes; ABSENT leaves a field out."""
        self._turn += 1
        row = {**self._rows[self._turn % len(self._rows)], "request_id": self._names.next(), **changes}
        return {name: value for name, value in row.items() if value is not ABSENT}

    def twin(self) -> Request:
        """Return a right request."""
        return predict(self.row())

    def single(self, name: str, location: str = "", **changes: Any) -> Refusal:
        """Spoil a prediction."""
        return Refusal(name, predict(self.row(**changes)), location=location)

    def written(self, name: str, field: str, literal: str) -> Refusal:
        """Spoil a prediction with a value written as it stands."""
        body = text(self.row(**{field: "@literal@"})).replace('"@literal@"', literal)
        return Refusal(name, predict(body))

    def in_batch(self, name: str, index: int, size: int, location: str = "", **changes: Any) -> Refusal:
        """Spoil one row of a batch."""
        rows = [self.row(**(changes if place == index else {})) for place in range(size)]
        return Refusal(name, batch(rows), location=location, index=index)

    def written_in_batch(self, name: str, field: str, literal: str) -> Refusal:
        """Spoil one row of a batch with a value written as it stands."""
        request = batch([self.row(), self.row(**{field: "@literal@"}), self.row()])
        body = request.body.replace(b'"@literal@"', literal.encode())
        return Refusal(name, post(request.path, body))

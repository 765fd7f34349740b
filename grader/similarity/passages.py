"""Where two documents say the same: passages as long as they can be, none over another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.similarity.documents import Document
from grader.similarity.winnowing import K

_MATCHES_CAP = 20_000

Prints = Mapping[int, Sequence[int]]
"""Fingerprint to the places where it is."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Passage:
    """Tokens that two documents share: how many, and where they begin in the one and in the other."""

    length: int
    first: int
    second: int


def shared_passages(one: Document, other: Document, prints: Prints, others: Prints) -> list[Passage]:
    """Return the passages of at least `K` tokens, the longest first.

    Each shared fingerprint is followed to both sides as far as tokens agree, so that what is shown does not depend on
    which fingerprints were chosen, and two hashes that happen to be equal are no passage. Of passages that overlap,
    the longer one is kept whole.
    """
    runs = sorted(_runs(one, other, prints, others), reverse=True)
    taken, taken_too = bytearray(len(one.codes)), bytearray(len(other.codes))
    found: list[Passage] = []
    for run in runs:
        for piece in _free(run, taken, taken_too):
            taken[piece.first : piece.first + piece.length] = b"\1" * piece.length
            taken_too[piece.second : piece.second + piece.length] = b"\1" * piece.length
            found.append(piece)
    return sorted(found, reverse=True)


def _runs(one: Document, other: Document, prints: Prints, others: Prints) -> Iterator[Passage]:
    matches = sorted((a, b) for value in prints.keys() & others.keys() for a in prints[value] for b in others[value])
    done: dict[int, int] = {}  # diagonal -> where the last run on it ended
    for a, b in matches[:_MATCHES_CAP]:
        if a < done.get(a - b, 0):
            continue
        start, end = _stretched(one, other, a, b)
        done[a - b] = end
        if end - start >= K:
            yield Passage(length=end - start, first=start, second=start - a + b)


def _stretched(one: Document, other: Document, a: int, b: int) -> tuple[int, int]:
    """How far tokens agree around two places; in places of the first document."""
    mine, theirs = one.codes, other.codes
    back = 0
    while back < min(a, b) and mine[a - back - 1] == theirs[b - back - 1]:
        back += 1
    ahead, most = 0, min(len(mine) - a, len(theirs) - b)
    while ahead < most and mine[a + ahead] == theirs[b + ahead]:
        ahead += 1
    return a - back, a + ahead


def _free(run: Passage, taken: bytearray, taken_too: bytearray) -> Iterator[Passage]:
    """The parts of a run that no longer one has, in either document."""
    start = 0
    for place in range(run.length + 1):
        if place < run.length and not taken[run.first + place] and not taken_too[run.second + place]:
            continue
        if place - start >= K:
            yield Passage(length=place - start, first=run.first + start, second=run.second + start)
        start = place + 1

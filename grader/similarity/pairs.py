"""All pairs of many submissions, by way of an index from fingerprints to who has them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TypeVar

from grader.similarity.documents import Document, Entry, documents_of
from grader.similarity.passages import Passage, shared_passages
from grader.similarity.sources import Reading
from grader.similarity.winnowing import winnow

THRESHOLD = 0.20
"""Share of the smaller submission's code from which a pair is listed."""

TOKENS_FROM = 100
"""Shared tokens from which a pair is listed; half a screen of code."""

FILES_OF_MANY = 10
"""Equal files that more submissions than this have are nobody's: a licence, a list of packages."""

Thing = TypeVar("Thing", int, str)

LOOKED_AT_CAP = 5000
"""Pairs that are compared token by token; those that share most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two submissions of different people.

    Attributes:
        first: Place of the one among the entries.
        second: Place of the other.
        shares: Share of the code of each, from 0 to 1, that is in shared passages.
        passages: The passages, the longest first.
        files: Paths of equal files that are no code, in the one and in the other.
        marks: Marks of kits that both carry.
    """

    first: int
    second: int
    shares: tuple[float, float]
    passages: tuple[Passage, ...]
    files: tuple[tuple[str, str], ...] = ()
    marks: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Of the smaller one: how much of it is in the other."""
        return max(self.shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Similar:
    """What was found.

    Attributes:
        entries: Who was compared.
        documents: Their documents, in the same order.
        pairs: Pairs worth a look, those with a mark in common and the most similar first; one for two people.
        holders: Fingerprint to the places, among the entries, of who has it.
        passed_over: Pairs with something in common that were too many to be compared token by token.
    """

    entries: Sequence[Entry]
    documents: Sequence[Document]
    pairs: Sequence[Pair]
    holders: Mapping[int, Sequence[int]]
    passed_over: int

    def people_with(self, pair: Pair, passage: Passage) -> int:
        """How many people have all of a passage, as far as fingerprints tell; at least the two."""
        hashes = self.documents[pair.first].hashes(passage.first, passage.length)
        # What a window inside the passage chooses, it chooses in whatever document the passage stands.
        chosen = {hashes[place] for place in winnow(hashes)}
        known = [set(self.holders.get(value, ())) for value in chosen]
        both = [holders for holders in known if {pair.first, pair.second} <= holders]
        return min((len({self.entries[each].person for each in holders}) for holders in both), default=2)


def find_similar(entries: Sequence[Entry], public: Reading, threshold: float = THRESHOLD) -> Similar:
    """Compare all with all.

    Args:
        entries: Submissions.
        public: What everybody was given; it does not count.
        threshold: Share of the smaller one from which a pair is listed.
    """
    documents = documents_of(entries, public)
    prints = [document.fingerprints() for document in documents]
    holders = _holders(prints)
    likely = _likely(entries, prints, holders, threshold)
    files = _in_both(entries, [set(entry.reading.data) - set(public.data) for entry in entries], FILES_OF_MANY)
    marks = _in_both(entries, [set(entry.reading.marks) for entry in entries], len(entries))
    found = []
    for first, second in dict.fromkeys((*likely[:LOOKED_AT_CAP], *files, *marks)):
        passages = shared_passages(documents[first], documents[second], prints[first], prints[second])
        tokens = sum(passage.length for passage in passages)
        pair = Pair(
            first=first,
            second=second,
            shares=(_part(tokens, documents[first].own), _part(tokens, documents[second].own)),
            passages=tuple(passages),
            files=_paths(entries[first].reading.data, entries[second].reading.data, files[first, second]),
            marks=tuple(sorted(marks[first, second])),
        )
        if pair.files or pair.marks or (pair.share >= threshold and tokens >= TOKENS_FROM):
            found.append(pair)
    return Similar(
        entries=entries,
        documents=documents,
        pairs=_one_for_two_people(entries, found),
        holders=holders,
        passed_over=max(0, len(likely) - LOOKED_AT_CAP),
    )


def _holders(things: Sequence[Iterable[Thing]]) -> dict[Thing, list[int]]:
    """Thing to who has it, by place."""
    holders: dict[Thing, list[int]] = defaultdict(list)
    for number, held in enumerate(things):
        for thing in held:
            holders[thing].append(number)
    return holders


def _likely(
    entries: Sequence[Entry],
    prints: Sequence[Mapping[int, object]],
    holders: Mapping[int, Sequence[int]],
    threshold: float,
) -> list[tuple[int, int]]:
    """Pairs that share enough fingerprints for a closer look, those with most first.

    Fingerprints are about evenly spread over a document, so their share is near the share of tokens; half of the
    threshold leaves room for chance.
    """
    shared: Counter[tuple[int, int]] = Counter()
    for numbers in holders.values():
        shared.update(combinations(numbers, 2))
    rated = [
        (_part(count, min(len(prints[first]), len(prints[second]))), (first, second))
        for (first, second), count in shared.items()
        if entries[first].person != entries[second].person
    ]
    return [pair for rate, pair in sorted(rated, key=lambda each: (-each[0], each[1])) if rate >= threshold / 2]


def _in_both(entries: Sequence[Entry], held: Sequence[Iterable[str]], limit: int) -> dict[tuple[int, int], list[str]]:
    """Pairs of different people to what both hold, where no more than this many hold it."""
    found: dict[tuple[int, int], list[str]] = defaultdict(list)
    for thing, numbers in _holders(held).items():
        for first, second in combinations(numbers if len(numbers) <= limit else (), 2):
            if entries[first].person != entries[second].person:
                found[first, second].append(thing)
    return found


def _paths(one: Mapping[str, str], other: Mapping[str, str], digests: Iterable[str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((one[digest], other[digest]) for digest in digests))


def _part(count: int, whole: int) -> float:
    return min(1.0, count / whole) if whole else 0.0


def _one_for_two_people(entries: Sequence[Entry], pairs: Iterable[Pair]) -> list[Pair]:
    best: dict[frozenset[str], Pair] = {}
    for pair in sorted(pairs, key=lambda each: (not each.marks, -each.share, each.first, each.second)):
        best.setdefault(frozenset((entries[pair.first].person, entries[pair.second].person)), pair)
    return list(best.values())

"""Groups of people whose code largely agrees: a hundred near copies are five thousand pairs, and one group."""

from __future__ import annotations

from collections import defaultdict

from grader.similarity.pairs import Similar

LARGELY = 0.6
"""Share of the smaller one's code from which two people are in one group."""

_AT_LEAST = 3


def groups_of(similar: Similar) -> list[tuple[str, ...]]:
    """Names of the people of each group of three or more, the largest group first.

    Whoever agrees largely with one member belongs to a group; not all of its members need to agree with each other.
    """
    leader: dict[str, str] = {}

    def find(person: str) -> str:
        while leader.setdefault(person, person) != person:
            leader[person] = leader[leader[person]]
            person = leader[person]
        return person

    for pair in similar.pairs:
        if pair.share >= LARGELY and pair.passages:
            leader[find(similar.entries[pair.second].person)] = find(similar.entries[pair.first].person)
    names: dict[str, set[str]] = defaultdict(set)
    for entry in similar.entries:
        if entry.person in leader:
            names[find(entry.person)].add(entry.name)
    groups = [tuple(sorted(each)) for each in names.values() if len(each) >= _AT_LEAST]
    return sorted(groups, key=lambda each: (-len(each), each))

"""What people see of similar submissions: pairs, the passages beside each other, facts, and what was left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.similarity.documents import Document
from grader.similarity.groups import LARGELY, groups_of
from grader.similarity.pairs import Pair, Similar
from grader.similarity.passages import Passage

PAIRS_SHOWN, PASSAGES_SHOWN, LINES_SHOWN, LEFT_OUT_SHOWN = 60, 8, 40, 200
WIDTH = 160
_FILES_SHOWN, _NAMES_SHOWN = 5, 30
_UNKNOWN = "of somebody who is not known here"

WORDS = (
    "This changes no score. It is for a person who reads the passages, and then asks.",
    "It shows passages of code that agree when names, numbers, texts, comments and layout do not count. What "
    "everybody was given does not count either: the template, and code that comes with the data.",
    "It does not show who had it from whom, or that anybody copied. Two submissions can agree because one person "
    "handed in under two names; because both used the same tutorial, the same library's example or an answer of the "
    "same AI assistant, which the rules allow; because the brief prescribes it; or because it is the obvious way.",
    "A token is a word or a sign of code; a line has about ten.",
    "A passage that many people have says little about two of them. Long passages, odd ones, and the same mistakes say "
    "more than a percentage does.",
    "Who is not listed here is not cleared: code that was rewritten is not found.",
)
MARK_WORDS = (
    "A kit that was made for somebody carries a mark of its own. The mark of somebody else's kit tells that a file "
    "came from that kit, and not how: it may have been passed on, borrowed or taken. Without a mark nothing is shown, "
    "as anybody can delete it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A passage in one submission: file, first and last line (from 1), the lines as shown, how many more there are."""

    path: str
    first: int
    last: int
    lines: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPassage:
    """A shared passage: its tokens, how many people have all of it, and both sides."""

    tokens: int
    people: int
    sides: tuple[Side, Side]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPair:
    """A pair.

    Attributes:
        names: Of both people.
        labels: What their submissions were called.
        percents: How much of each one's code is shared.
        tokens: How much that is.
        facts: Sentences on equal files and marks.
        passages: The longest ones.
        more: How many passages there are besides.
    """

    names: tuple[str, str]
    labels: tuple[str, str]
    percents: tuple[float, float]
    tokens: int
    facts: tuple[str, ...]
    passages: tuple[ShownPassage, ...]
    more: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole report.

    Attributes:
        title: What was compared.
        people: How many people were compared.
        submissions: How many submissions of theirs.
        pairs: Pairs, the most similar first.
        more: How many pairs are not shown.
        groups: A sentence for each group of three or more people whose code largely agrees.
        marks: A sentence for each submission that carries the mark of somebody else's kit, and for each mark of
            somebody unknown that several people carry.
        left_out: Name, path and reason of what was not compared.
        notes: What else must be said.
    """

    title: str
    people: int
    submissions: int
    pairs: tuple[ShownPair, ...]
    more: int
    groups: tuple[str, ...]
    marks: tuple[str, ...]
    left_out: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]


def make_report(similar: Similar, title: str, kits: Mapping[str, str], notes: Sequence[str]) -> Report:
    """Put together what is shown.

    Args:
        similar: What was found.
        title: What was compared.
        kits: Name of a person to the mark of their kit, of everybody who is known.
        notes: Facts to add.
    """
    entries = similar.entries
    owners = {mark: name for name, mark in kits.items()}
    left_out = [(entry.name, each.path, each.why) for entry in entries for each in entry.reading.left_out]
    left_out += [
        (entry.name, "", "more code than is compared of one submission; the rest of it was")
        for entry, document in zip(entries, similar.documents, strict=True)
        if document.cut
    ]
    told = list(notes)
    if similar.passed_over:
        told.append(f"{similar.passed_over} more pairs have something in common and were not compared closely.")
    if len(left_out) > LEFT_OUT_SHOWN:
        told.append(f"{len(left_out) - LEFT_OUT_SHOWN} more files were not compared.")
    return Report(
        title=title,
        people=len({entry.person for entry in entries}),
        submissions=len(entries),
        pairs=tuple(_shown(similar, pair, owners) for pair in similar.pairs[:PAIRS_SHOWN]),
        more=max(0, len(similar.pairs) - PAIRS_SHOWN),
        groups=tuple(map(_group, groups_of(similar))),
        marks=tuple((*_known_marks(similar, kits, owners), *_unknown_marks(similar, owners))),
        left_out=tuple(left_out[:LEFT_OUT_SHOWN]),
        notes=tuple(told),
    )


def _group(names: Sequence[str]) -> str:
    listed = ", ".join(names[:_NAMES_SHOWN])
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"{len(names)} people, each of whom shares {LARGELY:.0%} or more with another of them: {listed}{more}."


def _known_marks(similar: Similar, kits: Mapping[str, str], owners: Mapping[str, str]) -> Iterator[str]:
    """Whose submission carries the mark of somebody else."""
    for entry in similar.entries:
        for mark, path in sorted(entry.reading.marks.items(), key=lambda each: each[1]):
            if mark in owners and mark != kits.get(entry.name):
                yield f"The submission of {entry.name} carries the mark of the kit of {owners[mark]}, in {path}."


def _unknown_marks(similar: Similar, owners: Mapping[str, str]) -> Iterator[str]:
    """Who carry one mark, of somebody whose name is not known."""
    carrying: dict[str, dict[str, str]] = {}
    for entry in similar.entries:
        for mark in entry.reading.marks.keys() - owners.keys():
            carrying.setdefault(mark, {})[entry.person] = entry.name
    for _, people in sorted(carrying.items()):
        if len(people) > 1:
            yield f"One mark, {_UNKNOWN}, is in the submissions of {', '.join(sorted(people.values()))}."


def _shown(similar: Similar, pair: Pair, owners: Mapping[str, str]) -> ShownPair:
    one, other = similar.entries[pair.first], similar.entries[pair.second]
    facts = [f"Equal files: {mine}" + (f" and {theirs}" if mine != theirs else "") for mine, theirs in pair.files]
    if len(facts) > _FILES_SHOWN:
        facts = [*facts[:_FILES_SHOWN], f"and {len(facts) - _FILES_SHOWN} more equal files"]
    facts += [f"Both carry the mark of one kit, {_whose(mark, owners)}." for mark in pair.marks]
    return ShownPair(
        names=(one.name, other.name),
        labels=(one.label, other.label),
        percents=(100 * pair.shares[0], 100 * pair.shares[1]),
        tokens=sum(passage.length for passage in pair.passages),
        facts=tuple(facts),
        passages=tuple(_passage(similar, pair, passage) for passage in pair.passages[:PASSAGES_SHOWN]),
        more=max(0, len(pair.passages) - PASSAGES_SHOWN),
    )


def _whose(mark: str, owners: Mapping[str, str]) -> str:
    return f"that of {owners[mark]}" if mark in owners else _UNKNOWN


def _passage(similar: Similar, pair: Pair, passage: Passage) -> ShownPassage:
    documents = similar.documents[pair.first], similar.documents[pair.second]
    return ShownPassage(
        tokens=passage.length,
        people=similar.people_with(pair, passage),
        sides=(
            _side(documents[0], passage.first, passage.length),
            _side(documents[1], passage.second, passage.length),
        ),
    )


def _side(document: Document, start: int, length: int) -> Side:
    source, first, last = document.lines(start, length)
    lines = source.text.split("\n")[first - 1 : last]
    return Side(
        path=source.path,
        first=first,
        last=last,
        lines=tuple(_cut(line.expandtabs(4)) for line in lines[:LINES_SHOWN]),
        more=max(0, len(lines) - LINES_SHOWN),
    )


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"

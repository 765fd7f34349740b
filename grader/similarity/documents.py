"""A submission as one row of tokens, made ready to be compared."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from grader.similarity.lexing import Tokens, python_tokens, sql_tokens
from grader.similarity.sources import Reading, Source
from grader.similarity.winnowing import K, kgram_hashes, winnow

TOKENS_CAP = 100_000
"""Tokens of one submission that are compared."""

POSITIONS_CAP = 4
"""Places of one fingerprint in one submission that are followed up; code that repeats itself has thousands."""

_FIRST_BREAK = 1 << 40  # codes of tokens have 32 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A submission to compare.

    Attributes:
        person: Whose it is; submissions of one person are not compared with each other.
        name: The person's, as shown.
        label: What the submission was called.
        reading: What was read of it.
    """

    person: str
    name: str
    label: str
    reading: Reading


class Document:
    """The tokens of all files of a submission in one row.

    Tokens that are not to be compared (what everybody was given, ends of files) are breaks: each has a code that no
    other token has, in this document or another, so that no passage ever holds one.

    Args:
        reading: What was read of the submission.
        number: Different for each document that is compared, from 0 on.
    """

    def __init__(self, reading: Reading, number: int) -> None:
        """Cut all files into tokens."""
        self.sources = reading.sources
        self.codes = array("q")
        self._starts, self._ends, self._firsts = array("q"), array("q"), []
        self._first_break = _FIRST_BREAK * (number + 1)
        self._breaks = 0
        self.cut = False
        for source in reading.sources:
            tokens = _tokens(source)
            room = max(0, TOKENS_CAP - self.own)
            self.cut = self.cut or len(tokens.codes) > room
            self._firsts.append(len(self.codes))
            self.codes += tokens.codes[:room]
            self._starts += tokens.starts[:room]
            self._ends += tokens.ends[:room]
            self.codes.append(self._next_break())
            self._starts.append(len(source.text))
            self._ends.append(len(source.text))

    def _next_break(self) -> int:
        self._breaks += 1
        return self._first_break + self._breaks

    @property
    def own(self) -> int:
        """How many tokens there are to compare."""
        return len(self.codes) - self._breaks

    def hashes(self, start: int = 0, length: int | None = None) -> list[int]:
        """The hash of every k-gram, of all tokens or of a passage."""
        return kgram_hashes(self.codes[start : None if length is None else start + length])

    def leave_out(self, known: Collection[int]) -> None:
        """Turn the tokens of every k-gram with one of these hashes into breaks."""
        places = [place for place, value in enumerate(self.hashes()) if value in known] if known else []
        for each in sorted({place + step for place in places for step in range(K)}):
            if self.codes[each] < _FIRST_BREAK:
                self.codes[each] = self._next_break()

    def fingerprints(self) -> dict[int, list[int]]:
        """Chosen hash to the places where it is, the first few of them."""
        hashes = self.hashes()
        found: dict[int, list[int]] = {}
        for place in winnow(hashes):
            if all(code < _FIRST_BREAK for code in self.codes[place : place + K]):
                places = found.setdefault(hashes[place], [])
                if len(places) < POSITIONS_CAP:
                    places.append(place)
        return found

    def lines(self, start: int, length: int) -> tuple[Source, int, int]:
        """Where a passage of this document is: source, first line and last line, counted from one."""
        source = bisect_right(self._firsts, start) - 1
        text = self.sources[source].text
        first = text.count("\n", 0, self._starts[start])
        last = text.count("\n", 0, max(0, self._ends[start + length - 1] - 1))
        return self.sources[source], first + 1, last + 1


def _tokens(source: Source) -> Tokens:
    return (sql_tokens if source.language == "sql" else python_tokens)(source.text)


def given_hashes(public: Reading) -> frozenset[int]:
    """Hashes of every k-gram of what everybody was given."""
    return frozenset(value for source in public.sources for value in kgram_hashes(_tokens(source).codes))


def documents_of(entries: Sequence[Entry], public: Reading) -> list[Document]:
    """Make documents of submissions, without what everybody was given."""
    given = given_hashes(public)
    found = [Document(entry.reading, number) for number, entry in enumerate(entries)]
    for document in found:
        document.leave_out(given)
    return found

"""Source text as a row of tokens in which names, literals, comments and layout no longer count.

The text is a stranger's. So one regular expression reads it, in which nothing can match in two ways (its repetitions
are possessive): time grows with the text and no more, nothing is ever raised, and what is no Python gives tokens too.
"""

from __future__ import annotations

import keyword
import re
from array import array
from dataclasses import dataclass, field
from zlib import crc32

_PYTHON = re.compile(
    r"""
    (?P<newline>\n)
  | (?P<space>[ \t\f\r]++|\\\r?\n)
  | (?P<comment>\#[^\n]*+)
  | (?P<string>(?:[rbuft]{1,2}+(?=["']))?+(?:
        \"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3})?+
      | '{3}(?:[^'\\]|\\.|'(?!''))*+(?:'{3})?+
      | "(?:[^"\\\n]|\\.)*+"?+
      | '(?:[^'\\\n]|\\.)*+'?+ ))
  | (?P<number>\d[\w.]*+)
  | (?P<name>[^\W\d]\w*+)
  | (?P<sign>\*\*=?+|//=?+|>>=?+|<<=?+|[-+*/%@&|^=<>!:]=|->|.)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_SQL = re.compile(
    r"""
    (?P<newline>\n)
  | (?P<space>[ \t\f\r]++)
  | (?P<comment>--[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/)?+)
  | (?P<string>'(?:[^']|'')*+'?+)
  | (?P<number>\d[\w.]*+)
  | (?P<name>[^\W\d]\w*+|"[^"]*+"?+)
  | (?P<sign>[<>!|:]=?+[=|:>]?+|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_BEGINS_SQL = re.compile(r"\W*+(?:select|with|insert|create|update|delete|copy|merge)\b", re.IGNORECASE)
_SQL_WORDS = frozenset(
    re.findall(
        r"\w+",
        """all and any array as asc begin between by case cast coalesce copy count create cross current date delete desc
    distinct else end except exclude exists extract false filter following from full group having if ilike in index
    inner insert intersect interval into is join lateral left like limit max merge min not null nullif nulls offset on
    or order outer over partition preceding primary qualify range recursive references regexp_matches regexp_replace
    replace right row rows row_number select set struct substr sum table temp then timestamp to trim true try_cast
    union unique unnest update using values view when where window with""",
    )
)
_PYTHON_WORDS = frozenset((*keyword.kwlist, "match", "case"))
_OPEN, _SHUT = frozenset("([{"), frozenset(")]}")
_QUOTES = "rbuftRBUFT\"'"


def _code(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


NAME, LITERAL = _code("a name"), _code("a literal")
_BETWEEN = (_code(","), _code(":"))


@dataclass(slots=True, kw_only=True)
class Tokens:
    """A row of tokens.

    Attributes:
        codes: What each is, as 32 bits; all names are equal, and so are all literals.
        starts: Where each begins in the text, in characters.
        ends: Where each ends.
    """

    codes: array[int] = field(default_factory=lambda: array("q"))
    starts: array[int] = field(default_factory=lambda: array("q"))
    ends: array[int] = field(default_factory=lambda: array("q"))

    def add(self, code: int, start: int, end: int) -> None:
        """Append a token; literals in a row, as in a table of constants, become one."""
        if code == LITERAL and self.codes:
            last = self.codes[-1]
            if last in _BETWEEN and len(self.codes) > 1 and self.codes[-2] == LITERAL:
                for each in (self.codes, self.starts, self.ends):
                    each.pop()
                last = LITERAL
            if last == LITERAL:
                self.ends[-1] = end
                return
        self.codes.append(code)
        self.starts.append(start)
        self.ends.append(end)


def python_tokens(text: str) -> Tokens:
    """Cut Python, or what poses as it, into tokens.

    Dropped are comments, layout, imports, semicolons, and strings that are statements of their own, as docstrings
    are. SQL in a string of several lines is read as SQL.
    """
    found = Tokens()
    depth, fresh, importing = 0, True, False
    for match in _PYTHON.finditer(text):
        kind, word = match.lastgroup, match[0]
        if kind == "newline" and depth == 0:
            fresh, importing = True, False
        if kind in ("newline", "space", "comment"):
            continue
        docstring = fresh and kind == "string" and depth == 0
        importing = importing or (fresh and depth == 0 and word in ("import", "from"))
        fresh = False
        depth = max(0, depth + (word in _OPEN) - (word in _SHUT))
        if importing or docstring or word == ";":
            continue
        if kind == "string" and "\n" in word and _BEGINS_SQL.match(word.lstrip(_QUOTES)):
            head = len(word) - len(word.lstrip(_QUOTES))
            _read_sql(word[head:].rstrip("\"'"), match.start() + head, found)
        else:
            found.add(_normal(kind, word, _PYTHON_WORDS), match.start(), match.end())
    return found


def sql_tokens(text: str) -> Tokens:
    """Cut SQL into tokens; comments and layout are dropped, and capitals do not count."""
    found = Tokens()
    _read_sql(text, 0, found)
    return found


def _read_sql(text: str, offset: int, found: Tokens) -> None:
    for match in _SQL.finditer(text):
        kind, word = match.lastgroup, match[0].lower()
        if kind not in ("newline", "space", "comment"):
            found.add(_normal(kind, word, _SQL_WORDS), offset + match.start(), offset + match.end())


def _normal(kind: str | None, word: str, kept: frozenset[str]) -> int:
    if kind == "name":
        return _code(word) if word in kept else NAME
    return LITERAL if kind in ("string", "number") else _code(word)

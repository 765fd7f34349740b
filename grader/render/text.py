"""Text that strangers wrote, made safe to look at.

Every renderer sends every string of a sheet through `visible`, the terminal included. It
deals with what misleads a reader (reordered, hidden or overwritten characters) and with
size; escaping for HTML, Markdown or CSV is each renderer's own next step.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

CAP = 2048
ELLIPSIS = "…"

# Control, format (bidi, zero-width, tags), surrogate, private, unassigned; line and paragraph separators.
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters, marks and signs by category that nevertheless leave no ink; selectors of forms, by which text can be hidden.
_INVISIBLE_CHARACTERS = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\U00016fe4\U0001d159"
    + "".join(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
_EMOJI_FORMS = "\ufe0e\ufe0f"
_MARKS = frozenset({"Mn", "Me"})
MARKS_CAP = 4
"""Accents and the like on one letter. No language has more; hundreds of them cover the lines above and below."""

LINES_CAP = 60
"""Line breaks of one text; and none of more than one empty line, which would push what follows out of sight."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}


def visible(text: str, cap: int = CAP, *, lines: bool = False) -> str:
    """Return `text` in NFC with everything invisible written out as its code point.

    Args:
        text: Anything, lone surrogates and megabytes included.
        cap: Characters that the answer may have at most; what was cut is shown by an ellipsis.
        lines: Keep line breaks and tabs, for places that can show several lines.
    """
    if len(text) <= cap and text.isascii() and text.isprintable():
        return text  # as nearly all is
    # Cut before NFC: normalising a long run of combining marks takes quadratic time.
    head = unicodedata.normalize("NFC", text[: cap + 1])
    if lines:
        head = head.replace("\r\n", "\n")
    shown: list[str] = []
    room = cap
    for piece in _pieces(head, lines):
        if len(piece) > room:
            return _cut(shown, cap)
        shown.append(piece)
        room -= len(piece)
    return "".join(shown) if len(text) <= cap else _cut(shown, cap)


def written_out(text: str) -> str:
    """Return `text` as it is, line breaks and tabs too, but for what is invisible; that is written as its code point.

    For what must stay what it is, such as a path that somebody copies: nothing is composed and nothing is cut.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_piece(character, lines=True) for character in text)


def _cut(shown: list[str], cap: int) -> str:
    size = sum(map(len, shown))
    while shown and size > cap - len(ELLIPSIS):
        size -= len(shown.pop())
    return "".join(shown) + ELLIPSIS


def _pieces(text: str, lines: bool) -> Iterator[str]:
    """Yield what is shown for each character; what takes more room than its place has is written out, too."""
    before, marks, breaks, empty = "", 0, 0, 0
    for character in text:
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in _MARKS else 0
        breaks += character == "\n"
        empty = empty + 1 if character == "\n" else empty if character.isspace() else 0
        if character in _EMOJI_FORMS and before and unicodedata.category(before)[0] == "S":
            continue  # the sign itself says as much
        piece = _piece(character, lines)
        heap = marks > MARKS_CAP or (marks and not _carries(before))
        gap = kind == "Zs" and _is_odd_gap(before, character)
        tower = character == "\n" and (breaks > LINES_CAP or empty > 2)
        if heap or gap or tower:
            piece = escape(character)
        yield piece
        before = character if piece == character else ""


def _carries(before: str) -> bool:
    """Whether a mark has something of its own text to stand on; else it would stand on ours."""
    return bool(before) and not before.isspace()


def _is_odd_gap(before: str, character: str) -> bool:
    """A row of blanks that no page makes one of; by it, words could stand where ours do."""
    return character != " " and (not before or before.isspace())


def _piece(character: str, lines: bool) -> str:
    if character.isascii() and character.isprintable():
        return character
    if lines and character in "\n\t":
        return character
    return escape(character) if is_invisible(character) else character


def is_invisible(character: str) -> bool:
    """Return whether a reader would not see this character, or would see it do something."""
    return unicodedata.category(character) in _INVISIBLE_CATEGORIES or character in _INVISIBLE_CHARACTERS


def escape(character: str) -> str:
    """Write one character as its code point, the way Python and JSON do."""
    code = ord(character)
    return _SHORT.get(character) or (f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")

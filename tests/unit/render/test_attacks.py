"""Text of strangers through every renderer (SECURITY.md 117-125): it stays text.

One idea carries most of these tests: whatever the text is, the output has the same structure
as with a harmless word in its place.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from grader.model.base import Frozen
from grader.model.sheet import Audience, ScoreSheet
from grader.render.formats import FORMATS
from grader.render.terminal import sheet_view, summary_row, summary_table
from grader.render.text import is_invisible, visible
from grader.scoring.audience import for_audience
from tests.dom import Page
from tests.factories import make_check_line, make_faulted_sheet, make_rejected_sheet, make_sheet

SCRIPTS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</title></style></textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    '<a href="http://evil.example/">x</a>',
    "<iframe src=//evil.example>",
    '" onmouseover="alert(1)',
    "<!-- x",
    "--> ]]> ?>",
    "&lt;script&gt;&#60;b&#62;",
    '"; } @import url(//evil.example/x.css); body { display: none } /*',
    "\\22 ; } * { display: none }",
    "<details open ontoggle=alert(1)>",
)
MARKDOWN = (
    "[x](javascript:alert(1))",
    "![x](http://evil.example/beacon.png)",
    "<http://evil.example>",
    "http://evil.example/x",
    "www.evil.example",
    "| a | b |",
    "``` x",
    "`` ` x",
    "# heading",
    "- item",
    "+ item",
    "12. item",
    "3) item",
    "> quoted",
    "---",
    "===",
    "~~~",
    "***bold***",
    "[x]: http://evil.example",
    "\\[x](http://evil.example)",
    "$x^2$",
    "    indented",
    "a\n\n# heading\n\n| b |\n|---|",
)
FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\0=1+1",
    "  =1+1",
    "x;=1+1",
    'x","=1+1',
    "x|=cmd",
    "'=1+1",
    "\uff1d1+1",
    "\u00a0\ufe66x",
    "x\t\u22122+3",
    "\u207b1",
)
TERMINAL = (
    "\x1b[31mred",
    "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;aGVsbG8=\x07",
    "\x1b]0;title\x07",
    "\x9b31mred",
    "good\x08\x08\x08\x08evil",
    "good\revil",
    "abc\u202efdp.exe",
    "\u2066x\u2069\u200b\ufeff",
    "[red]x[/red]",
    "[link=http://evil.example]x[/link]",
    ":skull:",
    "done\nERROR forged line",
)
TEMPLATES = ("{{7*7}}", "{% raw %}", "{# x", "%s %(x)s %n", "{0.__class__}", "{}", "${7*7}", "<%= 7*7 %>")
ODD = ("a\ud800b", "\0", "\ufffe\uffff", "\u2028", "e" + "\u0301" * 500, "A" * 5_000, "\U000e0041")
PAYLOADS = SCRIPTS + MARKDOWN + FORMULAS + TERMINAL + TEMPLATES + ODD
HARMLESS = "word"


def fill(value: Any, text: str) -> Any:
    """Put `text` into every free string, past all validation."""
    if isinstance(value, Frozen):
        free = type(value).model_fields.keys() - {"run", "algorithm", "schema_version"}
        return value.model_copy(update={name: fill(getattr(value, name), text) for name in free})
    if isinstance(value, tuple):
        return tuple(fill(each, text) for each in value)
    if isinstance(value, dict):
        return dict.fromkeys([text], fill(next(iter(value.values())), text)) if value else {}
    return text if type(value) is str else value


@cache
def originals() -> dict[str, ScoreSheet]:
    checks = (make_check_line(), make_check_line(id="C1", group="C"))
    return {
        "graded": make_sheet(checks=checks),
        "rejected": make_rejected_sheet(),
        "faulted": make_faulted_sheet(checks=(*checks, make_check_line(id="D1", earned=None, outcome=None))),
    }


SHOWN = (
    ("graded", Audience.AUTHOR),
    ("graded", Audience.CANDIDATE),
    ("rejected", Audience.RECRUITER),
    ("faulted", Audience.AUTHOR),
    ("faulted", Audience.CANDIDATE),
)


@lru_cache(maxsize=4)
def sheets(text: str) -> tuple[ScoreSheet, ...]:
    return tuple(fill(for_audience(originals()[name], audience), text) for name, audience in SHOWN)


def rendered(name: str, text: str) -> list[str]:
    wanted = (sheet for sheet in sheets(text) if name != "gradescope" or sheet.audience is Audience.CANDIDATE)
    return [FORMATS[name].render(sheet) for sheet in wanted]


def html_structure(text: str) -> object:
    page = Page(text)
    harmless = {("meta", "content"), ("div", "aria-label"), ("article", "id"), ("td", "class"), ("a", "href")}
    return page.tags, [each if each[:2] not in harmless else each[:2] for each in page.attributes if each[1] != "class"]


def markdown_structure(text: str) -> object:
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    inline = [child.type for token in tokens for child in token.children or ()]
    return [token.type for token in tokens], [kind for kind in inline if kind not in {"text", "text_special"}]


def xml_structure(text: str) -> object:
    return [(element.tag, sorted(element.attrib)) for element in fromstring(text.encode()).iter()]


def csv_structure(text: str) -> object:
    return [len(row) for row in csv.reader(io.StringIO(text))]


def json_structure(text: str) -> object:
    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return [shape(each) for each in value.values()]
        return [shape(each) for each in value] if isinstance(value, list) else type(value).__name__

    return shape(json.loads(text))


STRUCTURES: dict[str, Callable[[str], object]] = {
    "json": json_structure,
    "html": html_structure,
    "md": markdown_structure,
    "csv": csv_structure,
    "junit": xml_structure,
    "gradescope": json_structure,
}


# Line ends, and tabs where a text may have several lines.
LAYOUT = {"csv": "\r\n", "html": "\n\t", "junit": "\n\t"}


@cache
def harmless_structures(name: str) -> list[object]:
    return [STRUCTURES[name](text) for text in rendered(name, HARMLESS)]


def test_every_format_is_attacked() -> None:
    assert STRUCTURES.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", STRUCTURES)
@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda text: ascii(text[:30]))
def test_no_text_changes_the_structure_or_hides_in_it(name: str, payload: str) -> None:
    texts = rendered(name, payload)
    assert [STRUCTURES[name](text) for text in texts] == harmless_structures(name)
    for text in texts:
        text.encode("utf-8")
        assert [each for each in set(text) if is_invisible(each) and each not in LAYOUT.get(name, "\n")] == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from([*"<>\"'&`|[]()!#*_{}%=+-@;:,.\\\n\t\r $~^/", "http://x", "x", "1. "]), min_size=1)
    .map("".join)
    .filter(str.strip)
)
def test_no_mixture_of_signs_changes_the_structure_either(text: str) -> None:
    for name in STRUCTURES:
        assert [STRUCTURES[name](each) for each in rendered(name, text)] == harmless_structures(name)


@pytest.mark.parametrize("payload", SCRIPTS + MARKDOWN, ids=lambda text: ascii(text[:30]))
def test_a_page_holds_no_script_no_handler_and_no_address(payload: str) -> None:
    for text in rendered("html", payload):
        page = Page(text)
        assert not {"script", "iframe", "img", "object", "link", "base", "form"} & set(page.tags)
        assert not [name for _, name, _ in page.attributes if name.startswith("on") or name in {"src", "style"}]
        assert all(value.startswith("#") for value in page.values("href"))
        assert page.tags.count("style") == 1
        assert not re.search(r"//|url\(|@import", page.style)


@pytest.mark.parametrize("payload", TEMPLATES, ids=ascii)
def test_template_text_stays_literal(payload: str) -> None:
    for text in rendered("html", payload):
        assert Page(text).text.count(payload) > 10
        assert "49" not in Page(text).text.replace("[49]", "")


@pytest.mark.parametrize("payload", SCRIPTS + MARKDOWN + TEMPLATES, ids=lambda text: ascii(text[:30]))
def test_markdown_readers_see_the_characters_that_were_there(payload: str) -> None:
    for text in rendered("md", payload):
        tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
        heading = tokens[1].children or []
        shown = "".join(token.content for token in heading)
        assert shown.startswith(visible(payload).strip())
        assert "href" not in {key for token in heading for key in token.attrs}
        assert not re.search(r"https?://|www\.", text)


@pytest.mark.parametrize("payload", FORMULAS, ids=ascii)
def test_no_cell_is_a_formula(payload: str) -> None:
    for text in rendered("csv", payload):
        for cells in csv.reader(io.StringIO(text)):
            assert not [cell for cell in cells if re.match(r"\s*[=+\-@\u2212]", unicodedata.normalize("NFKC", cell))]
            assert not [cell for cell in cells if re.search(r"[;,|\"]\s*[=+\-@]", cell)]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda text: ascii(text[:30]))
def test_a_terminal_gets_colours_and_nothing_else(payload: str) -> None:
    for colours in (True, False):
        console = Console(file=io.StringIO(), force_terminal=colours, width=100, color_system="standard")
        console.print(
            *(sheet_view(sheet) for sheet in sheets(payload)), summary_table(map(summary_row, sheets(payload)))
        )
        plain = re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())  # type: ignore[attr-defined]
        assert [each for each in set(plain) if is_invisible(each) and each != "\n"] == []


@pytest.mark.parametrize("payload", ["[red]x[/red]", ":skull:", "{{7*7}}", "\x1b[31mred"])
def test_a_terminal_shows_markup_as_it_was_written(payload: str) -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(sheet_view(sheets(payload)[0]))
    assert visible(payload) in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(STRUCTURES.keys() - {"json"}))
def test_ten_megabytes_of_text_make_no_large_file(name: str) -> None:
    assert max(map(len, rendered(name, "A" * 10_000_000))) < 500_000

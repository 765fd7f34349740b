"""Pictures come from a box that is not trusted; only plain drawings get through."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import rc_context
from matplotlib.axes import Axes

from grader.render.svg import clean_svg
from tests.factories import SMALL_SVG
from tests.sample_plots import svg_of

NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def picture(inside: str, attributes: str = "") -> str:
    return f'<svg {NAMESPACES} viewBox="0 0 10 10" {attributes}>{inside}</svg>'


PATH = '<path id="a" d="M 0 0 L 9 9"/>'
BOMB = "".join(f'<g id="g{n}">' + f'<use xlink:href="#{f"g{n - 1}" if n else "a"}"/>' * 10 + "</g>" for n in range(10))

HOSTILE = {
    "script": picture("<script>alert(1)</script>"),
    "script elsewhere": picture('<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>'),
    "foreignObject": picture('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>'),
    "handler": picture(PATH, 'onload="alert(1)"'),
    "handler inside": picture('<path d="M 0 0" onclick="alert(1)"/>'),
    "link": picture('<a xlink:href="javascript:alert(1)"><path d="M 0 0"/></a>'),
    "use of another page": picture('<use xlink:href="http://evil.example/x.svg#a"/>'),
    "use of data": picture('<use href="data:image/svg+xml;base64,PHN2Zz4="/>'),
    "image": picture('<image href="http://evil.example/x.png"/>'),
    "embedded image": picture('<image href="data:image/png;base64,AAAA"/>'),
    "paint from elsewhere": picture('<path d="M 0 0" fill="url(http://evil.example/#a)"/>'),
    "style from elsewhere": picture('<path d="M 0 0" style="fill: url(//evil.example/#a)"/>'),
    "style property": picture('<path d="M 0 0" style="background: red"/>'),
    "style expression": picture('<path d="M 0 0" style="fill: expression(alert(1))"/>'),
    "style escape": picture('<path d="M 0 0" style="fill: \\75rl(http://evil.example)"/>'),
    "style sheet": picture("<style>@import url(http://evil.example/x.css)</style>"),
    "style sheet after ours": picture(
        "<style>*{stroke-linejoin: round; stroke-linecap: butt} body{display:none}</style>"
    ),
    "style sets a name": picture('<path d="M 0 0" style="id: a"/>'),
    "style sets a link": picture('<path id="a" d="M 0 0"/><use style="href: #a"/>'),
    "animation": picture('<path d="M 0 0"><animate attributeName="d" to="x"/></path>'),
    "set": picture('<set attributeName="href" to="javascript:alert(1)"/>'),
    "filter": picture('<path d="M 0 0" filter="url(#f)"/>'),
    "entity": '<!DOCTYPE svg [<!ENTITY x "y">]>' + picture("<text>&x;</text>"),
    "outside entity": '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + picture("<text>&x;</text>"),
    "laughs": '<!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + picture("<text>&b;</text>"),
    "groups using groups": picture(PATH + BOMB),
    "path and group of one name": picture(f'<g id="a"><use xlink:href="#a"/></g>{PATH}<use xlink:href="#a"/>'),
    "a long path many times": picture(f'<path id="a" d="{"M 0 0 " * 2000}"/>' + '<use xlink:href="#a"/>' * 2000),
    "use in a pattern": picture(f'{PATH}<pattern id="p" width="1" height="1"><use xlink:href="#a"/></pattern>'),
    "pattern in a pattern": picture('<pattern id="p"><rect width="1" height="1" fill="url(#p)"/></pattern>'),
    "too deep": picture("<g>" * 60 + "</g>" * 60),
    "too many": picture("<g/>" * 30_000),
    "too large": picture(f"<text>{'x' * 400_000}</text>"),
    "viewBox of one number": picture(PATH).replace("0 0 10 10", "1"),
    "viewBox of no numbers": picture(PATH).replace("0 0 10 10", "e e e e"),
    "size without end": picture('<rect width="1e999" height="1"/>'),
    "size below nothing": picture('<text font-size="-5">x</text>'),
    "no viewBox": f'<svg {NAMESPACES} width="10" height="10">{PATH}</svg>',
    "not svg": "<html><body>hello</body></html>",
    "other namespace": '<svg xmlns="http://evil.example/svg" viewBox="0 0 1 1"/>',
    "not xml": "<svg><g></svg>",
    "empty": "",
    "surrogate": picture("<text>\ud800</text>"),
    "strange encoding": '<?xml version="1.0" encoding="nonsense"?>' + picture(PATH),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_picture_with_anything_strange_in_it_is_left_out(name: str) -> None:
    assert clean_svg(HOSTILE[name]) is None


@pytest.mark.parametrize("value", ["1" * 300 + "!", "1 " * 149 + "!", "translate(" + "1" * 119 + ")" * 2])
@pytest.mark.parametrize("key", ["x", "viewBox", "transform", "fill", "stroke-dasharray", "points", "d"])
def test_no_value_makes_the_patterns_slow(key: str, value: str) -> None:
    started = time.process_time()
    clean_svg(f'<svg {NAMESPACES} viewBox="0 0 9 9"><path {key}="{value}"/></svg>'.replace("!", "!" * 2))
    assert time.process_time() - started < 0.5


class Reader(HTMLParser):
    """Collects what a browser would act upon."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


FRAGMENTS = st.sampled_from(
    ["<script>", "</svg>", "onload=", '"', "'", "javascript:", "url(", "http://evil.example", "&#60;", "<g>", "</g>",
     "style=", "href=", "]]>", "<!--", "-->", "<![CDATA[", "&lt;", "#a", "\u202e", "expression(", "data:", ";", "M 0"]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=6).map("".join), st.sampled_from(["d", "style", "fill", "id", "x", "text", "tag"]))
def test_whatever_gets_through_holds_no_script_handler_or_address(noise: str, place: str) -> None:
    inside = {"text": f"<text>{noise}</text>", "tag": noise}.get(place, f'<path {place}="{noise}"/>')
    cleaned = clean_svg(picture(inside))
    if cleaned is not None:
        reader = Reader(cleaned)
        assert set(reader.tags) <= {"svg", "g", "path", "text"}
        assert not [key for key, _ in reader.attributes if key.startswith(("on", "style", "xmlns"))]
        assert not [value for _, value in reader.attributes if "//" in value or "javascript" in value]


def _pie(axes: Axes) -> object:
    return axes.pie([1, 2, 3], labels=["a", "b", "c"])


def _legend(axes: Axes) -> object:
    axes.plot([1, 3, 2], label="this", marker="o", linestyle="--")
    axes.fill_between([0, 1, 2], [1, 3, 2], alpha=0.2)
    axes.grid(visible=True)
    axes.set_title("Mean $x^2$ & more <b>")
    return axes.legend()


def _text(axes: Axes) -> object:
    axes.set_xlabel("two\nlines")
    axes.annotate("here", (0.2, 0.2), (0.6, 0.6), arrowprops={"arrowstyle": "->"})
    return axes.text(0.5, 0.5, "turned <script>", rotation=30)


FIGURES: dict[str, Callable[[Axes], object]] = {
    "bars": lambda axes: axes.bar(["a", "b"], [1, 2], hatch="//", yerr=[0.1, 0.2]),
    "line with legend": _legend,
    "scatter": lambda axes: axes.scatter([1, 2, 3], [3, 1, 2], c=[1, 2, 3], s=[10, 40, 90], alpha=0.5),
    "histogram": lambda axes: axes.hist([1, 2, 2, 3, 3, 3]),
    "text": _text,
    "heat map": lambda axes: axes.pcolormesh([[1, 2], [3, 4]]),
    "boxes": lambda axes: axes.boxplot([[1, 2, 3], [2, 3, 9]]),
    "pie": _pie,
    "steps": lambda axes: axes.step([1, 2, 3], [1, 3, 2]),
    "contours": lambda axes: axes.contourf([[1, 2], [3, 4]]),
}


@pytest.mark.parametrize("fonttype", ["path", "none"])
@pytest.mark.parametrize("name", FIGURES)
def test_what_matplotlib_draws_survives_shape_by_shape(name: str, fonttype: str) -> None:
    with rc_context({"svg.fonttype": fonttype}):
        original = svg_of(FIGURES[name])
    cleaned = clean_svg(original, prefix="p-")
    assert cleaned is not None
    assert shapes(cleaned.replace("<svg ", f"<svg {NAMESPACES} ", 1)) == shapes(original)


def shapes(svg: str) -> list[tuple[str, str, str]]:
    """Every drawn element with its geometry, in drawing order."""
    return [
        (element.tag, " ".join(element.get("d", "").split()), " ".join(element.get("transform", "").split()))
        for element in fromstring(svg).iter()
        if element.tag.endswith(("}path", "}use", "}rect", "}text", "}tspan"))
    ]


def test_the_answer_fits_into_html_without_any_address_or_style() -> None:
    cleaned = clean_svg(svg_of(_legend)) or ""
    assert cleaned.startswith("<svg ")
    assert not re.search(r"//|style|xmlns|xlink|metadata", cleaned)


def test_styles_become_attributes() -> None:
    assert 'fill="none" stroke="#1f77b4"' in (clean_svg(SMALL_SVG) or "")


def test_pictures_on_one_page_share_no_ids() -> None:
    def ids(prefix: str) -> set[str]:
        return set(re.findall(r' id="([^"]+)"', clean_svg(svg_of(_legend), prefix=prefix) or ""))

    assert ids("a-")
    assert ids("a-").isdisjoint(ids("b-"))


def test_different_pictures_share_no_ids_even_without_a_prefix() -> None:
    first, second = (clean_svg(picture(PATH + "<g/>" * number)) or "" for number in (1, 2))
    assert re.findall(r' id="[^"]+"', first) != re.findall(r' id="[^"]+"', second)


def test_text_in_a_picture_is_made_visible() -> None:
    assert "a\\u202eb" in (clean_svg(picture("<text>a\u202eb</text>")) or "")

"""Pictures from the checker box, cleaned before anybody's browser sees them.

The checker parses what a candidate wrote, so its pictures are not trusted. A picture is taken
apart and written anew from an allowlist of what matplotlib's SVG writer emits; anything else
makes the whole picture unacceptable, because a picture with a part missing would mislead.

Styles become presentation attributes: the page can then forbid all inline styles by its
content security policy. Deliberately not accepted: `<image>`, so heat maps must be drawn with
`pcolormesh` instead of `imshow`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from grader.render.text import visible

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_CHARACTERS = 400_000
MAX_ELEMENTS = 20_000
MAX_DEPTH = 40
MAX_VALUE = 300
MAX_DRAWN = 8_000_000

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_DROPPED = frozenset({"metadata", "style", "title", "desc"})
_ELEMENTS = frozenset({"svg", "g", "defs", "path", "use", "clipPath", "rect", "pattern", "text", "tspan"}
                      | {"circle", "ellipse", "line", "polyline", "polygon"})  # fmt: skip
_IGNORED_ATTRIBUTES = frozenset({"version", "type", "class"})

# As large as a drawing needs and no larger: programs that print do not reckon with infinity.
_NUMBER = r"(?:\d{1,15}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,2})?"
_LENGTH = re.compile(rf"[-+]?{_NUMBER}(?:px|pt|em|%)?", re.ASCII)
_SIZE = re.compile(rf"\+?{_NUMBER}(?:px|pt|em|%)?", re.ASCII)
_VIEW_BOX = re.compile(rf"\s*[-+]?{_NUMBER}(?:[\s,]+[-+]?{_NUMBER}){{3}}\s*", re.ASCII)
# Lists of numbers are told apart by their characters only: a stricter pattern could be made to
# backtrack for hours, and a browser ignores a list that it cannot read.
_LIST = re.compile(r"[0-9eE\s,.+-]*", re.ASCII)
_PATH_DATA = re.compile(r"[MmZzLlHhVvCcSsQqTtAaEe0-9\s,.+-]*", re.ASCII)
_TRANSFORM = re.compile(r"(?:(?:translate|scale|rotate|matrix|skewX|skewY)\([0-9eE\s,.+-]{1,120}\)\s*)*", re.ASCII)
_KEYWORD = re.compile(r"[A-Za-z][A-Za-z-]{0,40}", re.ASCII)
_COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}|[A-Za-z]{1,30}|rgba?\([0-9\s,.%/]{1,60}\)", re.ASCII)
_PAINT_SERVER = re.compile(r"url\(#([\w.-]{1,80})\)", re.ASCII)
_FRAGMENT = re.compile(r"#([\w.-]{1,80})", re.ASCII)
_ID = re.compile(r"([\w.-]{1,80})", re.ASCII)
_FAMILY = re.compile(r"[\w\s,'\"-]{1,200}", re.ASCII)
_DASHES = re.compile(r"none|[0-9eE\s,.+-]+", re.ASCII)
_WEIGHT = re.compile(r"[a-z]{1,10}|\d{3}", re.ASCII)

# Attributes and style properties alike: SVG gives both the same names and meanings.
_VALUES: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(("x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "dx", "dy", "stroke-dashoffset"), _LENGTH),
    **dict.fromkeys(("r", "rx", "ry", "width", "height", "stroke-width", "stroke-miterlimit"), _SIZE),
    **dict.fromkeys(("opacity", "fill-opacity", "stroke-opacity", "font-size", "textLength"), _SIZE),
    **dict.fromkeys(("stroke-linejoin", "stroke-linecap", "text-anchor", "dominant-baseline"), _KEYWORD),
    **dict.fromkeys(("fill-rule", "clip-rule", "patternUnits", "clipPathUnits", "font-style"), _KEYWORD),
    **dict.fromkeys(("shape-rendering", "visibility", "display", "font-variant", "font-stretch"), _KEYWORD),
    **dict.fromkeys(("transform", "patternTransform"), _TRANSFORM),
    "viewBox": _VIEW_BOX,
    "points": _LIST,
    **dict.fromkeys(("fill", "stroke"), _COLOUR),
    "font-weight": _WEIGHT,
    "font-family": _FAMILY,
    "stroke-dasharray": _DASHES,
    "d": _PATH_DATA,
}
_LONG = frozenset({"d", "points"})
_PAINTS = frozenset({"fill", "stroke"})
# The one rule that matplotlib's <style> holds; on the root element it is inherited instead.
_ROOT_STYLE = {"stroke-linejoin": "round", "stroke-linecap": "butt"}
_KNOWN_SHEET = re.compile(r"\*\s*\{\s*stroke-linejoin:\s*round;\s*stroke-linecap:\s*butt;?\s*\}")


class _Unacceptable(Exception):
    """The picture holds something that matplotlib does not emit."""


def clean_svg(svg: str, *, prefix: str | None = None) -> str | None:
    """Return an `<svg>` element that can stand inside an HTML page, or None when it is not acceptable.

    Args:
        svg: A whole SVG document, from anybody.
        prefix: Put before every id, so that pictures on one page do not collide; by default made
            from the content.
    """
    if len(svg) > MAX_CHARACTERS:
        return None
    try:
        content = svg.encode("utf-8")
        root = fromstring(content)
        if root.tag != _SVG + "svg":
            return None
        writer = _Writer(prefix or f"p{hashlib.sha256(content).hexdigest()[:10]}-", root)
        return "".join(writer.write(root))
    except (ParseError, DefusedXmlException, ValueError, LookupError, _Unacceptable):
        return None


class _Writer:
    """Writes an element tree anew, from the allowlists above."""

    def __init__(self, prefix: str, root: Element) -> None:
        self._prefix = prefix
        self._left = MAX_ELEMENTS
        self._drawn = MAX_DRAWN
        others = {element.get("id") for element in root.iter() if element.tag != _SVG + "path"}
        self._paths = {
            prefix + element.get("id", ""): len(element.get("d", ""))
            for element in root.iter(_SVG + "path")
            if element.get("id") not in others
        }

    def write(self, element: Element, parents: tuple[str, ...] = ()) -> Iterator[str]:
        """Yield the element as text.

        Raises:
            _Unacceptable: It is not something that matplotlib emits.
        """
        self._left -= 1
        if self._left < 0 or len(parents) > MAX_DEPTH:
            raise _Unacceptable("too many elements")
        name = self._name(element)
        if name in _DROPPED:
            _check_dropped(element, name)
            return
        attributes = self._attributes(element)
        self._check_references(name, attributes, parents)
        yield f"<{name}"
        yield from (f' {key}="{escape(value)}"' for key, value in _finish(attributes, parents).items())
        yield ">"
        yield from self._content(element, (*parents, name))
        yield f"</{name}>"

    def _content(self, element: Element, parents: tuple[str, ...]) -> Iterator[str]:
        spoken = parents[-1] in {"text", "tspan"}
        if spoken:
            yield escape(visible(element.text or "", lines=True))
        for child in element:
            yield from self.write(child, parents)
            if spoken:
                yield escape(visible(child.tail or "", lines=True))

    def _name(self, element: Element) -> str:
        tag = str(element.tag)
        name = tag.removeprefix(_SVG) if tag.startswith(_SVG) else ""
        if name not in _ELEMENTS | _DROPPED:
            raise _Unacceptable(f"element {tag[:80]}")
        return name

    def _check_references(self, name: str, attributes: dict[str, str], parents: tuple[str, ...]) -> None:
        """Refuse references that could multiply: ten groups that use each other tenfold stop a browser."""
        if "href" in attributes:
            self._drawn -= self._paths.get(attributes["href"][1:], MAX_DRAWN)
            if name != "use" or self._drawn <= 0:
                raise _Unacceptable("only paths are used again, and not without end")
        inner = {"pattern", "clipPath"} & {name, *parents}
        if inner and (name == "use" or any(value.startswith("url(") for value in attributes.values())):
            raise _Unacceptable("reference inside of a pattern")

    def _attributes(self, element: Element) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in element.attrib.items():
            if key == "style":
                found |= self._style(value)
            elif key not in _IGNORED_ATTRIBUTES:
                found |= self._attribute(key, value)
        return found

    def _style(self, style: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for declaration in filter(str.strip, style.split(";")):
            key, _, value = declaration.partition(":")
            if key.strip() in {"id", "href", "style"}:
                raise _Unacceptable("not a property")
            found |= self._attribute(key.strip(), value.strip())
        return found

    def _attribute(self, key: str, value: str) -> dict[str, str]:
        if key in {_HREF, "href"}:
            return {"href": "#" + self._local(_FRAGMENT, value)}
        if key == "id":
            return {"id": self._local(_ID, value)}
        if key == "clip-path" or (key in _PAINTS and value.startswith("url(")):
            return {key: f"url(#{self._local(_PAINT_SERVER, value)})"}
        pattern = _VALUES.get(key)
        if pattern is None or (len(value) > MAX_VALUE and key not in _LONG) or not pattern.fullmatch(value):
            raise _Unacceptable(f"{key[:80]}={value[:80]}")
        return {key: " ".join(value.split())}

    def _local(self, pattern: re.Pattern[str], value: str) -> str:
        match = pattern.fullmatch(value)
        if match is None:
            raise _Unacceptable(f"reference {value[:80]}")
        return self._prefix + match.group(1)


def _check_dropped(element: Element, name: str) -> None:
    if name == "style" and not _KNOWN_SHEET.fullmatch((element.text or "").strip()):
        raise _Unacceptable("unknown style sheet")


def _finish(attributes: dict[str, str], parents: tuple[str, ...]) -> dict[str, str]:
    if parents:
        return attributes
    if "viewBox" not in attributes:
        raise _Unacceptable("no viewBox")
    # The page decides how large a picture is; the viewBox keeps its proportions.
    return _ROOT_STYLE | {key: value for key, value in attributes.items() if key not in {"width", "height"}}

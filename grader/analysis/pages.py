"""Comparison and statistics as HTML pages that need nothing else, and may do nothing but sort."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.analysis.comparison import Comparison, Line
from grader.model.result import Outcome
from grader.render.text import visible

TEMPLATES = Path(__file__).with_name("templates")


def compare_page(table: Comparison, made: datetime) -> str:
    """Return the comparison as a page; its columns sort at a click."""
    script = _own("sort.js")
    percentiles = any(line.percentile is not None for line in table.lines)
    titles = ["Candidate", "Rank", "Total", *(["Percentile"] if percentiles else []), *table.competencies]
    values = {
        "table": table,
        "titles": titles,
        "percentiles": percentiles,
        "spark": lambda line: _spark(table.checks, line),
    }
    return render("compare.html", made, values, script)


_OUTCOMES = frozenset(Outcome)


def _spark(checks: Sequence[str], line: Line) -> Markup:
    """A bar for each check: as high as its share, coloured by its outcome. Ids and outcomes are of closed forms."""
    bars = []
    for place, check in enumerate(checks):
        share, outcome = line.answer(check)
        percent = None if share is None else round(100 * share)
        bars.append(_bar(place, check, percent, outcome if outcome in _OUTCOMES else "unmeasured"))
    head = f'<svg class="spark" viewBox="0 0 {5 * len(checks)} 14" role="img" aria-label="{len(checks)} checks">'
    return Markup(head + "".join(bars) + "</svg>")  # noqa: S704


@lru_cache(maxsize=16384)  # candidates differ in few of them
def _bar(place: int, check: str, percent: int | None, look: str) -> str:
    height = 1 + 12 * (percent or 0) / 100
    told = "not measured" if percent is None else f"{percent}%"
    size = f'x="{5 * place}" y="{14 - height:.1f}" width="4" height="{height:.1f}"'
    return f'<rect class="{look}" {size}><title>{escape(check)}: {told}</title></rect>'


def render(template: str, made: datetime, values: dict[str, Any], script: str = "") -> str:
    """Fill a template of ours; texts of strangers are made visible and escaped."""
    style = _own("page.css")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
    if script:
        policy += f"; script-src '{_hash(script)}'"
    ours = {"style": Markup(style), "script": Markup(script)}  # noqa: S704
    shared = {"policy": policy, "made": f"{made:%Y-%m-%d}", **ours}
    return _environment().get_template(template).render(**shared, **values)


def _own(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )

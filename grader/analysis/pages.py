"""Comparison and statistics as HTML pages that need nothing else, and may do nothing but sort."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.analysis.comparison import CORRECTED, Comparison, Line
from grader.model.result import Outcome
from grader.render.text import visible
from grader.store.cohorts import Answer

TEMPLATES = Path(__file__).with_name("templates")


def compare_page(table: Comparison, made: datetime) -> str:
    """Return the comparison as a page; its columns sort at a click."""
    script = _own("sort.js")
    percentiles = any(line.percentile is not None for line in table.lines)
    titles = ["Candidate", "Rank", "Total", *(["Percentile"] if percentiles else []), *table.competencies]
    sparks = map(Markup, _sparks(table))
    rows = map(_row, table.lines, sparks)
    return render("compare.html", made, {"table": table, "titles": titles, "rows": rows}, script)


def _row(line: Line, spark: Markup) -> Markup:
    """One candidate. Written here, as a template takes three times as long over thousands of them."""
    name = escape(visible(line.name))
    cells = [
        f'<tr>\n<th scope="row" data-value="{name}">{name}</th>\n'
        f'<td data-value="{line.rank.best}">{line.rank}</td>\n{_total(line)}\n'
    ]
    if line.percentile is not None:
        cells.append(f'<td data-value="{line.percentile:.2f}">{int(line.percentile)}</td>')
    cells += [
        _UNKNOWN if share is None else f'<td data-value="{share:.4f}">{share:.0f}</td>' for share in line.competencies
    ]
    return Markup("".join([*cells, "<td>", spark, "</td>\n</tr>"]))  # noqa: S704


_UNKNOWN = '<td data-value="-1">\N{EN DASH}</td>'


def _total(line: Line) -> str:
    percent, half = line.percent, line.half
    mark = CORRECTED if line.corrected else ""
    low, high = max(percent - half, 0), min(percent + half, 100)
    return (
        f'<td data-value="{percent:.4f}">{percent:.1f}{mark} <span class="band">\N{PLUS-MINUS SIGN} {half:.1f}</span>\n'
        '<svg class="total" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" y="3" width="100" height="2"/>'
        f'<rect class="range" x="{low:.2f}" y="1" width="{high - low:.2f}" height="6"/>'
        f'<rect class="point" x="{min(percent, 99):.2f}" width="1" height="8"/></svg></td>'
    )


_OUTCOMES = frozenset(Outcome)


def _sparks(table: Comparison) -> Iterator[str]:
    """For each line, a bar for each check: as high as its share, coloured by its outcome.

    Ids and outcomes are of closed forms.
    """
    count = len(table.checks)
    head = f'<svg class="spark" viewBox="0 0 {5 * count} 14" role="img" aria-label="{count} checks">'
    looks: list[dict[Answer, str]] = [{} for _ in table.checks]  # candidates differ in few of them
    for line in table.lines:
        bars = [head]
        for place, check in enumerate(table.checks):
            share, outcome = line.answer(check)
            bar = looks[place].get((share, outcome))
            if bar is None:
                bar = looks[place][share, outcome] = _bar(place, check, share, outcome)
            bars.append(bar)
        yield "".join([*bars, "</svg>"])


def _bar(place: int, check: str, share: float | None, outcome: str | None) -> str:
    percent = None if share is None else round(100 * share)
    look = outcome if outcome in _OUTCOMES else "unmeasured"
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

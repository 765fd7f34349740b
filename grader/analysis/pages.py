"""Comparison and statistics as HTML pages that need nothing else, and may do nothing but sort."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.analysis.comparison import Comparison
from grader.render.text import visible

TEMPLATES = Path(__file__).with_name("templates")


def compare_page(table: Comparison, made: datetime) -> str:
    """Return the comparison as a page; its columns sort at a click."""
    script = _own("sort.js")
    percentiles = any(line.percentile is not None for line in table.lines)
    titles = ["Candidate", "Rank", "Total", *(["Percentile"] if percentiles else []), *table.competencies]
    values = {"table": table, "titles": titles, "percentiles": percentiles, "script": Markup(script)}  # noqa: S704
    return render("compare.html", made, values, script)


def render(template: str, made: datetime, values: dict[str, Any], script: str = "") -> str:
    """Fill a template of ours; texts of strangers are made visible and escaped."""
    style = _own("page.css")
    policy = f"default-src 'none'; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'"
    if script:
        policy += f"; script-src '{_hash(script)}'"
    shared = {"policy": policy, "style": Markup(style), "made": f"{made:%Y-%m-%d}"}  # noqa: S704
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

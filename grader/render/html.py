"""The score sheet as one HTML page that needs nothing else: no script, no address, no font.

The page forbids itself everything by its content security policy except its own style sheet,
named by hash, so that text which slipped through every escape would still do nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from grader.model.result import Outcome
from grader.model.run import RunStatus
from grader.model.sheet import Audience, CheckLine, ScoreSheet
from grader.render import notebook_words, override_words, words
from grader.render.svg import clean_svg
from grader.render.text import visible

TEMPLATES = Path(__file__).with_name("templates")


def render(sheet: ScoreSheet) -> str:
    """Return the page for the audience that `sheet` was made for."""
    style = _style(sheet)
    context = _about_notebook(sheet) | {
        "sheet": sheet,
        "policy": _policy(style),
        "style": Markup(f"<style>{style}</style>"),  # noqa: S704  (our own file, and a name in CSS escapes)
        "for_candidate": sheet.audience is Audience.CANDIDATE,
        "for_author": sheet.audience is Audience.AUTHOR,
        "graded": sheet.status is RunStatus.GRADED and sheet.earned is not None,
        "headline": words.headline(sheet),
        "band": words.band(sheet),
        "overrides": override_words.sentence(sheet),
        "tally": _tally(sheet),
        "losses": words.losses(sheet),
        "questions": words.questions(sheet),
        "unmeasured": words.unmeasured(sheet),
        "sections": _sections(sheet),
        "pictures": {check.id: _pictures(check) for check in sheet.checks},
    }
    return _environment().get_template("sheet.html").render(context)


def _about_notebook(sheet: ScoreSheet) -> dict[str, Any]:
    part = sheet.decision
    if part is None:
        return {}
    return {
        "notebook_sentence": notebook_words.sentence(sheet),
        "notebook_sum": notebook_words.sum_shown(sheet),
        "no_notebook": notebook_words.NO_NOTEBOOK,
        "by_people": notebook_words.by_people(part, sheet.audience),
        "reviewers": notebook_words.reviewers(part),
        "rubric": notebook_words.rubric_rows(part),
        "form_is_open": notebook_words.needs_reviews(sheet),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as the page shows it; `svg` is None when it was not acceptable."""

    caption: str
    svg: Markup | None


def _pictures(check: CheckLine) -> list[Picture]:
    found = []
    for number, plot in enumerate(check.plots):
        # The id of a check is free text here, and a prefix becomes part of an attribute.
        prefix = f"p{hashlib.sha256(check.id.encode('utf-8', 'replace')).hexdigest()[:8]}-{number}-"
        svg = clean_svg(plot.svg, prefix=prefix)
        found.append(Picture(caption=plot.caption, svg=None if svg is None else Markup(svg)))  # noqa: S704
    return found


def _sections(sheet: ScoreSheet) -> list[dict[str, Any]]:
    """Checks by group, in the order of the sheet, with each group's subtotal where there is one."""
    subtotals = {group.id: group for group in sheet.groups}
    members: dict[str, list[CheckLine]] = {}
    for check in sheet.code_checks:
        members.setdefault(check.group, []).append(check)
    return [{"id": group, "subtotal": subtotals.get(group), "checks": checks} for group, checks in members.items()]


def _tally(sheet: ScoreSheet) -> list[tuple[Outcome | None, int]]:
    counted = Counter(check.outcome for check in sheet.code_checks)
    return [(outcome, counted[outcome]) for outcome in words.OUTCOME_WORDS if counted[outcome]]


def _policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _style(sheet: ScoreSheet) -> str:
    """Our style sheet, and what every printed page says at its top."""
    running = f"@page {{ @top-left {{ content: {_css_string(f'{sheet.candidate}  ·  {sheet.exercise.title}')}; }} }}"
    return f"\n{(TEMPLATES / 'sheet.css').read_text(encoding='utf-8')}\n{running}\n"


def _css_string(text: str) -> str:
    """Quote text for CSS; whatever is not a letter, digit or space is written as its code point."""
    return '"' + re.sub(r"[^A-Za-z0-9 ]", lambda found: f"\\{ord(found[0]):06x}", visible(text, 90)) + '"'


def _finalize(value: Any) -> Any:
    """Make every string visible on its way into the page; what is markup already is our own."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(value: str) -> Markup:
    """Keep the line breaks of a text that has several lines."""
    return escape(visible(value, lines=True))


def _moment(value: datetime) -> str:
    utc = value.astimezone(UTC) if value.tzinfo else value
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def _anchor(value: str) -> str:
    """Make a check's id fit for a fragment."""
    return re.sub(r"[^A-Za-z0-9]", "-", value)


_FILTERS: Mapping[str, Any] = {
    "points": words.points,
    "seconds": words.seconds,
    "size": words.size,
    "lost": words.lost,
    "lines": _lines,
    "moment": _moment,
    "anchor": _anchor,
}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(_FILTERS)
    environment.tests["lost_much"] = words.lost_much
    environment.globals.update(
        percent=words.percent,
        share=words.share,
        outcome_words=words.OUTCOME_WORDS,
        who_acts=words.WHO_ACTS,
        noticed=words.noticed,
        override_mark=override_words.mark,
        override_why=override_words.why,
        noticed_note=words.NOTICED_NOTE,
    )
    return environment

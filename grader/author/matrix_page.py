"""The matrix solutions x checks as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.author.expectations import FAILED_UP_TO
from grader.author.proof import Proof
from grader.render.text import visible

TEMPLATES = Path(__file__).with_name("templates")
FULL = 0.995
NO_VALUE = "\u2013"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One check of one rung: the share as text, and a class for its colour."""

    text: str
    look: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rung."""

    name: str
    kind: str
    total: str
    band: str
    seconds: str
    cells: tuple[Cell, ...]
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The matrix of one exercise on one variant."""

    title: str
    checks: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]


def page_of(proof: Proof, candidate: str) -> Page:
    """Collect what the page shows of a variant."""
    checks = tuple((check.id, f"{check.title} ({check.points.normalize():f})") for check in proof.exercise.checks)
    return Page(
        title=f"{proof.exercise.manifest.title} {proof.exercise.manifest.version}, variant {candidate}",
        checks=checks,
        rows=tuple(_row(proof, place, candidate) for place in range(len(proof.rungs))),
    )


def _row(proof: Proof, place: int, candidate: str) -> Row:
    rung = proof.rungs[place]
    earned = proof.known[rung.name, candidate, 1]
    band = "rejected" if rung.expected.status == "rejected" else "{:g} to {:g}".format(*rung.expected.band)
    return Row(
        name=rung.name,
        kind=rung.expected.rung.value,
        total=earned.reason or (NO_VALUE if earned.percent is None else f"{earned.percent:.1f}"),
        band=band,
        seconds=f"{earned.seconds:.0f}",
        cells=tuple(
            _cell(check.id, earned.shares.get(check.id), check.id in rung.expected.must_fail)
            for check in proof.exercise.checks
        ),
        found=tuple(proof.found(rung, candidate)),
    )


def _cell(check: str, share: float | None, must_fail: bool) -> Cell:
    if share is None:
        return Cell(text="", look="none", title=f"{check}: no result")
    look = "full" if share >= FULL else "failed" if share <= FAILED_UP_TO else "part"
    look += " named" if must_fail else ""
    text = "" if share >= FULL else f"{100 * share:.0f}"
    return Cell(text=text, look=look, title=f"{check}: {share:.0%}{', expected to fail' if must_fail else ''}")


def _finalize(value: Any) -> Any:
    return visible(value) if isinstance(value, str) else value


def render(pages: Sequence[Page], made: datetime) -> str:
    """Return the page."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=_finalize
    )
    return environment.get_template("matrix.html").render(pages=pages, made=made)

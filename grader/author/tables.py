"""What a proof prints: the matrix of a variant, the spread over variants, the agreement of repeats."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from grader.author.expectations import Earned
from grader.author.proof import Proof
from grader.catalog.ladder import Rung

NO_VALUE = "\u2013"
LOST_BELOW = 0.75
MOST_NAMED = 16
LOST_WIDTH = 19  # of what lost points, the least that can be read; and its title


def matrix(proof: Proof, candidate: str, spare: int, *, groups: bool) -> Table:
    """One line per rung: points by check group and of the notebook, total, band, seconds, what lost points.

    Args:
        proof: Has the first runs on this candidate's variant.
        candidate: Whose variant.
        spare: Columns that the last column may have beyond the least that can be read.
        groups: Whether there is room for the points by group.
    """
    titles = [*(proof.exercise.manifest.groups if groups else ()), "total", "band", "s"]
    lines = [tuple(row(proof, rung, candidate, LOST_BELOW)) for rung in proof.rungs]
    longest = max(len(line[-1]) for line in lines)
    table = _table(f"{proof.exercise.id} {proof.exercise.manifest.version}, variant of {candidate}")
    table.add_column("rung", no_wrap=True)
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("lost (share earned)", width=min(longest, LOST_WIDTH + spare))
    for rung, (name, *figures, lost) in zip(proof.rungs, lines, strict=True):
        style = "red" if proof.found(rung, candidate) else "green"
        table.add_row(Text(name, style), *map(Text, figures[-len(titles) :]), Text(lost))
    return table


def row(proof: Proof, rung: Rung, candidate: str, lost_below: float) -> Iterator[str]:
    """One line of a matrix: name, points by check group, total, band, seconds, and checks that lost points.

    What was refused has no points; the reason stands at the end.

    Args:
        proof: Has the rung's first run on this candidate's variant.
        rung: Which one.
        candidate: Whose variant.
        lost_below: A check that earned less than this share of its points is named.
    """
    earned, notebook = proof.known[rung.name, candidate, 1], proof.exercise.manifest.notebook
    yield rung.name
    for group in proof.exercise.manifest.groups:
        yield _points(earned.notebook if notebook and group == notebook.group else earned.groups.get(group))
    yield _points(earned.percent)
    yield "rejected" if rung.expected.status == "rejected" else "{:g}-{:g}".format(*rung.expected.band)
    yield f"{earned.seconds:.0f}"
    yield earned.reason or _lost(earned, lost_below)


def _lost(earned: Earned, below: float) -> str:
    """Checks that lost points; when there are many, they are counted only.

    A notebook that earned nothing, most often as there is none, says so in its own column.
    """
    left_out = () if earned.notebook else earned.notebook_checks
    lost = [
        f"{check} {share:.2f}"
        for check, share in earned.shares.items()
        if share is not None and share < below and check not in left_out
    ]
    return ", ".join(lost) if len(lost) <= MOST_NAMED else f"{len(lost)} checks"


def spread(proof: Proof, candidates: Sequence[str]) -> Table:
    """One line per rung: how far its total moves over variants. SD is the sample's (n - 1)."""
    table = _table(f"{proof.exercise.id}: spread of the total over {len(candidates)} variants")
    for title in ("rung", "n", "mean", "SD", "lowest", "highest"):
        table.add_column(title, justify="left" if title == "rung" else "right", no_wrap=True)
    for rung in proof.rungs:
        totals = _totals(proof.known.get((rung.name, candidate, 1)) for candidate in candidates)
        if len(totals) > 1:
            figures = (statistics.mean(totals), statistics.stdev(totals), min(totals), max(totals))
            table.add_row(rung.name, str(len(totals)), *(f"{figure:.2f}" for figure in figures))
    return table


def agreement(proof: Proof, candidate: str, repeats: int) -> Table:
    """One line per rung: what the same submission earned each time, and which checks did not agree."""
    table = _table(f"{proof.exercise.id}: graded {repeats} times on the variant of {candidate}")
    table.add_column("rung", no_wrap=True)
    table.add_column("totals")
    table.add_column("checks that moved (points apart)")
    for rung in proof.rungs:
        runs = [proof.known[rung.name, candidate, repeat] for repeat in range(1, repeats + 1)]
        table.add_row(rung.name, "  ".join(_points(run.percent) for run in runs), ", ".join(_moved(proof, runs)))
    return table


def _moved(proof: Proof, runs: Sequence[Earned]) -> Iterator[str]:
    for check in proof.exercise.checks:
        shares = [share for run in runs if (share := run.shares.get(check.id)) is not None]
        apart = float(check.points) * (max(shares) - min(shares)) if shares else 0.0
        if apart > 0.005:
            yield f"{check.id} {apart:.2f}"


def _totals(runs: Iterable[Earned | None]) -> list[float]:
    return [run.percent for run in runs if run is not None and run.percent is not None]


def _table(title: str) -> Table:
    return Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False)


def _points(value: float | None) -> str:
    return NO_VALUE if value is None else f"{value:.1f}"

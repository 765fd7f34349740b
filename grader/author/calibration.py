"""The calibration of an exercise: which runs it needs, and the page that tells what they showed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.author import figures
from grader.author.expectations import Earned
from grader.author.mutants import Mutant
from grader.author.proof import Proof
from grader.author.tables import row
from grader.catalog.ladder import Rung, RungKind
from grader.model.calibration import Calibration, RungSpread

TEMPLATES = Path(__file__).with_name("templates")
SPREAD_KINDS = (RungKind.REFERENCE, RungKind.ALTERNATE, RungKind.PLAIN, RungKind.NAIVE)
REPEATED_KINDS = (RungKind.REFERENCE, RungKind.PLAIN)
SLOWEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """How much is run.

    Attributes:
        candidates: Names of the variants; the first is the one that everything else is run on.
        repeats: How often the reference and plain are graded on the first variant.
        ladders: On how many variants all rungs are graded; on the others only those of `SPREAD_KINDS` are.
    """

    candidates: tuple[str, ...]
    repeats: int
    ladders: int = 1


Work = tuple[Rung, str, int]


def work_of(proof: Proof, mutants: Sequence[Mutant], scope: Scope) -> Iterator[Work]:
    """Every run that a calibration needs, the most telling ones first."""
    first = scope.candidates[0]
    for rung in proof.rungs:
        yield rung, first, 1
    for rung in proof.rungs:
        if rung.expected.rung in REPEATED_KINDS and rung.folder.name:
            yield from ((rung, first, repeat) for repeat in range(2, scope.repeats + 1))
    for candidate in scope.candidates[1:]:
        yield from ((rung, candidate, 1) for rung in _spread_rungs(proof, scope))
    for mutant in mutants:
        yield mutant.rung, first, 1
    for candidate in scope.candidates[1 : scope.ladders]:
        yield from ((rung, candidate, 1) for rung in proof.rungs if rung not in _spread_rungs(proof, scope))


def render(proof: Proof, mutants: Sequence[Mutant], scope: Scope, made: datetime, *, part: bool = False) -> str:
    """Return CALIBRATION.md.

    Args:
        proof: With all runs of `work_of` finished.
        mutants: Those that were graded.
        scope: What was run.
        made: When.
        part: Only some of the rungs were graded, so that nothing can be said of what checks tell apart.
    """
    first = scope.candidates[0]
    runs = [proof.known[rung.name, first, 1] for rung in proof.rungs if (rung.name, first, 1) in proof.known]
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=False,  # noqa: S701 - Markdown of our own words and an author's
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("CALIBRATION.md.j2").render(
        exercise=proof.exercise,
        made=made,
        machine=machines(lasting(proof)),
        days=days(lasting(proof)),
        scope=scope,
        ladder=[
            list(row(proof, rung, first, figures.PASSED_FROM))
            for rung in proof.rungs
            if (rung.name, first, 1) in proof.known
        ],
        passed_from=figures.PASSED_FROM,
        judged=_judged(proof),
        unexpected=list(_unexpected(proof)),
        spreads=list(_spreads(proof, scope)),
        repeats=list(_repeats(proof, scope)),
        order=_order(proof, first),
        pairs=figures.pairs_in_order(_totals(proof, proof.rungs, first)),
        weak=list(_weak(proof, first)),
        survivors=[each for each in mutants if _survives(proof, each, first)],
        mutants=len(judged := _judged_mutants(proof, mutants, first)),
        without_result=len(mutants) - len(judged),
        slowest=_slowest(proof, first),
        reference=proof.known[_reference(proof).name, first, 1],
        runs=len(runs),
        part=part,
    )


def lasting(proof: Proof) -> list[Earned]:
    """Return all runs that ended, of rungs that this calibration leaves out as well, in an order of their own."""
    return [run for _, run in sorted(proof.known.items()) if run.status != "faulted"]


def machines(runs: Sequence[Earned]) -> str:
    """Name the machines that runs were made on."""
    return " and ".join(sorted({run.machine for run in runs if run.machine})) or "an unknown machine"


def days(runs: Sequence[Earned]) -> str:
    """Say from when to when runs were made."""
    known = sorted({f"{run.graded:%Y-%m-%d}" for run in runs if run.graded})
    return " to ".join(dict.fromkeys((known[0], known[-1]))) if known else "an unknown day"


def measured(proof: Proof, mutants: Sequence[Mutant], scope: Scope, made: datetime) -> Calibration:
    """Return the figures for score sheets and for lint; arguments as for `render`."""
    first = scope.candidates[0]
    reference = proof.known[_reference(proof).name, first, 1]
    moved: dict[str, float] = {}
    repeated, everywhere = list(_repeats(proof, scope)), {rung.name for rung in _spread_rungs(proof, scope)}
    for _, _, apart, _ in repeated:
        moved |= {check: max(points, moved.get(check, 0.0)) for check, points in apart.items()}
    return Calibration(
        exercise=proof.exercise.id,
        version=proof.exercise.manifest.version,
        digest=proof.exercise.digest,
        made=made.date(),
        machine=machines(lasting(proof)),
        worlds=len(scope.candidates),
        repeats=scope.repeats,
        spreads=tuple(
            RungSpread(rung=name, n=each.n, mean=each.mean, sd=each.sd, low=each.low, high=each.high)
            for name, each in _spreads(proof, scope)
            if name in everywhere
        ),
        order=_order(proof, first),
        moved=moved,
        flakes=sum(flaky for *_, flaky in repeated),
        repeated=sum(times - 1 for _, times, *_ in repeated),
        mutants=len(_judged_mutants(proof, mutants, first)),
        survivors=sum(_survives(proof, each, first) for each in mutants),
        seconds=reference.seconds,
        peak_memory=reference.peak_memory,
        nearest=reference.nearest,
    )


def picture(proof: Proof, scope: Scope) -> str:
    """Return the picture of all totals as SVG: a line per rung, its expected band, a dot per world."""
    from grader.analysis.pictures import totals_of_rungs

    rows = []
    for rung in proof.rungs:
        runs = [proof.known.get((rung.name, candidate, 1)) for candidate in scope.candidates]
        totals = [run.percent for run in runs if run is not None and run.percent is not None]
        if totals:
            rows.append((rung.name, rung.expected.band, totals))
    what = f"{proof.exercise.id} {proof.exercise.manifest.version}"
    return totals_of_rungs(f"{what}: totals, a dot for each hidden world", rows)


def _order(proof: Proof, candidate: str) -> float | None:
    # Which of two flaws costs more is no order of merit: each costs its own check.
    ordered = [rung for rung in proof.rungs if rung.expected.rung is not RungKind.FLAW]
    return figures.order_consistency(_totals(proof, ordered, candidate))


def _totals(proof: Proof, rungs: Sequence[Rung], candidate: str) -> list[tuple[figures.Band, float]]:
    runs = [(rung.expected.band, proof.known[rung.name, candidate, 1].percent) for rung in rungs]
    return [(band, total) for band, total in runs if total is not None]


def _reference(proof: Proof) -> Rung:
    return next(rung for rung in proof.rungs if rung.expected.rung is RungKind.REFERENCE)


def _spread_rungs(proof: Proof, scope: Scope) -> list[Rung]:
    """Rungs that are graded on every variant, so that their spread is known well enough for score sheets."""
    if scope.ladders >= len(scope.candidates):
        return list(proof.rungs)
    return [rung for rung in proof.rungs if rung.expected.rung in SPREAD_KINDS and rung.folder.name]


def _spreads(proof: Proof, scope: Scope) -> Iterator[tuple[str, figures.Spread]]:
    for rung in proof.rungs:
        runs = [proof.known.get((rung.name, candidate, 1)) for candidate in scope.candidates]
        found = figures.spread([run.percent for run in runs if run is not None and run.percent is not None])
        if found is not None:
            yield rung.name, found


def _repeats(proof: Proof, scope: Scope) -> Iterator[tuple[str, int, dict[str, float], int]]:
    points = {check.id: float(check.points) for check in proof.exercise.checks}
    for rung in proof.rungs:
        keys = [(rung.name, scope.candidates[0], repeat) for repeat in range(1, scope.repeats + 1)]
        runs = [run for key in keys if (run := proof.known.get(key)) is not None and run.status != "faulted"]
        if len(runs) > 1:
            yield rung.name, len(runs), figures.moved(runs, points), figures.flakes(runs, points)


def _weak(proof: Proof, candidate: str) -> Iterator[tuple[str, str]]:
    """Checks that tell too little: failed by no rung, or passed by the reference alone."""
    runs = [proof.known[rung.name, candidate, 1] for rung in proof.rungs]
    for check in proof.exercise.checks:
        found = figures.discrimination(check.id, runs)
        if not found.failed_by:
            yield check.id, "no rung fails it"
        if len(found.passed_by) < 2:
            yield check.id, f"passed by {' and '.join(found.passed_by) or 'nobody'} only"


def _judged_mutants(proof: Proof, mutants: Sequence[Mutant], candidate: str) -> list[Mutant]:
    """Those whose run ended; one that a machine cut short was noticed by nobody."""
    runs = {each.rung.name: proof.known.get((each.rung.name, candidate, 1)) for each in mutants}
    return [each for each in mutants if (run := runs[each.rung.name]) is not None and run.status != "faulted"]


def _survives(proof: Proof, mutant: Mutant, candidate: str) -> bool:
    run = proof.known.get((mutant.rung.name, candidate, 1))
    return run is not None and figures.survives(run, proof.known[_reference(proof).name, candidate, 1])


def _judged(proof: Proof) -> int:
    """Count the runs of rungs, on any variant, that are there to be compared with what is expected."""
    names = {rung.name for rung in proof.rungs}
    return sum(name in names for name, _, _ in proof.known)


def _unexpected(proof: Proof) -> Iterator[tuple[str, str, str]]:
    """Rung, whose variant, and what the rung did there otherwise than expected."""
    rungs = {rung.name: rung for rung in proof.rungs}
    for name, candidate, repeat in sorted(proof.known):
        if name in rungs:
            yield from ((name, candidate, what) for what in proof.found(rungs[name], candidate, repeat))


def _slowest(proof: Proof, candidate: str) -> list[tuple[str, float]]:
    seconds = proof.known[_reference(proof).name, candidate, 1].check_seconds
    return sorted(seconds.items(), key=lambda pair: -pair[1])[:SLOWEST]

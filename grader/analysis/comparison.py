"""Candidates x competencies: the table behind `grader compare`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.model.exercise import Competency
from grader.scoring.compare import PERCENTILE_FROM, Rank, percentiles, pseudonym, ranks
from grader.scoring.reliability import DESIGN_SEM, SEM_FROM, cronbach_alpha, half_band, standard_error, variance
from grader.store.cohorts import Cohort, Member


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One candidate.

    Attributes:
        name: As shown: the candidate's, or a pseudonym.
        percent: Total of the code.
        half: Half width of the band around it.
        rank: Where it may stand.
        percentile: Share of the group below; None where the group is too small.
        competencies: Percent of each, in the order of the table; None where a check was not measured.
        checks: Id, share and outcome of each check, in order.
    """

    name: str
    percent: float
    half: float
    rank: Rank
    percentile: float | None
    competencies: tuple[float | None, ...]
    checks: tuple[tuple[str, float | None, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The table, and what must be said beside it."""

    title: str
    competencies: tuple[str, ...]
    lines: Sequence[Line]
    notes: tuple[str, ...]


def compare(cohort: Cohort, key: bytes | None = None) -> Comparison:
    """Put the candidates of a cohort side by side, the highest total first.

    Args:
        cohort: At least one graded candidate.
        key: Show pseudonyms made with this secret instead of names.
    """
    exercise, people = cohort.exercise, cohort.members
    sem, told = measurement_error(cohort)
    halves = [half_band(sem, member.band) for member in people]
    totals = [member.percent for member in people]
    found = percentiles(totals)
    shares = [_competencies(cohort, member) for member in people]
    names = [_name(member, key) for member in people]
    order = [check.id for check in exercise.code_checks]
    lines = [
        Line(
            name=names[index],
            percent=member.percent,
            half=halves[index],
            rank=rank,
            percentile=found[index] if found else None,
            competencies=shares[index],
            checks=tuple((check, *_answer(member, check)) for check in order),
        )
        for index, (member, rank) in enumerate(zip(people, ranks(totals, halves), strict=True))
    ]
    lines.sort(key=lambda line: (-line.percent, line.name))
    return Comparison(
        title=cohort.name,
        competencies=tuple(each.title for each in _measured(cohort)),
        lines=lines,
        notes=(told, *_notes(cohort, any(member.band is not None for member in people))),
    )


def measurement_error(cohort: Cohort) -> tuple[float, str]:
    """The standard error of measurement in percent, and a sentence on where it comes from."""
    people, count = cohort.members, len(cohort.members)
    if count >= SEM_FROM:
        alpha = cronbach_alpha(group_points(cohort))
        if alpha is not None:
            sem = standard_error(variance([member.percent for member in people]) ** 0.5, alpha)
            return sem, f"Standard error of measurement: {sem:.1f} points in a hundred, from {count} candidates."
    return DESIGN_SEM, (
        f"Standard error of measurement: {DESIGN_SEM:g} points in a hundred, the design value, since {count} "
        f"candidates are too few to estimate it (from {SEM_FROM} on)."
    )


def group_points(cohort: Cohort) -> list[list[float]]:
    """Points of every person in each check group of the code, for alpha; unmeasured counts as nothing."""
    groups: dict[str, list[tuple[str, float]]] = {}
    for check in cohort.exercise.code_checks:
        groups.setdefault(check.group, []).append((check.id, float(check.points)))
    return [
        [sum(points * (_answer(member, check)[0] or 0.0) for check, points in checks) for member in cohort.members]
        for checks in groups.values()
    ]


def _answer(member: Member, check: str) -> tuple[float | None, str]:
    share, outcome = member.answers.get(check, (None, None))
    return share, outcome or "unmeasured"


def _measured(cohort: Cohort) -> list[Competency]:
    named = {check.competency for check in cohort.exercise.code_checks}
    return [each for each in cohort.exercise.competencies if each.id in named]


def _competencies(cohort: Cohort, member: Member) -> tuple[float | None, ...]:
    earned: dict[str, float] = {}
    possible: dict[str, float] = {}
    unknown = set()
    for check in cohort.exercise.code_checks:
        share = _answer(member, check.id)[0]
        if share is None:
            unknown.add(check.competency)
        possible[check.competency] = possible.get(check.competency, 0.0) + float(check.points)
        earned[check.competency] = earned.get(check.competency, 0.0) + float(check.points) * (share or 0.0)
    order = [each.id for each in cohort.exercise.competencies if each.id in possible]
    return tuple(None if name in unknown else 100 * earned[name] / possible[name] for name in order)


def _name(member: Member, key: bytes | None) -> str:
    if key is not None:
        return pseudonym(key, member.id)
    return member.candidate or "(erased)"


def _notes(cohort: Cohort, calibrated: bool) -> list[str]:
    count = len(cohort.members)
    told = [
        "Bands are one standard error to each side"
        + (", hidden worlds included." if calibrated else "; how far hidden worlds move a total was not measured.")
        + " Where bands overlap, candidates are tied: the rank is then a range."
    ]
    if count >= PERCENTILE_FROM:
        told.append(f"Percentiles are among the {count} candidates of {cohort.name}, and say nothing of others.")
    else:
        told.append(f"No percentiles: {count} candidates are too few (from {PERCENTILE_FROM} on).")
    for number, what in ((cohort.rejected, "could not be graded"), (cohort.faulted, "have no complete run yet")):
        if number:
            told.append(f"{number} {what}, and are not in the table.")
    if cohort.elsewhere:
        listed = ", ".join(f"{version}: {number}" for version, number in cohort.elsewhere.items())
        told.append(f"Graded with other versions and not comparable before a regrade: {listed}.")
    return told


def sorted_by(comparison: Comparison, column: str) -> list[Line]:
    """Lines by name, by total, or by the competency of this title; the best first.

    Raises:
        KeyError: There is no such column.
    """
    if column == "name":
        return sorted(comparison.lines, key=lambda line: line.name)
    if column == "total":
        return list(comparison.lines)
    place = {title.lower(): index for index, title in enumerate(comparison.competencies)}[column.lower()]

    def value(line: Line) -> tuple[float, str]:
        share = line.competencies[place]
        return (1.0 if share is None else -share, line.name)

    return sorted(comparison.lines, key=value)

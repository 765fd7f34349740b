"""Candidates x competencies: the table behind `grader compare`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from grader.model.exercise import CheckDeclaration, Competency
from grader.scoring.compare import PERCENTILE_FROM, Rank, percentiles, pseudonym, ranks
from grader.scoring.reliability import DESIGN_SEM, SEM_FROM, cronbach_alpha, half_band, standard_error, variance
from grader.store.cohorts import UNMEASURED, Answer, Cohort, Member

CORRECTED = "*"
"""Stands behind a total that holds corrections by people."""


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
        answers: Share and outcome of each check.
        corrected: Checks that a person has corrected.
    """

    name: str
    percent: float
    half: float
    rank: Rank
    percentile: float | None
    competencies: tuple[float | None, ...]
    answers: Mapping[str, Answer]
    corrected: tuple[str, ...] = ()

    def answer(self, check: str) -> Answer:
        """Share and outcome of a check; None twice where it was not measured."""
        return self.answers.get(check, UNMEASURED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The table, and what must be said beside it. `checks` are those of the code, in order."""

    title: str
    competencies: tuple[str, ...]
    checks: tuple[str, ...]
    lines: Sequence[Line]
    notes: tuple[str, ...]


def compare(cohort: Cohort, key: bytes | None = None) -> Comparison:
    """Put the candidates of a cohort side by side, the highest total first.

    Args:
        cohort: At least one graded candidate.
        key: Show pseudonyms made with this secret instead of names.
    """
    people = cohort.members
    sem, told = measurement_error(cohort.as_measured())
    halves = [half_band(sem, member.band) for member in people]
    totals = [member.percent for member in people]
    found = percentiles(totals)
    by_competency = _parts(cohort, lambda check: check.competency)
    parts = [_percents(cohort, by_competency[each.id]) for each in _measured(cohort)]
    competencies = list(zip(*parts, strict=True)) or [()] * len(people)
    lines = [
        Line(
            name=_name(member, key),
            percent=member.percent,
            half=halves[index],
            rank=rank,
            percentile=found[index] if found else None,
            competencies=competencies[index],
            answers=member.answers,
            corrected=tuple(sorted(member.corrections)),
        )
        for index, (member, rank) in enumerate(zip(people, ranks(totals, halves), strict=True))
    ]
    lines.sort(key=lambda line: (-line.percent, line.name))
    return Comparison(
        title=cohort.name,
        competencies=tuple(each.title for each in _measured(cohort)),
        checks=tuple(check.id for check in cohort.exercise.code_checks),
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
    parts = _parts(cohort, lambda check: check.group)
    return [_points(cohort, part) for part in parts.values()]


Part = list[tuple[str, float]]
"""Checks that are added up, and what they are worth."""


def _parts(cohort: Cohort, key: Callable[[CheckDeclaration], str]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for check in cohort.exercise.code_checks:
        parts.setdefault(key(check), []).append((check.id, float(check.points)))
    return parts


def check_points(cohort: Cohort, check: str, points: float) -> list[float]:
    """Points of every person in one check; unmeasured counts as nothing."""
    return [points * (share or 0.0) for share in cohort.columns[check]]


def _points(cohort: Cohort, part: Part) -> list[float]:
    return list(map(sum, zip(*(check_points(cohort, check, points) for check, points in part), strict=True)))


def _percents(cohort: Cohort, part: Part) -> list[float | None]:
    """Percent of every person in a part; None where one of its checks was not measured."""
    possible = sum(points for _, points in part)
    found: list[float | None] = [100 * points / possible for points in _points(cohort, part)]
    for check, _ in part:
        if None in cohort.columns[check]:
            unmeasured = (place for place, share in enumerate(cohort.columns[check]) if share is None)
            for place in unmeasured:
                found[place] = None
    return found


def _measured(cohort: Cohort) -> list[Competency]:
    named = {check.competency for check in cohort.exercise.code_checks}
    return [each for each in cohort.exercise.competencies if each.id in named]


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
    if cohort.corrected:
        told.append(
            f"{CORRECTED} People have corrected checks in {cohort.corrected} of these totals, which hold that; the "
            "sheets say which, why and by whom. How exactly totals measure is taken from what was measured."
        )
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

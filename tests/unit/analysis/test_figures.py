"""Figures about a cohort: right where they can be checked, refused where they mean nothing."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from grader.analysis.cohort_figures import feldt, figures_of, items_of
from grader.analysis.comparison import compare, group_points
from grader.analysis.figures import Figure
from grader.analysis.impact import impact, read_groups
from grader.analysis.items import analyse, correlation, fisher_z, upper_lower, wilson
from grader.errors import UsageError
from grader.model.exercise import Exercise
from tests.cohorts import cohort, many_checks


@pytest.fixture(scope="module")
def wide(tiny: Exercise) -> Exercise:
    """Thirty checks in six groups."""
    return many_checks(tiny)


def by_name(figures: list[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def test_correlation_and_its_interval_are_scipys() -> None:
    random_ = random.Random(1)
    first = [random_.random() for _ in range(80)]
    second = [value + random_.random() for value in first]
    theirs = stats.pearsonr(first, second)
    assert correlation(first, second) == pytest.approx(theirs.statistic)
    assert fisher_z(theirs.statistic, 80) == pytest.approx(tuple(theirs.confidence_interval()))
    assert correlation(first, [1.0] * 80) is None


def test_wilson_is_scipys() -> None:
    theirs = stats.binomtest(12, 40).proportion_ci(method="wilson")
    assert wilson(0.3, 40) == pytest.approx((theirs.low, theirs.high))


def test_feldts_interval_is_the_published_one() -> None:
    # A true alpha of .80: half widths as the design tables give them, to two decimals, with many parts.
    assert feldt(0.8, 30, 25) == pytest.approx((0.68, 0.89), abs=0.015)
    assert feldt(0.8, 100, 25) == pytest.approx((0.74, 0.85), abs=0.015)


def test_a_check_is_compared_with_the_others_and_not_with_itself() -> None:
    shares = [1.0, 0.0] * 50
    item = analyse("A1", "Coin", 5, shares, [5 * share + 10 for share in shares])
    assert item.discrimination is None  # the rest is the same for everybody
    rest = [float(number) for number in range(100)]
    item = analyse("A1", "Coin", 5, shares, [5 * share + other for share, other in zip(shares, rest, strict=True)])
    assert item.discrimination == pytest.approx(np.corrcoef(shares, rest)[0, 1])


def test_upper_lower_takes_27_percent_on_each_side() -> None:
    totals = [float(number) for number in range(100)]
    assert upper_lower([0.0] * 27 + [0.5] * 46 + [1.0] * 27, totals) == 1.0
    assert upper_lower([1.0] * 28 + [0.0] * 72, totals) == -1.0


@pytest.mark.parametrize(
    ("shares", "flag"),
    [
        ([1.0] * 40, "everybody passes"),
        ([0.0] * 40, "nobody earns anything"),
        ([0.0] * 38 + [1.0] * 2, "very hard"),
        ([1.0] * 39 + [0.0], "very easy"),
    ],
)
def test_checks_that_need_a_person_are_flagged(shares: list[float], flag: str) -> None:
    assert analyse("A1", "", 1, shares, shares).flags == (flag,)


def test_a_check_that_the_weaker_do_better_is_an_alarm() -> None:
    rest = [float(number) for number in range(60)]
    shares = [1 - number / 60 for number in range(60)]
    flags = analyse("A1", "", 1, shares, [a + b for a, b in zip(shares, rest, strict=True)]).flags
    assert flags == ("the weaker do better: look at it now",)


@pytest.mark.parametrize(("size", "known"), [(4, 0), (29, 4), (30, 6), (50, 7)])
def test_figures_are_refused_below_the_n_at_which_they_mean_something(wide: Exercise, size: int, known: int) -> None:
    figures = figures_of(cohort(wide, size))
    assert sum(figure.value is not None for figure in figures) == known
    assert all(figure.sentence and figure.n == size for figure in figures)
    assert all("from" in figure.sentence for figure in figures if figure.value is None)


@pytest.mark.parametrize(("size", "known"), [(29, (0, 0, 0)), (30, (30, 0, 0)), (50, (30, 30, 0)), (100, (30, 30, 30))])
def test_so_are_figures_of_checks(wide: Exercise, size: int, known: tuple[int, int, int]) -> None:
    items = items_of(cohort(wide, size))
    found = [(item.difficulty, item.discrimination, item.upper_lower) for item in items]
    assert tuple(sum(value is not None for value in column) for column in zip(*found, strict=True)) == known


def test_alpha_over_checks_is_named_after_what_it_is(wide: Exercise) -> None:
    people = cohort(wide, 40)
    assert "alpha over checks" in by_name(figures_of(people))
    rounded = [
        replace(each, answers={check: (float((share or 0.0) > 0.5), "") for check, (share, _) in each.answers.items()})
        for each in people.members
    ]
    assert "KR-20 over checks" in by_name(figures_of(replace(people, members=rounded)))


def test_who_was_not_measured_is_left_out_of_the_check_and_earns_nothing_in_totals_of_parts(wide: Exercise) -> None:
    people = cohort(wide, 60)
    first, second, *others = people.members
    known = dict(second.answers)
    del known["A1"]
    answers = replace(first, answers={**first.answers, "A1": (None, None)}), replace(second, answers=known)
    seen = replace(people, members=[*answers, *others])
    assert [item.n for item in items_of(seen)] == [58, *[60] * 29]
    lines = {line.name: line.competencies for line in compare(seen).lines}
    assert [lines[each.candidate] for each in answers] == [(None,), (None,)]
    lost = [3 * (first.answers["A1"][0] or 0.0), 3 * (second.answers["A1"][0] or 0.0)]
    before, after = group_points(people)[0][:2], group_points(seen)[0][:2]
    assert after == pytest.approx([points - less for points, less in zip(before, lost, strict=True)])


def test_bands_join_measurement_and_hidden_worlds(wide: Exercise) -> None:
    figure = by_name(figures_of(cohort(wide, 20, band=2.4)))["half width of error bands"]
    assert figure.value == pytest.approx(7.4, abs=0.01)


@pytest.mark.parametrize("n", [5, 12, 400])
def test_the_interval_of_a_mean_is_students(wide: Exercise, n: int) -> None:
    people = cohort(wide, n)
    totals = [member.percent for member in people.members]
    figure = by_name(figures_of(people))["mean total"]
    theirs = stats.t.interval(0.95, n - 1, loc=np.mean(totals), scale=stats.sem(totals))
    assert (figure.low, figure.high) == pytest.approx(theirs)


def groups_file(folder: Path, text: str) -> Path:
    path = folder / "groups.csv"
    path.write_text(text)
    return path


def test_the_four_fifths_ratio_never_stands_alone(wide: Exercise) -> None:
    people = cohort(wide, 120)
    median = sorted(member.percent for member in people.members)[60]
    groups = {member.candidate: "blue" if number % 2 else "red" for number, member in enumerate(people.members)}
    (figure,) = impact(people, groups, median)
    passed = {
        group: sum(groups[each.candidate] == group and each.percent >= median for each in people.members)
        for group in ("blue", "red")
    }
    assert figure.value == pytest.approx(min(passed.values()) / max(passed.values()))
    p = stats.fisher_exact([[passed["blue"], 60 - passed["blue"]], [passed["red"], 60 - passed["red"]]]).pvalue
    assert f"p is {p:.3f}" in figure.sentence
    assert "odds ratio" in figure.sentence


@pytest.mark.parametrize(("kept", "written"), [("Zo\u00eb", "Zoe\u0308"), ("Zoe\u0308", "Zo\u00eb")])
def test_a_person_is_in_their_group_however_the_name_is_written(
    wide: Exercise, tmp_path: Path, kept: str, written: str
) -> None:
    people = cohort(wide, 60)
    zoe = replace(people.members[0], candidate=kept)
    names = [written, *(member.candidate for member in people.members[1:])]
    rows = [f"{name},{'blue' if number % 2 else 'red'}" for number, name in enumerate(names)]
    groups = read_groups(groups_file(tmp_path, "\n".join(["candidate,group", *rows])))
    (figure,) = impact(replace(people, members=[zoe, *people.members[1:]]), groups, 50)
    assert figure.n == 60


def test_small_groups_are_refused_with_the_reason(wide: Exercise) -> None:
    people = cohort(wide, 80)
    groups = {member.candidate: "blue" if number < 29 else "red" for number, member in enumerate(people.members)}
    (figure,) = impact(people, groups, 50)
    assert (figure.value, figure.n) == (None, 29)
    assert "from 30 on" in figure.sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,group\nAda,x\n", "columns must be"),
        ("candidate,group\nAda,\n", ":2: candidate or group is empty"),
        ("candidate,group\nAda,x\nAda,y\n", ":3: Ada is in two groups"),
    ],
)
def test_a_file_of_groups_that_is_wrong(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_groups(groups_file(tmp_path, text))


def test_groups_that_nobody_is_in(wide: Exercise, tmp_path: Path) -> None:
    groups = read_groups(groups_file(tmp_path, "candidate,group\nPerson 1,x\nSomebody,y\n"))
    with pytest.raises(UsageError, match="1 groups are in the file"):
        impact(cohort(wide, 10), groups, 50)

"""Comparison and statistics as people see them."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader.analysis.comparison import compare, sorted_by
from grader.analysis.pages import compare_page
from grader.cli.main import cli
from grader.clock import now
from grader.errors import UsageError
from grader.model.exercise import Exercise
from grader.store.cohorts import Cohort, read_cohort
from grader.wiring import store_at
from tests.cohorts import cohort, fill, many_checks

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def wide(tiny: Exercise) -> Exercise:
    return many_checks(tiny)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, wide: Exercise) -> Path:
    """A store with 60 people."""
    folder = tmp_path_factory.mktemp("store")
    with store_at(folder) as store:
        fill(store.database, wide, cohort(wide, 60, band=2.0).members)
    return folder


@pytest.fixture
def run(data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("GRADER_DATA_DIR", str(data))
    monkeypatch.setenv("GRADER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setitem(os.environ, "COLUMNS", "200")

    def invoke(*arguments: object) -> Result:
        return CliRunner().invoke(cli, list(map(str, arguments)), catch_exceptions=True)

    return invoke


def test_bands_ties_and_percentiles(wide: Exercise) -> None:
    table = compare(cohort(wide, 30, band=2.4))
    assert [line.percent for line in table.lines] == sorted((line.percent for line in table.lines), reverse=True)
    assert {round(line.half, 2) for line in table.lines} == {7.4}
    first = table.lines[0]
    assert first.rank.best == 1
    assert first.rank.worst == sum(line.percent + 7.4 >= first.percent - 7.4 for line in table.lines)
    assert first.percentile is not None
    assert any("among the 30 candidates of tiny, test" in note for note in table.notes)
    assert compare(cohort(wide, 29)).lines[0].percentile is None


def test_a_small_cohort_takes_the_design_value_and_says_so(wide: Exercise) -> None:
    assert any("design value" in note for note in compare(cohort(wide, 49)).notes)
    assert any("from 50 candidates" in note for note in compare(cohort(wide, 50)).notes)


def test_the_page_may_do_nothing_but_sort_and_shows_no_name_when_blind(wide: Exercise) -> None:
    people = cohort(wide, 3)
    evil = replace(people.members[0], candidate="<script>x")
    named = Cohort(exercise=wide, name="x", members=[evil], rejected=1, faulted=0, elsewhere={"0.9.0": 4})
    page = compare_page(compare(named), now())
    assert "&lt;script&gt;x" in page
    assert page.count("<script>") == 1
    assert "script-src &#39;sha256-" in page or "script-src 'sha256-" in page
    assert "1 could not be graded" in page
    assert "0.9.0: 4" in page
    blind = compare_page(compare(people, b"k" * 32), now())
    assert "Person" not in blind
    assert blind.count("Candidate ") >= 3


def test_sorting_by_competency(wide: Exercise) -> None:
    table = compare(cohort(wide, 10))
    title = table.competencies[0]
    shares = [line.competencies[0] for line in sorted_by(table, title.upper())]
    assert shares == sorted(shares, key=lambda share: -(share or 0))


def test_compare_on_the_command_line(run: Run, tmp_path: Path) -> None:
    done = run("compare", "tiny_sum", "--html", tmp_path / "c.html", "--csv", tmp_path / "c.csv", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert len(found["candidates"]) == 60
    rows = list(csv.DictReader(io.StringIO((tmp_path / "c.csv").read_text())))
    assert [row["candidate"] for row in rows] == [each["candidate"] for each in found["candidates"]]
    assert (tmp_path / "c.html").read_text().startswith("<!doctype html>")
    shown = run("compare", "tiny_sum", "--batch", "spring", "--sort", "name", "--blind").stdout
    assert "Candidate " in shown
    assert "and 10 more" in shown


def test_stats_on_the_command_line(run: Run, tmp_path: Path) -> None:
    done = run("stats", "tiny_sum", "--html", tmp_path / "s.html", "--csv", tmp_path / "s.csv")
    assert done.exit_code == 0, done.output
    assert "alpha over check groups" in done.stdout
    assert "No D with n = 60: from 100 on." in done.stdout
    page = (tmp_path / "s.html").read_text()
    assert page.count("<figure>") == 4
    assert "<image" not in page
    assert len((tmp_path / "s.csv").read_text().splitlines()) == 31


def test_a_cohort_is_one_version_and_of_each_person_what_came_last(data: Path) -> None:
    with store_at(data) as store:
        found = read_cohort(store.database, "tiny_sum")
        assert (len(found.members), found.name) == (60, "tiny_sum 1.0.0")
        with pytest.raises(UsageError, match="Nobody has a score of tiny_sum 2") as caught:
            read_cohort(store.database, "tiny_sum", version="2.0.0")
        assert "1.0.0" in caught.value.hint
        with pytest.raises(UsageError, match="no batch 'autumn'"):
            read_cohort(store.database, "tiny_sum", batch="autumn")


def test_groups_need_a_pass_mark(run: Run, tmp_path: Path) -> None:
    done = run("stats", "tiny_sum", "--groups", tmp_path / "g.csv")
    assert isinstance(done.exception, UsageError)

"""Regrades: who changes, by how much, why; and nothing changes before somebody says so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from grader.cli import regrading
from grader.cli.regrade import _show as show
from grader.cli.regrade import _show_accepted as show_accepted
from grader.errors import UsageError
from grader.model.sheet import ScoreSheet
from grader.store import schema
from grader.store.folder import read_sheet
from grader.store.regrades import RegradeStore
from grader.wiring import store_at
from tests.factories import make_notebook_sheet, make_review
from tests.signatures import is_genuine
from tests.unit.cli.conftest import Desk


@pytest.fixture
def graded(desk: Desk) -> Desk:
    """Ada has everything, Grace half of A1's six points."""
    desk.grade(desk.stage.write("ada"), desk.stage.write("grace", "earns A1 0.5"))
    return desk


def shown(desk: Desk, name: str) -> float | None:
    return read_sheet(desk.settings.out / name / "sheet.json").percent


def audit(desk: Desk) -> list[tuple[str, str]]:
    with store_at(desk.settings.data_dir) as store, store.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT action, reason FROM audit_log").all()
        return [(row[0], row[1]) for row in rows]


def test_points_are_folded_again_without_an_engine(graded: Desk) -> None:
    graded.change("checks/test_sums.py", "points=6", "points=16")
    graded.engine = False
    report = graded.regrade(pass_mark=65)
    ada, grace = sorted(report.lines, key=lambda line: line.candidate)
    assert (ada.before.percent, ada.after and ada.after.percent) == (100, 100)
    assert grace.before.percent == 70
    assert grace.after is not None
    assert grace.after.percent == 60
    assert grace.change is not None
    assert (grace.change.checks, grace.change.crossed) == ((("A1", 5.0),), "down")
    assert grace.causes == ("points or texts",)
    assert sum(graded.runs.played.values()) == 2


def steady(sheet: ScoreSheet) -> dict[str, Any]:
    """A sheet without what is another run's in any case."""
    left = sheet.model_dump(exclude={"run", "started", "finished", "waited_seconds", "resources", "signature"})
    del left["provenance"]["exercise_digest"]
    return left


def accepted(desk: Desk) -> tuple[ScoreSheet, ScoreSheet]:
    """Grace's sheet before a regrade and after it."""
    file = desk.settings.out / "grace" / "sheet.json"
    before = read_sheet(file)
    regrading.accept(desk.settings, "tiny_sum", desk.regrade().regrade, "other points")
    return before, read_sheet(file)


def test_a_sheet_that_is_measured_again_has_the_same_signs(desk: Desk) -> None:
    submission = desk.stage.write("grace", "earns A1 0.5")
    (submission / "conftest.py").write_text("")
    desk.grade(submission)
    desk.change("checks/test_sums.py", "import pytest", "import os, pytest")
    before, after = accepted(desk)
    assert before.noticed
    assert steady(after) == steady(before)


def test_equal_work_of_two_people_is_one_run_after_it_as_well(desk: Desk) -> None:
    desk.grade(*(desk.stage.write(name, "earns A1 0.5") for name in ("ada", "grace")))
    desk.change("checks/test_sums.py", "points=6", "points=16")
    report = desk.regrade()
    assert {line.candidate: line.after and line.after.percent for line in report.lines} == {"ada": 60, "grace": 60}
    regrading.accept(desk.settings, "tiny_sum", report.regrade, "A1 weighs more")
    sheets = [read_sheet(desk.settings.out / name / "sheet.json") for name in ("ada", "grace")]
    assert [sheet.candidate for sheet in sheets] == ["ada", "grace"]
    assert sheets[0].run == sheets[1].run


def test_equal_work_that_gave_other_points_another_time_keeps_them(desk: Desk) -> None:
    desk.grade(*(desk.stage.write(name, "the same") for name in ("ada", "grace")))
    desk.runs.shares = {"A1": 0.5}
    desk.grade(desk.stage.write("grace", "the same"), fresh=True, replace=True)
    desk.change("checks/test_sums.py", "points=6", "points=16")
    report = desk.regrade()
    assert {line.candidate: line.after and line.after.percent for line in report.lines} == {"ada": 100, "grace": 60}


def test_a_regrade_that_was_broken_off_goes_on(graded: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    graded.change("checks/test_sums.py", "points=6", "points=16")
    with monkeypatch.context() as broken:
        broken.setattr(RegradeStore, "put", lambda *_: 1 / 0)  # the run is kept, and nothing says for whom
        with pytest.raises(ZeroDivisionError):
            graded.regrade()
    assert [line.after and line.after.percent for line in graded.regrade().lines] == [60, 100]


def test_code_of_checks_is_measured_again(graded: Desk) -> None:
    graded.change("checks/test_sums.py", "import pytest", "import os, pytest")
    graded.runs.shares = {"A1": 0.0}
    report = graded.regrade()
    assert {line.candidate: line.change and line.change.by for line in report.lines} == {"ada": -60, "grace": -30}
    assert report.lines[0].causes == ("the code of checks",)
    assert sum(graded.runs.played.values()) == 4
    graded.regrade()  # the same regrade goes on where it was
    assert sum(graded.runs.played.values()) == 4


def test_nothing_that_differs_means_nothing_is_run(graded: Desk) -> None:
    report = graded.regrade()
    assert [line.change and line.change.is_one for line in report.lines] == [False, False]
    assert sum(graded.runs.played.values()) == 2
    graded.regrade(again=True)
    assert sum(graded.runs.played.values()) == 4


@pytest.mark.parametrize("replaced", [True, False])
@pytest.mark.parametrize("kept_before", [True, False])
def test_a_regrade_takes_the_world_of_the_run_that_counts(desk: Desk, replaced: bool, kept_before: bool) -> None:
    ada = desk.stage.write("ada")
    desk.grade(ada)
    out = desk.settings.out if replaced else desk.settings.out.with_name("autumn")
    desk.grade(ada, candidate="ada", replace=replaced, out=out)  # the same files, on a variant of her own
    with store_at(desk.settings.data_dir) as store:
        (known,) = RegradeStore(store.runs).shown("tiny_sum")
        assert known.variant_of == ("ada" if replaced else None)
        if kept_before:  # by a version that kept whose variant the first one was
            with store.database.writing() as connection:
                connection.execute(update(schema.submissions).values(variant_of=None))
    (line,) = desk.regrade().lines
    assert (line.causes, line.change and line.change.is_one) == ((), False)
    assert sum(desk.runs.played.values()) == 2
    desk.change("checks/test_sums.py", "import pytest", "import os, pytest")
    report = desk.regrade()
    regrading.accept(desk.settings, "tiny_sum", report.regrade, "other code")
    made = read_sheet(desk.settings.out / "ada" / "sheet.json").provenance
    assert made.variant == ("candidate ada" if replaced else "shared")


def test_other_points_from_the_same_are_a_fact_for_a_person(graded: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    show(graded.regrade(again=True))
    assert "Other points from the same" not in capsys.readouterr().out
    graded.runs.shares = {"A1": 0.5}  # as if the programs knew that the day had come
    report = graded.regrade(again=True)
    assert {line.candidate: line.is_unsteady for line in report.lines} == {"ada": True, "grace": False}
    show(report)
    assert "Other points from the same files, exercise, images and hidden data: ada." in capsys.readouterr().out
    graded.change("checks/test_sums.py", "import pytest", "import os, pytest")
    assert not any(line.is_unsteady for line in graded.regrade().lines)


@pytest.mark.parametrize(
    ("file", "old", "new", "cause"),
    [
        ("data/generate.py", "import ", "import os; import ", "the hidden data's generator"),
        ("exercise.toml", "run_seconds = 120", "run_seconds = 110", "kind or limits of the exercise"),
    ],
)
def test_every_cause_is_named(graded: Desk, file: str, old: str, new: str, cause: str) -> None:
    graded.change(file, old, new)
    assert graded.regrade().lines[0].causes == (cause,)


def test_another_image_is_a_cause(graded: Desk) -> None:
    graded.stage.harness = graded.stage.harness_with("image 2")
    assert graded.regrade().lines[0].causes == ("the images that submissions and checks run in",)


def test_no_score_changes_before_it_is_accepted_with_a_reason(graded: Desk) -> None:
    graded.change("checks/test_sums.py", "points=6", "points=16")
    report = graded.regrade()
    assert shown(graded, "grace") == 70
    with pytest.raises(UsageError, match="Say why"):
        regrading.accept(graded.settings, "tiny_sum", report.regrade, " ")
    assert graded.regrade().lines[0].before.percent == 70
    accepted = regrading.accept(graded.settings, "tiny_sum", report.regrade[:8], "A1 weighs more")
    assert (accepted.changed, accepted.dropped) == (["ada", "grace"], [])
    sheet = read_sheet(graded.settings.out / "grace" / "sheet.json")
    assert (sheet.percent, is_genuine(sheet)) == (60, True)
    assert any("measured in run" in each for each in sheet.observations)
    assert len(list((graded.settings.out / "previous").glob("*/sheet.json"))) == 2
    assert '"grace","tiny_sum","1.0.0","graded","",12.0,20.0,60.0' in (graded.settings.out / "summary.csv").read_text()
    assert audit(graded) == [("accept", "A1 weighs more")] * 3
    with pytest.raises(UsageError, match="was accepted"):
        regrading.accept(graded.settings, "tiny_sum", report.regrade, "twice")


def test_ratings_that_a_new_run_does_not_hold_are_told(graded: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    part = make_notebook_sheet(make_review("Bo Ek"), make_review("Cy Young")).decision
    with store_at(graded.settings.data_dir) as store:
        sheet = read_sheet(graded.settings.out / "grace" / "sheet.json")
        store.runs.keep_renewed(sheet.model_copy(update={"decision": part}))
    show(graded.regrade())
    assert "Rated by people" not in capsys.readouterr().out  # the run that counts stays
    report = graded.regrade(again=True)
    assert {line.candidate: line.unrated for line in report.lines} == {"ada": (), "grace": ("Bo Ek", "Cy Young")}
    show(report)
    assert "Rated by people, which a new run does not hold: grace (Bo Ek, Cy Young)." in capsys.readouterr().out
    accepted = regrading.accept(graded.settings, "tiny_sum", report.regrade, "once more")
    show_accepted(accepted, as_json=False)
    assert "had rated in the old runs does not count any more: grace: Bo Ek, Cy Young." in capsys.readouterr().out
    with store_at(graded.settings.data_dir) as store, store.database.reading() as connection:
        details = [json.loads(each) for each in connection.execute(select(schema.audit_log.c.details)).scalars()]
    assert [each.get("reviews") for each in details] == [None, 2, None]


def test_what_is_not_complete_cannot_be_accepted(graded: Desk) -> None:
    graded.change("checks/test_sums.py", "import pytest", "import os, pytest")
    (artefact,) = {
        path
        for path in (graded.settings.data_dir / "artefacts").glob("??/*")
        if path.read_bytes()[:2] == b"\x1f\x8b" and _holds(path, graded)
    }
    artefact.write_bytes(b"damaged")
    report = graded.regrade()
    assert [(line.candidate, line.change is None) for line in report.lines] == [("grace", True), ("ada", False)]
    with pytest.raises(UsageError, match="grace is not complete"):
        regrading.accept(graded.settings, "tiny_sum", report.regrade, "why not")
    assert audit(graded) == []


def _holds(path: Path, desk: Desk) -> bool:
    from grader.store.artefacts import unpack

    return b"earns A1 0.5" in (unpack(path.read_bytes(), "").read("add.py") or b"")


def test_a_score_that_changed_meanwhile_stops_it(graded: Desk) -> None:
    graded.change("checks/test_sums.py", "points=6", "points=16")
    first = graded.regrade(batch="spring")
    second = graded.regrade()
    regrading.accept(graded.settings, "tiny_sum", first.regrade, "first")
    with pytest.raises(UsageError, match="was changed since this regrade"):
        regrading.accept(graded.settings, "tiny_sum", second.regrade, "second")


def test_what_does_not_exist_is_said(graded: Desk) -> None:
    with pytest.raises(UsageError, match="no batch 'autumn'") as caught:
        graded.regrade(batch="autumn")
    assert "spring" in caught.value.hint
    with pytest.raises(UsageError, match=r"Nothing was graded of tiny_sum 9\.9\.9"):
        graded.regrade(version="9.9.9")
    with pytest.raises(UsageError, match="no regrade of tiny_sum begins"):
        regrading.accept(graded.settings, "tiny_sum", "ffff", "why")


def test_the_report_in_the_terminal(graded: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    from grader.cli.regrade import _as_data, _show

    graded.change("checks/test_sums.py", "points=6", "points=16")
    report = graded.regrade(pass_mark=65)
    _show(report)
    told = capsys.readouterr().out
    assert "2 submissions, graded with tiny_sum 1.0.0: 0 would rise, 1 would fall, 0 stay as they are." in told
    assert f"--accept {report.regrade[:8]}" in told
    assert json.loads(json.dumps(_as_data(report)))["submissions"][0]["by"] == -10

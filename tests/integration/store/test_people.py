"""Holding, exporting and erasing people, on every database that is supported."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from grader import clock
from grader.errors import StoreFailed, UsageError
from grader.model.run import Fault, Party, RunStatus
from grader.store import schema
from grader.store.artefacts import ArtefactFolder
from grader.store.cohorts import read_cohort
from grader.store.dossiers import read_dossier
from grader.store.erasing import GONE, Eraser
from grader.store.opening import kept_at
from grader.store.people import People
from tests.integration.store.conftest import Desk, correct


@pytest.fixture
def eraser(desk: Desk, tmp_path: Path) -> Eraser:
    """Erases from a store where Ada has a score and a fault."""
    fault = Fault(party=Party.INFRASTRUCTURE, message="/home/ada is gone.", hint="Find it.")
    desk.grade("1", status=RunStatus.FAULTED, earned=None, faults=(fault,), candidate="Ada")
    desk.grade("2", candidate="Ada")
    return Eraser(desk.database, ArtefactFolder(tmp_path / "artefacts"))


def rows(desk: Desk, table: str) -> list[dict[str, object]]:
    with desk.database.reading() as connection:
        found = connection.execute(select(schema.metadata.tables[table]))
        return [dict(row._mapping) for row in found]


def test_what_stays_is_a_result_without_a_person(desk: Desk, eraser: Eraser) -> None:
    erasure = eraser.erase("Ada", "on request", "me")
    assert (len(erasure.traces.runs), erasure.traces.sheets, len(erasure.traces.artefacts)) == (2, 2, 2)
    (person,) = rows(desk, "candidates")
    assert (person["name"], person["erased"] is not None) == (None, True)
    assert rows(desk, "sheets") == rows(desk, "run_artefacts") == []
    assert [fault["message"] for fault in rows(desk, "faults")] == [GONE]
    (handed_in,) = rows(desk, "submissions")
    assert handed_in["label"] is handed_in["artefact"] is handed_in["variant_of"] is None
    assert str(rows(desk, "batch_items")[0]["place"]).startswith("erased-")
    (member,) = read_cohort(desk.database, "clean_parquet", "spring").members
    assert (member.candidate, member.percent > 0, len(member.answers) > 0) == ("", True, True)
    (line,) = rows(desk, "audit_log")
    assert (line["action"], line["subject"], "Ada" in str(line)) == ("erase", f"candidate {person['id']}", False)


def test_of_a_correction_the_fact_stays(desk: Desk, eraser: Eraser) -> None:
    sheet = desk.grade("3", key="l", candidate="Ada Lindqvist")
    correct(desk, sheet, sheet.checks[0].id, Decimal(0))
    dossier = read_dossier(desk.database, ArtefactFolder(Path("nowhere")), "Ada Lindqvist")
    (kept,) = [row for submission in dossier.submissions for run in submission.runs for row in run.overrides]
    assert (kept["earned"], kept["reason"], kept["who"]) == (0.0, "Ada had other data.", "Bo Ek")
    assert "override" in {str(line["action"]) for line in dossier.audit}
    for name in ("Ada", "Ada Lindqvist"):  # who handed in the very same
        eraser.erase(name, "on request", "me")
    (row,) = rows(desk, "overrides")
    assert (row["reason"], str(row["made"])[11:19]) == (GONE, "00:00:00")
    assert "Ada" not in str(rows(desk, "audit_log"))
    (member,) = [each for each in read_cohort(desk.database, "clean_parquet").members if each.corrections]
    assert sheet.percent is not None
    assert member.percent < sheet.percent


def test_neither_files_nor_the_seed_recognise_the_run(desk: Desk, eraser: Eraser) -> None:
    before = rows(desk, "runs")
    eraser.erase("Ada", "on request", "me")
    for old, new in zip(sorted(before, key=str), sorted(rows(desk, "runs"), key=str), strict=True):
        assert old["id"] == new["id"]
        assert not {old[name] for name in ("key", "submission_digest", "commitment")} & set(new.values())
        assert (new["earned"], new["answers"], new["seconds"]) == (old["earned"], old["answers"], old["seconds"])
        assert str(new["finished"]).endswith("00:00:00+00:00")


def test_what_two_people_share_stays_for_the_other(desk: Desk, eraser: Eraser) -> None:
    sheet = desk.store.sheet_of("2" * 32).model_copy(update={"candidate": "Grace"})
    desk.store.record(desk.delivery("Grace", "grace"), sheet)
    erasure = eraser.erase("Ada", "on request", "me")
    assert (erasure.traces.runs, len(erasure.traces.shared), erasure.traces.artefacts) == (frozenset(), 2, frozenset())
    assert desk.store.sheet_of("2" * 32) == sheet
    assert {run["submission_digest"] for run in rows(desk, "runs")} == {"s" * 64}
    last = eraser.erase("Grace", "on request", "me")
    assert (len(last.traces.runs), len(last.traces.artefacts)) == (2, 2)


def test_a_held_person_stays_and_so_does_everything(desk: Desk, eraser: Eraser) -> None:
    people = People(desk.database)
    people.hold("Ada", "case 7", "me")
    with pytest.raises(UsageError, match=r"legal hold \(case 7\)"):
        eraser.erase("Ada", "on request", "me")
    assert people.find("Ada").hold == "case 7"
    assert len(rows(desk, "sheets")) == 2
    people.release("Ada", "closed", "me")
    eraser.erase("Ada", "on request", "me")
    assert [line["action"] for line in rows(desk, "audit_log")] == ["hold", "release", "erase"]


def test_what_fails_in_between_leaves_the_person(desk: Desk, eraser: Eraser, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: ArtefactFolder, digest: str) -> None:
        raise StoreFailed(f"{digest} cannot be removed.")

    with monkeypatch.context() as patched:
        patched.setattr(ArtefactFolder, "remove", fail)
        with pytest.raises(StoreFailed, match="cannot be removed"):
            eraser.erase("Ada", "on request", "me")
    assert (len(rows(desk, "sheets")), rows(desk, "audit_log")) == (2, [])
    eraser.erase("Ada", "on request", "me")


def test_a_dossier_is_everything_in_values(desk: Desk, eraser: Eraser, tmp_path: Path) -> None:
    People(desk.database).hold("Ada", "case 7", "me")
    found = read_dossier(desk.database, ArtefactFolder(tmp_path / "artefacts"), "Ada")
    (submission,) = found.submissions
    assert [run.about["status"] for run in submission.runs] == ["faulted", "graded"]
    assert [len(run.sheets) for run in submission.runs] == [1, 1]
    assert submission.runs[0].faults[0]["message"] == "/home/ada is gone."
    with desk.database.reading() as connection:
        count = connection.execute(select(func.count()).select_from(schema.results)).scalar_one()
    assert sum(len(run.results) for run in submission.runs) == count
    assert [line["action"] for line in found.audit] == ["hold"]
    assert len(found.missing) == 3  # the archive, and a log of each run: only their digests were kept here


def test_a_later_run_counts_for_how_long_somebody_is_kept(desk: Desk, eraser: Eraser) -> None:
    people, now = People(desk.database), clock.now()
    assert [each.name for each in people.last_before(now + timedelta(days=1))] == ["Ada"]
    assert people.last_before(now - timedelta(days=1)) == []


def test_files_in_an_object_store_go_and_come_as_those_in_a_folder(desk: Desk) -> None:
    kept = kept_at(Path("unused"), "memory://people")
    artefact = kept.put(b"archive")
    desk.grade("1", candidate="Ada")
    with desk.database.writing() as connection:
        connection.execute(update(schema.submissions).values(artefact=artefact))
    (submission,) = read_dossier(desk.database, kept, "Ada").submissions
    assert submission.archive == b"archive"
    Eraser(desk.database, kept).erase("Ada", "on request", "me")
    with pytest.raises(StoreFailed, match="is not in memory://people"):
        kept.get(artefact)

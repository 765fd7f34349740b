"""Reading a cohort: of each person what came last, and the exercise as it was for whatever came last of all."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, update

from grader.model.exercise import Exercise
from grader.store.cohorts import read_cohort
from grader.store.schema import exercise_versions, runs, submissions
from grader.wiring import store_at
from tests.cohorts import cohort, fill
from tests.factories import STARTED


def test_the_exercise_is_that_of_the_newest_submission(tiny: Exercise, tmp_path: Path) -> None:
    """The first person hands in, another one does, then the first one again; each time the exercise is another."""
    people = cohort(tiny, 3).members
    first, second, third = people
    with store_at(tmp_path) as store:
        fill(store.database, tiny, people)
        with store.database.writing() as connection:
            for number, each in enumerate(people):
                manifest = tiny.manifest.model_copy(update={"title": f"Title {number}"})
                content = tiny.model_copy(update={"manifest": manifest}).model_dump_json(by_alias=True)
                version = {"exercise_id": tiny.id, "version": tiny.manifest.version, "components": "{}"}
                new = {"digest": f"{number}" * 64, "content": content, "first_seen": STARTED}
                connection.execute(insert(exercise_versions).values(**version, **new))
                connection.execute(update(runs).where(runs.c.id == each.run).values(exercise_digest=new["digest"]))
                place = update(submissions).where(submissions.c.id == each.submission)
                connection.execute(place.values(received=STARTED + timedelta(hours=number)))
            again = update(submissions).where(submissions.c.id == third.submission)
            connection.execute(again.values(candidate_id=first.id))
        found = read_cohort(store.database, tiny.id)
    assert [member.run for member in found.members] == [third.run, second.run]
    assert found.exercise.manifest.title == "Title 2"

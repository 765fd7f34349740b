"""Cohorts of people who do not exist: each has an ability, and each check a difficulty and noise."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import insert

from grader.model.exercise import Exercise
from grader.store import schema
from grader.store.cohorts import Cohort, Member
from grader.store.database import Database
from tests.factories import STARTED


def answers_of(exercise: Exercise, ability: float, random_: random.Random, steps: int = 5) -> dict[str, list[object]]:
    """Shares of one person, in a few steps."""
    found: dict[str, list[object]] = {}
    for number, check in enumerate(exercise.code_checks):
        wanted = ability + 0.25 * ((number % 5) - 2) / 2 + random_.gauss(0, 0.2)
        share = round(min(1.0, max(0.0, wanted)) * steps) / steps
        found[check.id] = [share, "passed" if share == 1 else "failed" if share == 0 else "partial"]
    return found


def cohort(exercise: Exercise, size: int, seed: int = 1, band: float | None = None) -> Cohort:
    """A cohort of this size."""
    random_ = random.Random(seed)
    people = [member(exercise, number, answers_of(exercise, random_.random(), random_), band) for number in range(size)]
    return Cohort(exercise=exercise, name="tiny, test", members=people, rejected=0, faulted=0, elsewhere={})


def member(exercise: Exercise, number: int, answers: dict[str, list[object]], band: float | None = None) -> Member:
    """A person with these answers."""
    points = {check.id: float(check.points) for check in exercise.code_checks}
    earned = sum(points[check] * float(str(answer[0])) for check, answer in answers.items())
    possible = sum(points.values())
    return Member(
        id=f"{number:032x}",
        candidate=f"Person {number}",
        label=f"{number}.zip",
        submission=f"{number:032x}",
        run=f"{number:032x}",
        percent=100 * earned / possible,
        earned=earned,
        possible=possible,
        seconds=20.0 + number % 7,
        band=band,
        answers={check: (float(str(answer[0])), str(answer[1])) for check, answer in answers.items()},
    )


def many_checks(exercise: Exercise, groups: str = "ABCDEF", each: int = 5) -> Exercise:
    """An exercise of many checks, made of the first check of another."""
    first = exercise.checks[0]
    checks = tuple(
        first.model_copy(update={"id": f"{group}{number}", "points": Decimal(3), "title": f"Check {group}{number}"})
        for group in groups
        for number in range(1, each + 1)
    )
    manifest = exercise.manifest.model_copy(update={"groups": {group: group for group in groups}, "notebook": None})
    return exercise.model_copy(update={"checks": checks, "manifest": manifest})


def fill(database: Database, exercise: Exercise, people: Sequence[Member]) -> None:
    """Put a cohort into a store, as grading would."""
    version = {"digest": exercise.digest, "exercise_id": exercise.id, "version": exercise.manifest.version}
    shared = {
        "exercise_digest": exercise.digest,
        "commitment": "c",
        "images": "{}",
        "harness": "h",
        "owner": "test",
        "lease_until": STARTED,
        "started": STARTED,
        "finished": STARTED,
        "status": "graded",
    }
    with database.writing() as connection:
        connection.execute(insert(schema.exercises).values(id=exercise.id, title="A test"))
        content = {"content": exercise.model_dump_json(by_alias=True), "components": "{}", "first_seen": STARTED}
        connection.execute(insert(schema.exercise_versions).values(**version, **content))
        batch = {"id": "b" * 32, "name": "spring", "exercise_id": exercise.id, "folder": "/spring", "created": STARTED}
        connection.execute(insert(schema.batches).values(**batch))
        connection.execute(
            insert(schema.candidates), [{"id": each.id, "name": each.candidate, "created": STARTED} for each in people]
        )
        connection.execute(
            insert(schema.runs),
            [
                {
                    **shared,
                    "id": each.run,
                    "key": each.run,
                    "submission_digest": each.id,
                    "seconds": each.seconds,
                    "earned": round(each.earned * 100),
                    "possible": round(each.possible * 100),
                    "answers": json.dumps(each.answers),
                    "band": each.band,
                }
                for each in people
            ],
        )
        connection.execute(
            insert(schema.submissions),
            [
                {
                    "id": each.submission,
                    "candidate_id": each.id,
                    "exercise_id": exercise.id,
                    "label": each.label,
                    "digest": each.id,
                    "received": STARTED,
                    "shown_run": each.run,
                }
                for each in people
            ],
        )
        items = [{"batch_id": "b" * 32, "place": each.label, "submission_id": each.submission} for each in people]
        connection.execute(insert(schema.batch_items), items)
        sheets = [
            {
                "submission_id": each.submission,
                "run_id": each.run,
                "number": 1,
                "digest": "d",
                "content": zlib.compress(b"{}"),
                "made": STARTED,
            }
            for each in people
        ]
        connection.execute(insert(schema.sheets), sheets)

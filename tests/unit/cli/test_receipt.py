"""Receipts of a preflight: what was seen, what will be run, what to do; for every kind of exercise."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from grader.catalog.exercises import load_exercise
from grader.cli.receipt import Receipt
from grader.errors import SubmissionRejected
from grader.intake.manifest import read_manifest
from grader.model.exercise import CallablePart, CommandPart, NotebookKindPart, NotebookPart, Part, ServicePart
from grader.model.reasons import Rejection
from grader.model.submission import Submission, SubmissionFile, digest_files
from tests.conftest import TINY

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
COMMAND = CommandPart(kind="command", argv=("python", "add.py"), entry="add.py")
CALLABLE = CallablePart(kind="callable", entry="drift:DriftDetector")
SERVICE = ServicePart(kind="service", argv=("uvicorn", "app:app", "--port", "$PORT"), entry="app.py")
NOTEBOOK = NotebookKindPart(kind="notebook", path="sum.ipynb")
FILES = {"add.py": "1", "drift.py": "2", "app.py": "3", "sum.ipynb": "4"}
DECLARED = '[declaration]\nai_use = "none"\n'


def submission(**more: str) -> Submission:
    texts = FILES | {name.replace("__", "."): text for name, text in more.items()}
    files = tuple(SubmissionFile(path=path, content=text.encode()) for path, text in sorted(texts.items()))
    return Submission(label="ada.zip", files=files, digest=digest_files(files))


def receipt(handed_in: Submission, part: Part = COMMAND, notebook: bool = False) -> Receipt:
    values = {"part": part, "notebook": NotebookPart() if notebook else None}
    exercise = load_exercise(TINY).manifest.model_copy(update=values)
    manifest, notes = read_manifest(handed_in, part)
    return Receipt(
        exercise=exercise,
        label=handed_in.label,
        received=NOON,
        submission=handed_in,
        manifest=manifest,
        observations=notes,
    )


@pytest.mark.parametrize(
    ("part", "runs"),
    [
        (COMMAND, "python add.py, and what the brief appends"),
        (CALLABLE, "DriftDetector, imported from drift"),
        (SERVICE, "uvicorn app:app --port $PORT, with $PORT set"),
        (NOTEBOOK, "sum.ipynb, from top to bottom"),
    ],
)
def test_says_what_will_be_run(part: Part, runs: str) -> None:
    assert receipt(submission(), part).as_json()["runs"] == runs


def test_says_what_was_seen() -> None:
    data = receipt(submission(submission__toml=DECLARED, decision__ipynb="{}"), notebook=True).as_json()
    assert data["gradable"] is True
    assert data["paths"] == ["add.py", "app.py", "decision.ipynb", "drift.py", "submission.toml", "sum.ipynb"]
    assert (data["notebook"], data["ai_declared"], data["hints"]) == ("decision.ipynb", True, [])
    assert data["received"] == "2026-11-24T12:00:00+00:00"


def test_a_service_is_told_that_it_was_not_started() -> None:
    assert any("was not started" in hint for hint in receipt(submission(), SERVICE).hints)
    assert not any("was not started" in hint for hint in receipt(submission()).hints)


def test_hints_at_what_is_missing_and_harmless() -> None:
    hints = receipt(submission(), notebook=True).hints
    assert [hint.split()[0] for hint in hints] == ["Without", "Say"]
    assert [hint.split()[0] for hint in receipt(submission()).hints] == ["Say"]


def test_the_number_names_what_was_received_and_when() -> None:
    first, other = receipt(submission()), receipt(submission(notes__md="x"))
    assert first.number == receipt(submission()).number
    assert first.number != other.number
    assert first.number.startswith("20261124-")


def test_a_rejection_is_an_answer_with_its_reason_and_its_hint() -> None:
    rejection = SubmissionRejected(Rejection.NOT_ARCHIVE, "'ada.pdf' is a PDF.", hint="Hand in the folder.")
    refused = Receipt(exercise=load_exercise(TINY).manifest, label="ada.pdf", received=NOON, rejection=rejection)
    assert refused.as_json() | {"gradable": False, "reason": "not_archive", "digest": None} == refused.as_json()
    said = dict(refused.lines())
    assert (said["why"], said[""]) == ("The file is not a zip or tar archive.", "'ada.pdf' is a PDF.")
    assert said["hint"] == "Hand in the folder."


def test_folders_are_counted_in_place_of_a_long_list() -> None:
    many = Submission(
        label="ada",
        files=(
            *(SubmissionFile(path=f"lib/{number}.py", content=b"") for number in range(30)),
            SubmissionFile(path="add.py", content=b"1"),
        ),
        digest="0" * 64,
    )
    assert dict(receipt(many).lines())["files"] == "31 files, 1 bytes: lib/ (30 files), add.py"


@pytest.mark.parametrize("part", [COMMAND, CALLABLE, SERVICE])
def test_nothing_of_the_checks_is_said(part: Part) -> None:
    exercise = load_exercise(TINY)
    shown = receipt(submission(), part, notebook=True)
    said = f"{shown.as_json()} {list(shown.lines())}"
    hidden = [text for check in exercise.checks for text in (check.title, check.function, check.question) if text]
    assert not [text for text in [*hidden, "points", "public_seed"] if text in said.replace("its own points are", "")]

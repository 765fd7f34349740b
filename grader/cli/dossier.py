"""What `grader candidate export` writes: everything about one person, as files that this person can open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grader.model.sheet import Audience, ScoreSheet
from grader.render import json_sheet
from grader.render.files import export_sheet
from grader.render.json_text import json_text
from grader.store.dossiers import Dossier, HandedIn, KeptRun

SUBMISSION_LOG = "submission.log"
"""What the candidate's own program printed; other logs are about hidden checks."""


def dossier_files(dossier: Dossier, audience: Audience, key: bytes) -> dict[str, bytes]:
    """Return every file of the folder, by path.

    Args:
        dossier: Everything about the person.
        audience: AUTHOR for all of it; CANDIDATE leaves out what tells of hidden checks.
        key: 32 bytes that sign what is made anew.
    """
    whole = audience is Audience.AUTHOR
    person = dossier.person
    about = {
        "name": person.name,
        "id": person.id,
        "first_seen": person.created.isoformat(),
        "last_run_or_submission": person.last.isoformat(),
        "legal_hold": person.hold,
    }
    files = {"README.txt": _readme(dossier, whole=whole), "person.json": _json(about)}
    if whole:
        files["audit.json"] = _json(dossier.audit)
    for number, submission in enumerate(dossier.submissions, start=1):
        folder = f"{number}-{submission.about['exercise_id']}"
        files |= {f"{folder}/{name}": content for name, content in _submission(submission, key, whole=whole)}
    return files


def _submission(submission: HandedIn, key: bytes, *, whole: bool) -> Iterator[tuple[str, bytes]]:
    left_out = () if whole else ("batches", "regrades", "shown_run")
    yield "submission.json", _json({name: value for name, value in submission.about.items() if name not in left_out})
    if submission.archive is not None:
        yield "submission.tar.gz", submission.archive
    for run in submission.runs:
        folder = f"run-{str(run.about['id'])[:8]}"
        for name, content in _run_whole(run, key) if whole else _run_for_candidate(run, key):
            yield f"{folder}/{name}", content


def _run_whole(run: KeptRun, key: bytes) -> Iterator[tuple[str, bytes]]:
    yield "run.json", _json(run.about)
    for name, rows in (("results", run.results), ("faults", run.faults), ("overrides", run.overrides)):
        if rows:
            yield f"{name}.json", _json(rows)
    yield from run.logs.items()
    for number, older in enumerate(run.sheets[:-1], start=1):
        yield f"sheet.older-{number}.json", json_sheet.render(older).encode()
    for sheet in run.sheets[-1:]:
        yield "sheet.json", json_sheet.render(sheet).encode()
        yield "sheet.html", _page(sheet, Audience.RECRUITER, key)
        yield "sheet.candidate.html", _page(sheet, Audience.CANDIDATE, key)


def _run_for_candidate(run: KeptRun, key: bytes) -> Iterator[tuple[str, bytes]]:
    if SUBMISSION_LOG in run.logs:
        yield SUBMISSION_LOG, run.logs[SUBMISSION_LOG]
    for sheet in run.sheets[-1:]:
        yield "sheet.json", export_sheet(sheet, "json", Audience.CANDIDATE, key).encode()
        yield "sheet.html", _page(sheet, Audience.CANDIDATE, key)


def _page(sheet: ScoreSheet, audience: Audience, key: bytes) -> bytes:
    return export_sheet(sheet, "html", audience, key).encode()


def _json(value: Mapping[str, object] | object) -> bytes:
    return (json_text(value) + "\n").encode()


_WHOLE = """\
- audit.json: what people decided about {name} or this work (holds, replaced and corrected scores), when, and why.
- 1-..., 2-... : one folder for each thing that was handed in, the oldest first.
    submission.json     what it was called, when it came, whose hidden data it was graded on
    submission.tar.gz   the files themselves, just as they were graded
    run-.../            one folder for each time it was graded:
        sheet.html            the score sheet for interviewers; open it in a browser
        sheet.candidate.html  the score sheet for the candidate
        sheet.json            the whole score sheet, signed (`grader sheet verify`)
        sheet.older-....json  the same before people changed it, for instance by a review
        run.json, results.json, faults.json, overrides.json
                              the same as the database keeps it; points, seconds, shares from 0 to 1
        ....log               what the programs printed while they ran

Before you hand this on: sheet.html, sheet.json, results.json and the logs tell of the hidden checks, and reviews
name the people who wrote them. `grader candidate export --audience candidate` leaves all of that out.
"""

_FOR_CANDIDATE = """\
- 1-..., 2-... : one folder for each thing that you handed in, the oldest first.
    submission.json     what it was called, when it came, whose data it was graded on
    submission.tar.gz   the files themselves, just as they were graded
    run-.../            one folder for each time it was graded:
        sheet.html          your score sheet; open it in a browser
        sheet.json          the same for programs, signed
        submission.log      what your program printed while it ran

Left out is what would give the hidden checks away: their evidence and logs, and the notes of interviewers.
"""


def _readme(dossier: Dossier, *, whole: bool) -> bytes:
    name, count = dossier.person.name, len(dossier.submissions)
    things = "one thing that was handed in" if count == 1 else f"{count} things that were handed in"
    head = f"This is what grader keeps about {name}: {things}, and how it was graded.\n\n"
    files = "- person.json: the name, since when it is known, and whether something forbids erasing it.\n"
    text = head + files + (_WHOLE.format(name=name) if whole else _FOR_CANDIDATE)
    if any(run.about["shared_with_equal_work"] for each in dossier.submissions for run in each.runs) and whole:
        text += (
            "\nSomebody else handed in the very same files, so that a run is theirs as well (run.json says which).\n"
        )
    if dossier.missing:
        text += "\nNot complete. These kept files are gone or damaged:\n"
        text += "".join(f"- {each}\n" for each in dossier.missing)
    return (text + "\nAll files are text or web pages, but the .tar.gz archives. Moments are UTC.\n").encode()

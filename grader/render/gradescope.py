"""The candidate's sheet as `results.json`, which Gradescope shows to whoever handed in.

Gradescope makes its own total from `score`. A run without a total therefore gets no score and
no tests, which Gradescope reports as a failed run: a fault must never look like zero points.
A rejected submission does get zero there, because Gradescope has no other word for it; the text
says that no check was run.

The score is that of the code. Checks of the decision notebook are shown by their outcome, without points, so
that nobody adds them to it.
"""

from __future__ import annotations

from typing import Any

from grader.errors import UsageError
from grader.model.result import Outcome
from grader.model.sheet import Audience, CheckLine, RejectionNote, ScoreSheet
from grader.render import notebook_words, override_words, words
from grader.render.json_text import json_text
from grader.render.text import visible


def render(sheet: ScoreSheet) -> str:
    """Return the JSON document.

    Raises:
        UsageError: The sheet was made for somebody else than the candidate.
    """
    if sheet.audience is not Audience.CANDIDATE:
        raise UsageError(
            f"results.json is shown to candidates, and this sheet was made for the {sheet.audience}.",
            hint="Export it with --audience candidate.",
        )
    return json_text(_results(sheet)) + "\n"


def _results(sheet: ScoreSheet) -> dict[str, Any]:
    results: dict[str, Any] = {
        "output": visible(words.headline(sheet)),
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "execution_time": round(sheet.resources.wall_seconds),
        "tests": [],
    }
    if sheet.rejection is not None:
        return results | {"score": 0.0, "output": _explain(sheet.rejection)}
    if sheet.earned is None:
        told = [f"{fault.message} {fault.hint}".strip() for fault in sheet.faults]
        return results | {"output": "\n".join(map(visible, [words.headline(sheet), *told]))}
    notebook = notebook_words.sentence(sheet)
    return results | {
        "score": float(sheet.earned),
        "output": "\n".join(
            visible(text) for text in (words.headline(sheet), override_words.sentence(sheet), notebook) if text
        ),
        "extra_data": {"run": sheet.run, "possible": float(sheet.possible)},
        "tests": [*map(_test, sheet.code_checks), *map(_notebook_test, sheet.notebook_checks)],
    }


def _explain(note: RejectionNote) -> str:
    told = (
        "This submission could not be graded. No check was run.",
        note.words,
        note.message,
        note.hint,
        f"Reason code: {note.reason}",
    )
    return "\n".join(visible(text, lines=True) for text in told if text)


def _test(check: CheckLine) -> dict[str, Any]:
    return {
        "name": visible(f"{check.id} {check.title}"),
        "number": visible(check.id),
        "score": float(check.earned or 0),
        "max_score": float(check.possible),
        "status": "passed" if check.outcome is Outcome.PASSED else "failed",
        "visibility": "visible",
        "output": "\n".join(visible(text) for text in _told(check) if text),
        "output_format": "text",
        "name_format": "text",
        "tags": [visible(check.competency)],
    }


def _notebook_test(check: CheckLine) -> dict[str, Any]:
    shown = {name: value for name, value in _test(check).items() if name not in ("score", "max_score")}
    return shown | {"name": visible(f"Decision notebook: {check.id} {check.title}")}


def _told(check: CheckLine) -> tuple[str, ...]:
    outcome = words.OUTCOME_WORDS[check.outcome]
    return outcome[0].upper() + outcome[1:] + ".", override_words.mark(check), check.words, check.feedback

"""Can this submission be graded? A look at its Python, and an import of its entry point, in its box."""

from __future__ import annotations

from collections.abc import Iterable

from grader.engine.submission_box import Measured, SubmissionBox, SubmissionFailure
from grader.errors import SubmissionRejected
from grader.frames import BrokenFrame, strict_json
from grader.intake.programs import Entry
from grader.model.exercise import Limits
from grader.model.reasons import Rejection

LOOK_SECONDS = 20.0
# A script may read at import what it is always given, and was not given here: its first run tells.
FOR_WANT_OF_ARGUMENTS = ("IndexError", "ValueError")
TEXT_CAP = 300  # of a stranger's own words; whoever shows them makes control characters visible


def preflight(box: SubmissionBox, started: Entry | None, limits: Limits, packages: Iterable[str]) -> None:
    """Refuse what could not earn a single point, before any is at stake.

    Looks at Python files only, and imports the entry point only where that does not start its work
    (where it tests `__name__`): for any other program the checks themselves are the first run.

    Args:
        box: The submission's box; sessions are opened in it.
        started: Where the program begins; None when no file of the submission is named.
        limits: The exercise's limits.
        packages: What is installed in the image, for the message about a missing package.

    Raises:
        SubmissionRejected: With a reason and what to do about it.
    """
    box.open_session()
    if started is None or not started.path.endswith(".py"):
        return
    findings = _look(box, started.path)
    if findings.get("problem") == "syntax":
        raise SubmissionRejected(
            Rejection.SYNTAX_ERROR,
            f"{_place(findings)}: {_text(findings, 'message')}",
            hint="Run `python -m py_compile` on the file; grading uses Python 3.13.",
        )
    if findings.get("problem") == "package":
        raise SubmissionRejected(
            Rejection.MISSING_PACKAGE,
            f"{_place(findings)} imports {_text(findings, 'package')}, which is not available while grading.",
            hint="Nothing can be installed then. Available: " + ", ".join(sorted(packages)) + ".",
        )
    if started.imports_only and (started.attribute or findings.get("guarded") is True):
        _import(box, started, limits)


def _look(box: SubmissionBox, entry: str) -> dict[str, object]:
    header = {"entry": entry, "seconds": LOOK_SECONDS, "printed": 65536}
    try:
        reply = box.request("look", header, b"", LOOK_SECONDS).reply
        split = reply.header.get("stdout")
        findings = strict_json(reply.body[: split if isinstance(split, int) else 0])
    except (SubmissionFailure, BrokenFrame):
        findings = None
    if not isinstance(findings, dict):
        raise SubmissionRejected(
            Rejection.SYNTAX_ERROR,
            f"{entry} cannot be parsed: Python's own parser gives up on it.",
            hint="Look for code that is nested extremely deep or lines that are extremely long.",
        )
    return findings


def _import(box: SubmissionBox, started: Entry, limits: Limits) -> None:
    entry = started.attribute or started.path
    header = {"entry": entry, "seconds": limits.start_seconds, "printed": int(limits.printed)}
    try:
        measured = box.request("probe", header, b"", limits.start_seconds)
    except SubmissionFailure as failure:
        raise SubmissionRejected(
            Rejection.IMPORT_ERROR, f"Importing {entry} ends its sandbox: {failure.message}"
        ) from failure
    ended = measured.reply.header
    if ended.get("timed_out") is True:
        raise SubmissionRejected(
            Rejection.IMPORT_TIMEOUT,
            f"Importing {entry} takes longer than {limits.start_seconds:.0f} s.",
            hint="Do the work in functions, so that importing the file is quick.",
        )
    last = _last_line(measured)
    if not started.attribute and last.startswith(FOR_WANT_OF_ARGUMENTS):
        return
    # A program that ends itself while it is imported is odd, but it has not failed.
    if ended.get("status") != 0 and ("Error" in last or "Exception" in last or ended.get("oom") is True):
        raise SubmissionRejected(
            Rejection.IMPORT_ERROR,
            f"Importing {entry} stops with: {last}",
            hint="Run the program once from a fresh folder that holds only what you hand in.",
        )


def _last_line(measured: Measured) -> str:
    split = measured.reply.header.get("stdout")
    stderr = measured.reply.body[split if isinstance(split, int) else 0 :].decode("utf-8", "replace")
    lines = [line for line in stderr.splitlines() if line.strip()]
    return lines[-1].strip()[:TEXT_CAP] if lines else "(nothing was printed)"


def _place(findings: dict[str, object]) -> str:
    return f"{_text(findings, 'file')} line {_text(findings, 'line')}"


def _text(findings: dict[str, object], name: str) -> str:
    return str(findings.get(name, "?"))[:TEXT_CAP]

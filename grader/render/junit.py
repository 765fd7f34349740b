"""The score sheet as JUnit XML (the xunit2 family that pytest writes), for build servers.

JUnit knows no half points: a check that lost any is a failure, and says how much it earned.
A rejected submission is one failure and a check without an answer is an error, so that no
build server can take either for a success.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from grader.model.sheet import CheckLine, ScoreSheet
from grader.render import notebook_words, override_words, words
from grader.render.text import visible


def render(sheet: ScoreSheet) -> str:
    """Return the XML document."""
    root = Element("testsuites", name="grader")
    suite = SubElement(root, "testsuite", name=visible(sheet.exercise.id))
    _properties(suite, sheet)
    if sheet.rejection is not None:
        _rejected(suite, sheet)
    for check in sheet.code_checks:
        _check(suite, sheet, check)
    if sheet.open_faults and not words.unmeasured(sheet):
        _faulted(suite, sheet)
    _count(suite, sheet)
    if sheet.decision is not None:
        _notebook(root, sheet)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _notebook(root: Element, sheet: ScoreSheet) -> None:
    """A suite of its own, so that the first one is about code as it always was."""
    suite = SubElement(root, "testsuite", name=visible(f"{sheet.exercise.id}.notebook"))
    properties = SubElement(suite, "properties")
    SubElement(properties, "property", name="points", value=visible(notebook_words.sentence(sheet)))
    for check in sheet.notebook_checks:
        _check(suite, sheet, check)
    _count(suite, sheet)
    suite.attrib["time"] = f"{sum(check.seconds for check in sheet.notebook_checks):.3f}"


def _count(suite: Element, sheet: ScoreSheet) -> None:
    suite.attrib |= {
        "tests": str(len(suite.findall("testcase"))),
        "failures": str(len(suite.findall("testcase/failure"))),
        "errors": str(len(suite.findall("testcase/error"))),
        "skipped": "0",
        "time": f"{sheet.resources.wall_seconds:.3f}",
        "timestamp": sheet.started.isoformat(),
        "hostname": "grader",
    }


def _properties(suite: Element, sheet: ScoreSheet) -> None:
    facts = {
        "candidate": sheet.candidate,
        "exercise version": sheet.exercise.version,
        "run": sheet.run,
        "status": sheet.status.value,
    }
    if sheet.earned is not None:
        facts |= {"earned": words.points(sheet.earned), "possible": words.points(sheet.possible)}
    if sheet.overridden:
        facts |= {"overrides": override_words.sentence(sheet)}
    properties = SubElement(suite, "properties")
    for name, value in facts.items():
        SubElement(properties, "property", name=name, value=visible(value))


def _case(suite: Element, classname: str, name: str, seconds: float = 0.0) -> Element:
    return SubElement(suite, "testcase", classname=visible(classname), name=visible(name), time=f"{seconds:.3f}")


def _rejected(suite: Element, sheet: ScoreSheet) -> None:
    note = sheet.rejection
    assert note is not None
    case = _case(suite, f"{sheet.exercise.id}.intake", "The submission can be graded")
    failure = SubElement(case, "failure", type=note.reason.value, message=visible(note.words))
    failure.text = visible(f"{note.message}\n{note.hint}".strip(), lines=True)


def _faulted(suite: Element, sheet: ScoreSheet) -> None:
    case = _case(suite, f"{sheet.exercise.id}.run", "The run is complete")
    error = SubElement(case, "error", type="faulted", message="The run has no total.")
    error.text = visible("\n".join(fault.message for fault in sheet.faults), lines=True)


def _check(suite: Element, sheet: ScoreSheet, check: CheckLine) -> None:
    case = _case(suite, f"{sheet.exercise.id}.{check.group}", f"{check.id} {check.title}", check.seconds)
    score = f"{words.points(check.earned)} of {words.points(check.possible)} points"
    if check.earned is None:
        SubElement(case, "error", type="not_measured", message="This check has no answer yet.")
    elif check.earned < check.possible:
        outcome = words.OUTCOME_WORDS[check.outcome]
        kind = check.reason.value if check.reason else outcome
        message = visible(f"{outcome}, {score}: {check.words}".removesuffix(": "))
        failure = SubElement(case, "failure", type=kind, message=message)
        failure.text = _details(check)


def _details(check: CheckLine) -> str:
    facts = [f"{fact.label}: {fact.value}" for fact in check.evidence]
    corrected = (override_words.mark(check), override_words.why(check))
    told = (text for text in (*corrected, check.because, check.feedback, *facts) if text)
    return "\n".join(visible(text, lines=True) for text in told)

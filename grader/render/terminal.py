"""Score sheets in the terminal.

Everything becomes `rich.text.Text`: markup is never parsed from data, and escape sequences that
a submission smuggled in are shown instead of obeyed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.model.result import Outcome
from grader.model.run import RunStatus
from grader.model.sheet import Audience, CheckLine, ScoreSheet, Subtotal
from grader.render import notebook_words, override_words, words
from grader.render.text import visible

if TYPE_CHECKING:
    from grader.sandbox.doctor import Finding

_OUTCOME_STYLES: dict[Outcome | None, str] = {
    Outcome.PASSED: "green",
    Outcome.PARTIAL: "yellow",
    Outcome.FAILED: "red",
    Outcome.BLOCKED: "magenta",
    Outcome.SKIPPED: "dim",
    None: "dim",
}
_STATUS_STYLES = {RunStatus.GRADED: "green", RunStatus.REJECTED: "red", RunStatus.FAULTED: "yellow"}
_LEVELS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "error": ("✗", "red")}
_BAR_WIDTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryRow:
    """What the summary shows of a sheet; a batch holds thousands of these, and of sheets only those at work."""

    candidate: str
    submission: str
    status: RunStatus
    total: str
    percent: float | None
    extremes: tuple[str, ...]
    note: str


def summary_row(sheet: ScoreSheet) -> SummaryRow:
    """Take from a sheet what the summary shows."""
    return SummaryRow(
        candidate=sheet.candidate,
        submission=sheet.submission,
        status=sheet.status,
        total=_total(sheet),
        percent=words.share(sheet.earned, sheet.possible),
        extremes=tuple(_subtotal(each) for each in words.extremes(sheet.competencies) or ()),
        note=_note(sheet),
    )


def summary_table(rows: Iterable[SummaryRow]) -> RenderableType:
    """Return the summary of a batch, one line per submission."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Submission", overflow="fold")
    table.add_column("Status")
    table.add_column("Points", justify="right", no_wrap=True)
    table.add_column("Strongest, weakest")
    table.add_column("Note", overflow="fold")
    for row in rows:
        table.add_row(
            _whose(row),
            _text(row.status.value, _STATUS_STYLES.get(row.status, "")),
            Text("\n").join((_text(row.total), _bar(row.percent, 10))),
            Text("\n").join(map(_text, row.extremes)),
            _text(row.note),
        )
    return table


def _whose(row: SummaryRow) -> Text:
    """The file, and above it the person where its name does not begin with theirs: forks are often called alike."""
    if row.submission.casefold().startswith(row.candidate.casefold()):
        return _text(row.submission)
    return Text.assemble(_text(row.candidate), "\n", _text(row.submission, "dim"))


def _note(sheet: ScoreSheet) -> str:
    if sheet.rejection is not None:
        return sheet.rejection.words
    who = dict.fromkeys(words.WHO_ACTS[fault.party] for fault in sheet.open_faults)
    return f"To act: {', '.join(who)}." if who else ""


def findings_table(findings: Iterable[Finding]) -> RenderableType:
    """Return what `grader doctor` found, one line per thing looked at."""
    table = Table.grid(padding=(0, 2))
    for finding in findings:
        symbol, style = _LEVELS.get(finding.level, ("?", ""))
        told = _text(finding.what)
        if finding.hint:
            told = Text.assemble(told, "\n", _text(finding.hint, "cyan"))
        table.add_row(_text(f"{symbol} {finding.level}", style), _text(finding.id, "dim"), told)
    return table


def _subtotal(each: Subtotal) -> str:
    percent = words.percent(each.earned, each.possible).replace(" ", "")
    return f"{each.title} {percent}"


def _total(sheet: ScoreSheet) -> str:
    if sheet.rejection is not None:
        return words.DASH
    if sheet.earned is None and sheet.lowest is not None and sheet.highest is not None:
        return f"{words.points(sheet.lowest)}{words.DASH}{words.points(sheet.highest)}"
    return f"{words.points(sheet.earned)} / {words.points(sheet.possible)}"


def _bar(percent: float | None, width: int = _BAR_WIDTH) -> Text:
    if percent is None:
        return Text()
    filled = round(width * percent / 100)
    # Two shapes, so that the bar can be read without colours too.
    return Text.assemble(("━" * filled, "cyan"), ("╌" * (width - filled), "bright_black"))


def sheet_view(sheet: ScoreSheet) -> RenderableType:
    """Return one score sheet, as `grader sheet show` prints it."""
    parts: list[RenderableType] = [*_head(sheet), *_notices(sheet)]
    if sheet.rejection is None:
        parts += [_subtotals("By competency", sheet.competencies), _checks(sheet.code_checks), *_notebook(sheet)]
        parts += _next(sheet)
    parts += _foot(sheet)
    return Group(*parts)


def _text(value: str, style: str = "") -> Text:
    return Text(visible(value), style=style)


def _title(value: str) -> RenderableType:
    return Padding(_text(value, "bold"), (1, 0, 0, 0))


def _head(sheet: ScoreSheet) -> Iterator[RenderableType]:
    exercise = f"  {sheet.exercise.title} {sheet.exercise.version}"
    yield Text.assemble(_text(sheet.candidate, "bold"), _text(exercise, "dim"))
    yield _text(words.headline(sheet))
    if sheet.earned is not None:
        yield _bar(words.share(sheet.earned, sheet.possible), 60)
    if sheet.overridden:
        yield _text(override_words.sentence(sheet), "yellow")
    if words.band(sheet):
        yield _text(words.band(sheet), "dim")


def _notices(sheet: ScoreSheet) -> Iterator[RenderableType]:
    if sheet.rejection is not None:
        note = sheet.rejection
        yield _title("Why")
        yield Text.assemble(_text(note.words, "red"), " ", _text(f"({note.reason})", "dim"))
        yield _text(note.message)
        if note.hint:
            yield _text(note.hint, "cyan")
    elif sheet.open_faults:
        yield _title("Why there is no total yet")
        for fault in sheet.open_faults:
            who = "" if sheet.audience is Audience.CANDIDATE else f"{words.WHO_ACTS[fault.party]}: "
            yield Text.assemble(_text(who, "yellow"), _text(fault.message))
            yield _text(fault.hint, "cyan")
    if sheet.observations:
        yield _title("Please note")
        yield from (Text.assemble("• ", _text(observation)) for observation in sheet.observations)
    if sheet.noticed:
        yield _title("What the harness noticed")
        yield from (Text.assemble("• ", _text(words.noticed(each), "yellow")) for each in sheet.noticed)
        yield _text(words.NOTICED_NOTE, "dim")


def _subtotals(title: str, rows: Sequence[Subtotal]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column()
    table.add_column(justify="right")
    table.add_column(justify="right")
    for row in rows:
        score = f"{words.points(row.earned)} / {words.points(row.possible)}"
        percent = words.percent(row.earned, row.possible)
        table.add_row(_text(row.title), _bar(words.share(row.earned, row.possible)), _text(score), _text(percent))
    return Group(_title(title), table)


def _notebook(sheet: ScoreSheet) -> Iterator[RenderableType]:
    part = sheet.decision
    if part is None:
        return
    yield _title("Decision notebook, apart from the code")
    yield _text(notebook_words.sentence(sheet))
    yield _text(notebook_words.sum_shown(sheet), "dim")
    yield _checks(sheet.notebook_checks)
    if sheet.audience is Audience.CANDIDATE or not part.handed_in:
        return
    for row in notebook_words.rubric_rows(part):
        yield Text.assemble(_text(row.dimension.title, "bold"), "  ", _text(row.score, "dim"))
        for voice in row.voices:
            yield Text.assemble("  ", _text(f"{voice.reviewer}: {voice.rating}"), "  ", _text(voice.why, "dim"))
    if notebook_words.needs_reviews(sheet):
        yield _text("To rate it: grader sheet rubric sheet.json", "cyan")


def _checks(checks: Iterable[CheckLine]) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Check", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("Points", justify="right", no_wrap=True)
    table.add_column("Title and reason", overflow="fold")
    for check in checks:
        table.add_row(*_check_cells(check))
    return table


def _check_cells(check: CheckLine) -> tuple[Text, ...]:
    told = " ".join(text for text in (check.words, check.because) if text)
    title = _text(check.title)
    if check.override:
        corrected = f"{override_words.mark(check)} {override_words.why(check)}".rstrip()
        title = Text.assemble(title, "\n", _text(corrected, "yellow"))
    if told and (check.override or check.outcome is not Outcome.PASSED):
        title = Text.assemble(title, "\n", _text(told, "dim"))
    outcome = f"{words.OUTCOME_SYMBOLS[check.outcome]} {words.OUTCOME_WORDS[check.outcome]}"
    score = f"{words.points(check.earned)} / {words.points(check.possible)}"
    return _text(check.id), _text(outcome, _OUTCOME_STYLES[check.outcome]), _text(score), title


def _next(sheet: ScoreSheet) -> Iterator[RenderableType]:
    if sheet.audience is Audience.CANDIDATE:
        told = [(check.id, check.feedback) for check in words.losses(sheet) if check.feedback]
        title = "What to look at"
    else:
        told = [(check.id, check.question) for check in words.questions(sheet)]
        title = "What to ask in the follow-up interview"
    if told:
        grid = Table.grid(padding=(0, 2))
        for check, text in told:
            grid.add_row(_text(check, "dim"), _text(text))
        yield Group(_title(title), grid)


def _foot(sheet: ScoreSheet) -> Iterator[RenderableType]:
    used = sheet.resources
    facts = [f"run {sheet.run[:8]}", "signed" if sheet.signature else "not signed", f"for the {sheet.audience}"]
    if used.boxes or used.wall_seconds:
        facts = [words.seconds(used.wall_seconds), f"peak memory {words.size(used.peak_memory)}", *facts]
    yield Padding(_text(" · ".join(facts), "dim"), (1, 0, 0, 0))

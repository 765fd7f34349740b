"""The score sheet as Markdown, for trackers and reviews.

Text of strangers is never Markdown: whatever could start markup, a link or a table cell is
escaped, so a reader sees the characters that were there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from grader.model.decision import DecisionPart
from grader.model.sheet import Audience, CheckLine, ScoreSheet, Subtotal
from grader.render import notebook_words, override_words, words
from grader.render.text import visible

# Everything that means something inside a line, in CommonMark or in the tables, mathematics and
# mentions that popular renderers add; then the parts of bare addresses, which some turn into links.
_SPECIAL = re.compile(r"[\\`*_{}\[\]<>#|~&!$@^]|:(?=/)|(?<=mailto):", re.IGNORECASE)
_WEB = re.compile(r"\b(www)\.", re.IGNORECASE)
_FIRST = re.compile(r"^(?:(?=[-+=])|(\d{1,9})(?=[.)](?:\s|$)))")


def quote(text: str) -> str:
    """Return `text` on one line, with everything that Markdown would act upon escaped."""
    escaped = _SPECIAL.sub(r"\\\g<0>", visible(text).strip())
    escaped = _WEB.sub(r"\1\\.", escaped)
    return _FIRST.sub(lambda found: f"{found[1] or ''}\\", escaped)


def render(sheet: ScoreSheet) -> str:
    """Return the sheet for the audience that it was made for."""
    parts: list[Iterable[str]] = [_head(sheet), _notices(sheet)]
    if sheet.rejection is None:
        parts += [
            _subtotals("By competency", sheet.competencies),
            _subtotals("By check group", sheet.groups),
            _next(sheet),
            _checks(sheet),
            _notebook(sheet),
        ]
    parts += [_resources(sheet), _ai_use(sheet), _provenance(sheet)]
    blocks = ["\n".join(part) for part in parts]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(sheet: ScoreSheet) -> Iterator[str]:
    exercise = sheet.exercise
    yield f"# {quote(sheet.candidate)} {words.DASH} {quote(exercise.title)}"
    yield ""
    yield f"**{quote(words.headline(sheet))}**"
    yield ""
    notebook = notebook_words.sentence(sheet) if sheet.decision else ""
    for sentence in filter(None, (override_words.sentence(sheet), words.band(sheet), notebook)):
        yield quote(sentence)
        yield ""
    yield f"- Exercise: {quote(exercise.id)}, version {quote(exercise.version)}"
    yield f"- Handed in as: {quote(sheet.submission)}"
    yield f"- Graded: {sheet.finished:%Y-%m-%d %H:%M} UTC, run {sheet.run[:8]}"
    yield f"- Made for: the {sheet.audience}"


def _notices(sheet: ScoreSheet) -> Iterator[str]:
    if sheet.rejection is not None:
        note = sheet.rejection
        yield "## Not gradable"
        yield ""
        yield f"{quote(note.words)} {quote(note.message)} (`{note.reason}`)"
        if note.hint:
            yield ""
            yield f"What can be done: {quote(note.hint)}"
        yield ""
        yield "No check was run, so there are no points; this is not a score of zero."
    elif sheet.open_faults:
        yield "## Why there is no total yet"
        yield ""
        for fault in sheet.open_faults:
            who = "" if sheet.audience is Audience.CANDIDATE else f"To act: {words.WHO_ACTS[fault.party]}. "
            yield f"- {who}{quote(fault.message)} {quote(fault.hint)}".rstrip()
        missing = ", ".join(f"{quote(check.id)} {quote(check.title)}" for check in words.unmeasured(sheet))
        if missing:
            yield f"- Not measured: {missing}"
    if sheet.observations:
        if sheet.rejection or sheet.open_faults:
            yield ""
        yield "## Please note"
        yield ""
        yield from (f"- {quote(observation)}" for observation in sheet.observations)
    if sheet.noticed:
        if sheet.rejection or sheet.open_faults or sheet.observations:
            yield ""
        yield "## What the harness noticed"
        yield ""
        yield from (f"- {quote(words.noticed(each))}" for each in sheet.noticed)
        yield ""
        yield words.NOTICED_NOTE


def _subtotals(title: str, rows: Sequence[Subtotal]) -> Iterator[str]:
    if rows:
        yield f"## {title}"
        yield ""
        yield from _table(
            ("", "Points", "Possible", "Percent"),
            ((quote(row.title), words.points(row.earned), words.points(row.possible), _percent(row)) for row in rows),
        )


def _percent(row: Subtotal) -> str:
    return words.percent(row.earned, row.possible)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table whose first column is text and whose other columns are numbers."""
    yield _row(header)
    yield "|:---|" + "---:|" * (len(header) - 1)
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _next(sheet: ScoreSheet) -> Iterator[str]:
    if sheet.audience is Audience.CANDIDATE:
        title, field = "Where points were lost, and what to look at", "feedback"
    else:
        title, field = "What to ask in the follow-up interview", "question"
    told = [check for check in words.losses(sheet) if getattr(check, field)]
    if told:
        yield f"## {title}"
        yield ""
        for number, check in enumerate(told, 1):
            lost = f"{words.points(words.lost(check))} of {words.points(check.possible)} points lost"
            yield f"{number}. {quote(getattr(check, field))} ({quote(check.id)}, {lost})"


def _checks(sheet: ScoreSheet) -> Iterator[str]:
    titles = {group.id: group.title for group in sheet.groups}
    group = None
    for check in sheet.code_checks:
        if check.group != group:
            yield from ("",) if group is not None else ("## Checks", "")
            group = check.group
            yield f"### {quote(group)} {quote(titles.get(group, ''))}".rstrip()
            yield ""
        yield from _check(check, for_author=sheet.audience is Audience.AUTHOR)


def _check(check: CheckLine, *, for_author: bool) -> Iterator[str]:
    outcome = f"{words.OUTCOME_SYMBOLS[check.outcome]} {words.OUTCOME_WORDS[check.outcome]}"
    score = f"{words.points(check.earned)} / {words.points(check.possible)}"
    yield f"- **{quote(check.id)} {quote(check.title)}** {words.DASH} {outcome}, {score}"
    if check.override:
        yield f"  *{quote(override_words.mark(check))}* {quote(override_words.why(check))}".rstrip()
    told = " ".join(quote(text) for text in (check.words, check.because) if text)
    if told:
        yield f"  {told}"
    for fact in check.evidence:
        yield f"  - {quote(fact.label)}: {quote(fact.value)}"
    for plot in check.plots:
        yield f"  - Picture, in the HTML sheet: {quote(plot.caption)}"
    if for_author and (check.source or check.metrics):
        metrics = "".join(f", {quote(name)} {value:.4g}" for name, value in check.metrics.items())
        yield f"  - {quote(check.source)}, {words.seconds(check.seconds)}{metrics}"


def _notebook(sheet: ScoreSheet) -> Iterator[str]:
    part = sheet.decision
    if part is None:
        return
    for_author = sheet.audience is Audience.AUTHOR
    yield "## Decision notebook"
    yield ""
    yield f"Apart from the points for code. {quote(notebook_words.sum_shown(sheet))}"
    yield ""
    yield f"### Measured automatically: {words.points(part.earned)} of {words.points(part.possible)}"
    yield ""
    if not part.handed_in:
        yield f"{notebook_words.NO_NOTEBOOK}"
        yield ""
    for check in sheet.notebook_checks:
        yield from _check(check, for_author=for_author)
    if part.handed_in:
        yield ""
        yield "### Rated by people"
        yield ""
        yield from _rated(sheet, part)


def _rated(sheet: ScoreSheet, part: DecisionPart) -> Iterator[str]:
    yield quote(notebook_words.by_people(part, sheet.audience)) + "."
    if sheet.audience is Audience.CANDIDATE:
        return
    for row in notebook_words.rubric_rows(part):
        yield ""
        yield f"**{quote(row.dimension.title)}**{f' {words.DASH} {row.score}' if row.score else ''}"
        yield ""
        yield from (f"- {anchor.rating}: {quote(anchor.behaviour)}" for anchor in row.dimension.anchors)
        for voice in row.voices:
            yield f"- {quote(voice.reviewer)} gives {voice.rating}. {quote(voice.why)}".rstrip()
        if notebook_words.needs_reviews(sheet):
            yield "- Rating (1 to 5): \\_\\_\\_ Why: \\_\\_\\_"


def _resources(sheet: ScoreSheet) -> Iterator[str]:
    used = sheet.resources
    if used.boxes or used.wall_seconds:
        yield "## What the submission used"
        yield ""
        yield (
            f"Time {words.seconds(used.wall_seconds)}, processor time {words.seconds(used.cpu_seconds)}, "
            f"peak memory {words.size(used.peak_memory)}, fresh starts {used.sessions}."
        )


def _ai_use(sheet: ScoreSheet) -> Iterator[str]:
    if sheet.ai_use and sheet.audience is not Audience.CANDIDATE:
        yield "## What the candidate says about the use of AI"
        yield ""
        yield f"> {quote(sheet.ai_use)}"


def _provenance(sheet: ScoreSheet) -> Iterator[str]:
    known = sheet.provenance
    yield "## Provenance"
    yield ""
    yield f"- Submission: {quote(known.submission_digest)}"
    yield f"- Exercise: {quote(known.exercise_digest)}"
    yield f"- Variant: {quote(known.variant)}, commitment {quote(known.variant_commitment)}"
    yield f"- Grader: {quote(known.harness)}, {quote(known.harness_digest)}"
    for name, digest in known.images.items():
        yield f"- Image {quote(name)}: {quote(digest)}"
    if known.isolation is not None:
        walls = known.isolation
        facts = (walls.engine, walls.runtime, walls.seccomp, walls.security_module, walls.cgroups)
        yield f"- Isolation: {', '.join(map(quote, facts))}"
        yield from (f"- Warning: {quote(warning)}" for warning in walls.warnings)
    if sheet.signature is not None:
        yield f"- Signature: Ed25519, key {quote(sheet.signature.public_key)}"

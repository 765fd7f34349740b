"""All rules, applied to one exercise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from grader.author.lint import declared, fixtures, headroom, images, ladder, parts, release, sources
from grader.author.lint.findings import READABLE, Finding, Level
from grader.author.lint.sample import Sample, kit_gives_nothing_away, metadata_tell_nothing
from grader.catalog.exercises import load_exercise
from grader.errors import ExerciseDefect
from grader.model.exercise import Exercise

_ORDER = {Level.ERROR: 0, Level.WARNING: 1}


def lint(source: Path, *, sample: Sample | None = None, records: Path | None = None) -> list[Finding]:
    """Apply every rule; errors come first, then by file and line. Never raises for what an author wrote.

    Args:
        source: The exercise's folder.
        sample: What candidates receive; without it the rules about kits are left out.
        records: Folder with the runs of `prove`, for the rule about limits.
    """
    try:
        exercise = load_exercise(source)
    except ExerciseDefect as defect:
        # Nothing else can be said of an exercise that cannot be read.
        return [as_finding(READABLE, defect)]
    found: list[Finding] = []
    for rule in [*_rules(exercise, source, records), *_rules_of_kits(exercise, source, sample)]:
        try:
            found += rule()
        except ExerciseDefect as defect:
            found.append(as_finding(READABLE, defect))
        except UnicodeDecodeError as error:
            found += _not_read(error, found)
        except SyntaxError as error:
            found.append(
                Finding(
                    rule=READABLE,
                    file=str(error.filename or ""),
                    line=error.lineno or 0,
                    message=f"not valid Python: {error.msg}",
                    hint="Correct the line.",
                )
            )
    return sorted(set(found), key=lambda each: (_ORDER[each.level], each.file, each.line, each.message))


def _not_read(error: UnicodeDecodeError, found: list[Finding]) -> list[Finding]:
    """Say that a rule could not be applied, unless `parts.texts_are_utf_8`, which comes first, has said why."""
    if any(each.rule == READABLE for each in found):
        return []
    told = f"a text is not UTF-8 where it says {error.object[error.start : error.start + 20]!r}; a rule was not applied"
    return [Finding(rule=READABLE, file="", line=0, message=told, hint="Save its file again with the encoding UTF-8.")]


def _rules(exercise: Exercise, source: Path, records: Path | None) -> list[Callable[[], Iterator[Finding]]]:
    return [
        lambda: parts.parts_are_there(exercise, source),
        lambda: parts.texts_are_utf_8(source),
        lambda: parts.modules_do_not_clash(source),
        lambda: parts.stub_can_be_started(exercise, source),
        lambda: ladder.ladder_is_complete(exercise, source),
        lambda: ladder.rungs_can_be_started(exercise, source),
        lambda: declared.points_add_up(exercise),
        lambda: declared.groups_are_used(exercise),
        lambda: declared.words_for_people(exercise),
        lambda: declared.requirements_match(exercise, source),
        lambda: declared.requirements_are_stated_once(source),
        lambda: declared.points_are_told_right(exercise, source),
        lambda: declared.budget_is_stated(exercise, source),
        lambda: sources.sources_are_sound(source),
        lambda: sources.seeds_stay_hidden(source),
        lambda: sources.awards_give_reasons(source),
        lambda: fixtures.fixtures_are_there(exercise, source),
        lambda: sources.durations_are_alone(exercise, source),
        lambda: release.version_is_unchanged(exercise, source),
        lambda: headroom.limits_leave_room(exercise, source, records),
        lambda: images.images_hold_no_canary(source),
    ]


def _rules_of_kits(exercise: Exercise, source: Path, sample: Sample | None) -> list[Callable[[], Iterator[Finding]]]:
    if sample is None:
        return []
    return [
        lambda: kit_gives_nothing_away(exercise, source, sample),
        lambda: metadata_tell_nothing(exercise, source, sample),
    ]


def as_finding(rule: str, defect: ExerciseDefect) -> Finding:
    """Return a defect that kept rules from being applied as a finding like theirs."""
    place = f"{defect.file}:{defect.line}: " if defect.line else f"{defect.file}: "
    return Finding(
        rule=rule,
        file=defect.file,
        line=defect.line,
        message=defect.message.removeprefix(place),
        hint=defect.hint or "Correct it; nothing else can be checked before.",
    )

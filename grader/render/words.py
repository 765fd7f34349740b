"""How numbers, outcomes and totals are put into words; the same in every format."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from grader.model.reasons import Reason
from grader.model.result import Outcome
from grader.model.run import Noticed, Party, RunStatus, Sign
from grader.model.sheet import Audience, CheckLine, ScoreSheet, Subtotal
from grader.scoring.reliability import DESIGN_SEM

DASH = "\N{EN DASH}"

OUTCOME_WORDS: dict[Outcome | None, str] = {
    Outcome.PASSED: "passed",
    Outcome.PARTIAL: "partial",
    Outcome.FAILED: "failed",
    Outcome.BLOCKED: "blocked",
    Outcome.SKIPPED: "skipped",
    None: "not measured",
}

# A symbol beside the word, so that an outcome is never told by colour alone.
OUTCOME_SYMBOLS: dict[Outcome | None, str] = {
    Outcome.PASSED: "✓",
    Outcome.PARTIAL: "◐",
    Outcome.FAILED: "✗",
    Outcome.BLOCKED: "⊘",
    Outcome.SKIPPED: DASH,
    None: "?",
}

WHO_ACTS: dict[Party, str] = {
    Party.CANDIDATE: "the candidate",
    Party.AUTHOR: "the author of the exercise",
    Party.INFRASTRUCTURE: "whoever runs the grader",
}

SIGN_WORDS: dict[Sign, str] = {
    Sign.STEERING: "Files that steer a test runner, or pose as its results, were handed in. They have no effect here.",
    Sign.PLANTED: "Files that steer a test runner, or pose as its results, were written by a run. They have no effect.",
    Sign.PROTOCOL: "Bytes that are no answers were sent where answers are collected.",
    Sign.NETWORK: "A run tried to reach the network. It has none.",
    Sign.LEFT_OVER: "Processes went on when a run had ended. They were stopped.",
    Sign.FLOOD: "A run printed more than is accepted, and was stopped.",
    Sign.DIRTY: "A run left its box in a state that could not be cleaned. The next run had a new one.",
}

NOTICED_NOTE = "These are facts for people to weigh; each may have an innocent reason. They changed no points."

STRENGTH = 50  # percent of its points from which a competency may be called somebody's strongest
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


def noticed(each: Noticed) -> str:
    """Say in a line what was noticed, where, and how often."""
    where = f" ({', '.join(each.where)})" if each.where else ""
    often = "" if each.times == 1 or each.where else f" {each.times} times."
    return f"{SIGN_WORDS[each.sign]}{where}{often}"


def points(value: Decimal | None) -> str:
    """Write points without needless zeros: `72.4`, `3`; a dash where there are none to tell."""
    if value is None:
        return DASH
    return f"{value:.2f}".rstrip("0").rstrip(".")


def share(earned: Decimal | None, possible: Decimal) -> float | None:
    """Earned points in percent of the possible ones, or None where that means nothing."""
    if earned is None or not possible:
        return None
    return float(100 * earned / possible)


def percent(earned: Decimal | None, possible: Decimal) -> str:
    """Write the share as whole percent; 100 only where nothing was lost, and 0 only where nothing was earned."""
    value = share(earned, possible)
    if value is None:
        return DASH
    rounded = round(value)
    if value < 100 and rounded == 100:
        rounded = 99
    if value > 0 and rounded == 0:
        rounded = 1
    return f"{rounded} %"


def seconds(value: float) -> str:
    """Write a duration the way people say it: `0.4 s`, `12 s`, `1 min 35 s`, `2 h 5 min`."""
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60, "s")
    return _two(whole // 3600, "h", whole % 3600 // 60, "min")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit}" + (f" {small} {small_unit}" if small else "")


def size(value: int) -> str:
    """Write bytes in binary units with three significant digits: `1.17 GiB`."""
    amount, unit = float(value), 0
    while amount >= 1000 and unit < len(_BYTE_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    if unit == 0:
        return f"{value} B"
    digits = 2 if amount < 10 else 1 if amount < 100 else 0
    number = f"{amount:.{digits}f}"
    return f"{number.rstrip('0').rstrip('.') if digits else number} {_BYTE_UNITS[unit]}"


def lost(check: CheckLine) -> Decimal:
    """Points that a measured check did not give; none while it has no answer."""
    return Decimal(0) if check.earned is None else max(Decimal(0), check.possible - check.earned)


def lost_much(check: CheckLine) -> bool:
    """Whether a check lost a tenth of its points or more: enough to spend time of an interview on."""
    return lost(check) * 10 >= check.possible


def losses(sheet: ScoreSheet) -> list[CheckLine]:
    """Checks where points were lost, the most expensive first; equal ones in sheet order.

    Those of the decision notebook come last: its points are of another kind.
    """
    return [
        check
        for checks in (sheet.code_checks, sheet.notebook_checks)
        for check in sorted(filter(lost, checks), key=lost, reverse=True)
    ]


def questions(sheet: ScoreSheet) -> list[CheckLine]:
    """Checks whose author left a question for the interview, the most expensive first."""
    # Nobody can be asked about what they did not hand in.
    return [check for check in losses(sheet) if check.question and check.reason is not Reason.MISSING_PART]


def unmeasured(sheet: ScoreSheet) -> list[CheckLine]:
    """Checks that have no answer."""
    return [check for check in sheet.checks if check.earned is None]


def extremes(subtotals: Sequence[Subtotal]) -> tuple[Subtotal, Subtotal] | None:
    """The strongest and the weakest of at least two, or None where they do not differ."""
    measured = [each for each in subtotals if share(each.earned, each.possible) is not None]
    if len(measured) < 2:
        return None
    ordered = sorted(measured, key=lambda each: share(each.earned, each.possible) or 0.0)
    weakest, strongest = ordered[0], ordered[-1]
    if share(weakest.earned, weakest.possible) == share(strongest.earned, strongest.possible):
        return None
    return strongest, weakest


def headline(sheet: ScoreSheet) -> str:
    """One plain sentence that a hiring manager can repeat."""
    if sheet.status is RunStatus.REJECTED:
        return "This submission could not be graded."
    if sheet.earned is None:
        return _without_total(sheet)
    total = f"{points(sheet.earned)} of {points(sheet.possible)} points"
    if sheet.earned == sheet.possible:
        return f"{total}: nothing was lost."
    pair = extremes(sheet.competencies)
    if pair is None:
        return f"{total}."
    strongest, weakest = (f"{each.title} ({percent(each.earned, each.possible)})" for each in pair)
    weak_words = "Most room to grow" if sheet.audience is Audience.CANDIDATE else "Weakest"
    if (share(pair[0].earned, pair[0].possible) or 0.0) < STRENGTH:
        return f"{total}. {weak_words}: {weakest}."
    return f"{total}. Strongest: {strongest}. {weak_words}: {weakest}."


def _without_total(sheet: ScoreSheet) -> str:
    if sheet.lowest is not None and sheet.highest is not None:
        missing = len(unmeasured(sheet))
        checks = f"{missing} of {len(sheet.checks)} checks" if len(sheet.checks) else "the checks"
        if sheet.lowest == sheet.highest:
            return f"Not complete: {checks} could not be measured; the code earned {points(sheet.lowest)} points."
        span = f"between {points(sheet.lowest)} and {points(sheet.highest)} of {points(sheet.possible)} points"
        return f"No total yet: {checks} could not be measured. It will be {span}."
    return "There is no total: the run was not completed."


def band(sheet: ScoreSheet) -> str:
    """Say how far the total may move by the hidden world alone; "" where nobody has measured that."""
    if sheet.band is None:
        return ""
    moved = f"{sheet.band.sd:.1f}".removesuffix(".0")
    # What a person decides is the same in every world, so that the band stays that of the work as it was measured.
    total = "the measured total" if any(check.override for check in sheet.code_checks) else "this total"
    return (
        f"Error band: \N{PLUS-MINUS SIGN} {moved} points in a hundred. That is how far the solutions next to {total} "
        f"moved between {sheet.band.worlds} hidden worlds (standard deviation, measured on {sheet.band.made}). "
        "Another day and other tasks move a total by more: "
        f"by about {DESIGN_SEM:g} (standard error; by less than {2 * DESIGN_SEM:g} in 95 of 100 cases), "
        "until enough people are graded to measure it."
    )

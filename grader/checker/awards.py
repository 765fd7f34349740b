"""What a check awards, and how its end becomes a result or a defect."""

from __future__ import annotations

import math
import traceback
from collections.abc import Mapping
from pathlib import Path

from grader.checker.api import SubmissionFailed
from grader.model.reasons import Reason
from grader.model.result import CheckDefect, CheckResult, Evidence, Outcome

TEXT_CAP, LABEL_CAP, EVIDENCE_CAP = 2048, 120, 40


class AwardError(Exception):
    """A check used `award` in a way that has no meaning: the author's fault."""


class Award:
    """The `award` fixture: called once, it says what share of the points is earned.

    Called as `award(fraction, because="", *, reason=..., evidence=..., metrics=...)`.
    """

    def __init__(self) -> None:
        """Nothing is awarded yet."""
        self.given = False
        self.fraction = 0.0
        self.because = ""
        self.reason: Reason | None = None
        self.evidence: dict[str, object] = {}
        self.metrics: dict[str, float] = {}

    def __call__(
        self,
        fraction: float,
        because: str = "",
        *,
        reason: Reason = Reason.WRONG_ANSWER,
        evidence: Mapping[str, object] | None = None,
        metrics: Mapping[str, float] | None = None,
    ) -> None:
        """Award a share of the check's points.

        Args:
            fraction: 1 is all of them, 0 none.
            because: What was found, in plain words; for recruiters.
            reason: Code shown when the share is below 1.
            evidence: Facts behind it, label to value; for recruiters.
            metrics: Raw measures, for authors and for scoring again later.

        Raises:
            AwardError: Called twice, or with a share that is not in [0, 1].
        """
        if self.given:
            raise AwardError("award() was called twice; call it once, at the end of the check")
        share = float(fraction)
        if not 0.0 <= share <= 1.0:
            raise AwardError(f"award({fraction!r}): the share must be in [0, 1]")
        self.given, self.fraction, self.because = True, share, because
        self.reason = None if share == 1.0 else reason
        self.evidence, self.metrics = dict(evidence or {}), dict(metrics or {})


def award_result(check: str, award: Award, seconds: float) -> CheckResult:
    """Turn a finished check's award into its result."""
    outcome = Outcome.PASSED if award.fraction == 1 else Outcome.PARTIAL if award.fraction > 0 else Outcome.FAILED
    return CheckResult(
        check=check,
        outcome=outcome,
        fraction=award.fraction,
        reason=award.reason,
        because=_cut(award.because),
        evidence=_evidence(award.evidence),
        metrics=_finite(award.metrics),
        seconds=seconds,
    )


def failed_result(check: str, failure: BaseException, seconds: float) -> CheckResult:
    """Turn a failure of the submission into a result that earns nothing."""
    found = failure if isinstance(failure, SubmissionFailed) else None
    return CheckResult(
        check=check,
        outcome=Outcome.FAILED,
        fraction=0.0,
        reason=found.reason if found else Reason.WRONG_ANSWER,
        because=_cut(found.because if found else str(failure)),
        evidence=_evidence(found.evidence if found else {}),
        seconds=seconds,
    )


def blocked_result(check: str, missing: str) -> CheckResult:
    """Say that a check could not be made, because what it builds on earned nothing."""
    return CheckResult(
        check=check,
        outcome=Outcome.BLOCKED,
        fraction=0.0,
        reason=Reason.BLOCKED,
        because=f"It builds on check {missing}, which earned nothing.",
    )


def defect(check: str, error: BaseException | None, message: str, root: Path) -> CheckDefect:
    """Describe an author's fault by the innermost line of the author's own files."""
    file, line = place_of(error, root) if error else ("", 0)
    return CheckDefect(check=check, message=_cut(message), file=file, line=line)


def place_of(error: BaseException, root: Path) -> tuple[str, int]:
    """Return file and line of the innermost frame in the author's checks; "" and 0 where there is none."""
    if isinstance(error, SyntaxError) and error.filename and Path(error.filename).is_relative_to(root):
        return f"checks/{Path(error.filename).relative_to(root).as_posix()}", error.lineno or 0
    file, line = "", 0
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(root):
            file, line = f"checks/{path.relative_to(root).as_posix()}", frame.lineno or 0
    return file, line


def _evidence(facts: Mapping[str, object]) -> tuple[Evidence, ...]:
    shown = list(facts.items())[:EVIDENCE_CAP]
    return tuple(Evidence(label=_label(str(label)), value=_cut(str(value))) for label, value in shown)


# A candidate's words may be in all of these. However odd they are, the run must not fail for them.
def _cut(text: str, cap: int = TEXT_CAP) -> str:
    whole = text.encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= cap else whole[: cap - 1] + "…"


def _label(text: str) -> str:
    return _cut("".join(character if character.isprintable() else "?" for character in text), LABEL_CAP)


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """A measure that has no value for this submission is left out."""
    return {str(name): float(value) for name, value in metrics.items() if math.isfinite(value)}

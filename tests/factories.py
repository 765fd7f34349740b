"""Realistic values for tests, and sample score sheets to look at.

`python -m tests.factories OUTDIR` writes one sheet per situation and audience as HTML,
Markdown and JSON, so that a change to a template can be seen before it is committed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from grader.model.decision import DecisionPart, Rating, Review
from grader.model.exercise import BoxLimits, Limits
from grader.model.reasons import REASON_WORDS, REJECTION_WORDS, Reason, Rejection
from grader.model.result import Evidence, Outcome, Plot
from grader.model.rubric import DIMENSIONS, HUMAN_POINTS
from grader.model.run import Fault, Isolation, Noticed, Party, Resources, RunStatus, Sign
from grader.model.sheet import (
    Audience,
    CheckLine,
    ExerciseReference,
    Provenance,
    RejectionNote,
    ScoreSheet,
    Signature,
    Subtotal,
)
from grader.scoring.decision import TOTAL_POSSIBLE, with_reviews, with_totals
from tests.sample_checks import CHECKS, COMPETENCIES, GROUPS, NOTEBOOK_CHECKS, SampleCheck

STARTED = datetime(2026, 11, 23, 9, 14, 5, tzinfo=UTC)
FINISHED = datetime(2026, 11, 23, 9, 15, 52, tzinfo=UTC)

SMALL_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="120pt" height="40pt" viewBox="0 0 120 40" version="1.1">'
    '<g id="figure_1"><path d="M 4 36 L 40 12 L 80 20 L 116 6" style="fill: none; stroke: #1f77b4"/></g></svg>'
)


def make_check_line(**changes: Any) -> CheckLine:
    """One check that lost half of its points, with everything an author sees."""
    values: dict[str, Any] = {
        "id": "B1",
        "group": "B",
        "title": "Reads amounts with a decimal comma",
        "competency": "data-pipelines",
        "possible": Decimal(4),
        "earned": Decimal(2),
        "outcome": Outcome.PARTIAL,
        "reason": Reason.WRONG_ANSWER,
        "words": REASON_WORDS[Reason.WRONG_ANSWER],
        "because": "812 of 1204 amounts with a decimal comma were read right.",
        "evidence": (
            Evidence(label="right", value="812 of 1204"),
            Evidence(label="first wrong cell", value="part-07.parquet row 118: 1.234,56 became 1.23"),
        ),
        "plots": (Plot(caption="Share of amounts read right, by shop", svg=SMALL_SVG),),
        "question": "How does your program tell a decimal comma from a thousands separator?",
        "feedback": "RULES.md section 4 says which shop writes amounts with a decimal comma.",
        "metrics": {"accuracy": 0.6744},
        "seconds": 0.412,
        "source": "checks/test_numbers.py:41",
    }
    return CheckLine(**(values | changes))


def make_isolation(**changes: Any) -> Isolation:
    """The walls of an engine that is old enough to be warned about."""
    values: dict[str, Any] = {
        "engine": "Docker 20.10.24",
        "runtime": "runc 1.1.5",
        "seccomp": "own profile",
        "security_module": "none",
        "cgroups": "v1",
        "warnings": ("The engine is older than 29.7.0; use a virtual machine for submissions of strangers.",),
    }
    return Isolation(**(values | changes))


def make_provenance(**changes: Any) -> Provenance:
    """Digests that look like digests."""
    values: dict[str, Any] = {
        "harness": "0.1.0",
        "harness_digest": "4f1d" * 16,
        "submission_digest": "9a03" * 16,
        "exercise_digest": "c7e2" * 16,
        "images": {"runtime": "sha256:" + "51b8" * 16, "checker": "sha256:" + "e60d" * 16},
        "variant": "ada-lindqvist",
        "variant_commitment": "72af" * 16,
        "limits": Limits(),
        "isolation": make_isolation(),
    }
    return Provenance(**(values | changes))


def make_signature() -> Signature:
    """A signature of the right shape; it verifies nothing."""
    return Signature(public_key="A" * 43 + "=", value="B" * 86 + "==")


def make_checks(plots: bool = False) -> tuple[CheckLine, ...]:
    """All checks of a `clean_parquet` of middling quality."""
    return tuple(_check_line(sample, plots) for sample in CHECKS)


def _check_line(sample: SampleCheck, plots: bool) -> CheckLine:
    return CheckLine(
        id=sample.id,
        group=sample.id[0],
        title=sample.title,
        competency=sample.competency,
        possible=Decimal(sample.points),
        earned=Decimal(sample.earned),
        outcome=_outcome(sample),
        reason=sample.reason,
        words=REASON_WORDS[sample.reason] if sample.reason else "",
        because=sample.because,
        evidence=tuple(Evidence(label=label, value=value) for label, value in sample.evidence),
        plots=_plots(sample) if plots else (),
        question=sample.question,
        feedback=sample.feedback,
        metrics={"accuracy": float(sample.earned) / float(sample.points)},
        seconds=0.05 * len(sample.title),
        source=f"checks/test_{sample.id[0].lower()}.py:{10 + 7 * int(sample.id[1:])}",
    )


def _outcome(sample: SampleCheck) -> Outcome:
    if sample.reason is Reason.BLOCKED:
        return Outcome.BLOCKED
    if Decimal(sample.earned) == Decimal(sample.points):
        return Outcome.PASSED
    return Outcome.PARTIAL if Decimal(sample.earned) else Outcome.FAILED


def _plots(sample: SampleCheck) -> tuple[Plot, ...]:
    from tests.sample_plots import PICTURES

    picture = PICTURES.get(sample.id)
    return (Plot(caption=picture.caption, svg=picture.svg()),) if picture else ()


def subtotals(checks: Sequence[CheckLine], field: str, titles: dict[str, str]) -> tuple[Subtotal, ...]:
    """Add up points of `checks` by `field`; None where a check has no answer."""
    found: list[Subtotal] = []
    for key in dict.fromkeys(getattr(check, field) for check in checks):
        members = [check for check in checks if getattr(check, field) == key]
        earned = [check.earned for check in members]
        total = None if None in earned else sum((value for value in earned if value is not None), Decimal(0))
        possible = sum((check.possible for check in members), Decimal(0))
        found.append(Subtotal(id=key, title=titles.get(key, key), earned=total, possible=possible))
    return tuple(found)


def make_sheet(**changes: Any) -> ScoreSheet:
    """A graded run of `clean_parquet` for the author; totals follow the checks unless given."""
    checks = changes.get("checks", make_checks())
    earned = [check.earned for check in checks]
    total = None if None in earned else sum((value for value in earned if value is not None), Decimal(0))
    values: dict[str, Any] = {
        "audience": Audience.AUTHOR,
        "run": "0123456789abcdef0123456789abcdef",
        "status": RunStatus.GRADED,
        "candidate": "Ada Lindqvist",
        "submission": "ada-lindqvist.zip",
        "exercise": ExerciseReference(id="clean_parquet", version="1.0.0", title="Clean a messy Parquet dataset"),
        "started": STARTED,
        "finished": FINISHED,
        "earned": total,
        "possible": sum((check.possible for check in checks), Decimal(0)),
        "competencies": subtotals(checks, "competency", COMPETENCIES),
        "groups": subtotals(checks, "group", GROUPS),
        "checks": checks,
        "resources": Resources(wall_seconds=94.7, cpu_seconds=131.2, peak_memory=1_254_096_896, sessions=11, boxes=2),
        "observations": ("submission.toml is missing; the settings of the kit were used.",),
        "noticed": (
            Noticed(sign=Sign.STEERING, times=2, where=("conftest.py", "lib/results.json")),
            Noticed(sign=Sign.NETWORK, times=3),
        ),
        "ai_use": "I used an assistant for the regular expressions and for the first draft of the tests.",
        "provenance": make_provenance(),
        "signature": make_signature(),
    }
    return ScoreSheet(**(values | changes))


def make_review(reviewer: str, quality: int = 3, evidence: int = 3, *, communication: int = 4) -> Review:
    """One reviewer's form, filled in."""
    values = zip(DIMENSIONS, (quality, evidence, communication), strict=True)
    return Review(
        reviewer=reviewer,
        recorded=STARTED,
        ratings=tuple(
            Rating(dimension=each.id, rating=value, why=f"Good enough for a {value}.") for each, value in values
        ),
    )


def make_notebook_sheet(*reviews: Review, handed_in: bool = True, **changes: Any) -> ScoreSheet:
    """A graded run of an exercise that asks for a decision notebook."""
    notebook = tuple(_check_line(sample, plots=False) for sample in NOTEBOOK_CHECKS)
    if not handed_in:
        lost = {
            "earned": Decimal(0), "outcome": Outcome.FAILED, "reason": Reason.MISSING_PART,
            "words": REASON_WORDS[Reason.MISSING_PART], "because": "No notebook was handed in.", "evidence": (),
        }  # fmt: skip
        notebook = tuple(check.model_copy(update=lost) for check in notebook)
    part = DecisionPart(
        group="N",
        path="decision.ipynb",
        handed_in=handed_in,
        earned=sum((check.earned or Decimal(0) for check in notebook), Decimal(0)),
        possible=sum((check.possible for check in notebook), Decimal(0)),
        human_possible=HUMAN_POINTS,
        total_possible=TOTAL_POSSIBLE,
    )
    plain = make_sheet(**changes)
    sheet = with_totals(plain.model_copy(update={"checks": plain.checks + notebook, "decision": part}))
    return with_reviews(sheet, reviews) if reviews else sheet


def make_rejected_sheet(**changes: Any) -> ScoreSheet:
    """A submission that needs a package nobody promised."""
    note = RejectionNote(
        reason=Rejection.MISSING_PACKAGE,
        words=REJECTION_WORDS[Rejection.MISSING_PACKAGE],
        message="clean.py line 3 imports 'dateparser', which is not installed.",
        hint="Use one of the packages that the brief lists, or put the code into the submission.",
    )
    values: dict[str, Any] = {
        "status": RunStatus.REJECTED,
        "earned": None,
        "possible": Decimal(100),
        "rejection": note,
        "checks": (),
        "competencies": (),
        "groups": (),
        "resources": Resources(),
        "observations": (),
        "noticed": (),
    }
    return make_sheet(**(values | changes))


def make_faulted_sheet(**changes: Any) -> ScoreSheet:
    """A run in which two checks could not be measured."""
    broken = {"E4", "G4"}
    nothing = {"earned": None, "outcome": None, "reason": None, "words": "", "because": "", "evidence": ()}
    checks = tuple(
        check.model_copy(update=nothing | {"plots": ()}) if check.id in broken else check for check in make_checks()
    )
    lowest = sum((check.earned for check in checks if check.earned is not None), Decimal(0))
    values: dict[str, Any] = {
        "status": RunStatus.FAULTED,
        "earned": None,
        "checks": checks,
        "lowest": lowest,
        "highest": lowest + sum((check.possible for check in checks if check.earned is None), Decimal(0)),
        "faults": (
            Fault(
                party=Party.AUTHOR,
                message="checks/test_quarantine.py:88: KeyError: 'reason' in check E4",
                hint="Repair the check, then run `grader prove clean_parquet`.",
            ),
            Fault(
                party=Party.INFRASTRUCTURE,
                message="The submission box was lost while G4 ran: the engine was restarted.",
                hint="Grade again; `grader doctor` tells whether the engine is well.",
            ),
        ),
    }
    return make_sheet(**(values | changes))


def make_limits(**changes: Any) -> Limits:
    """Limits that differ from the defaults in every box, so that mixing them up shows."""
    values: dict[str, Any] = {
        "submission": BoxLimits(cpus=1.5, pids=77),
        "checker": BoxLimits(cpus=3.25, pids=333),
        "command_seconds": 45.0,
    }
    return Limits(**(values | changes))


def sample_sheets() -> dict[str, ScoreSheet]:
    """One sheet per situation that somebody should have looked at."""
    return {
        "graded": make_sheet(checks=make_checks(plots=True)),
        "rejected": make_rejected_sheet(),
        "faulted": make_faulted_sheet(),
        "notebook": make_notebook_sheet(),
        "notebook-rated": make_notebook_sheet(make_review("Grace Hopper", 4, 3), make_review("Edsger D.", 4, 4)),
        "notebook-third": make_notebook_sheet(make_review("Grace Hopper", 4, 1), make_review("Edsger D.", 4, 4)),
        "notebook-absent": make_notebook_sheet(handed_in=False),
        "perfect": make_sheet(
            checks=tuple(
                check.model_copy(
                    update={"earned": check.possible, "outcome": Outcome.PASSED, "reason": None, "words": ""}
                )
                for check in make_checks()
            ),
            observations=(),
            noticed=(),
        ),
    }


def write_samples(folder: Path) -> list[Path]:
    """Write every sample sheet for every audience, as HTML and Markdown."""
    from grader.render import html, markdown
    from grader.scoring.audience import for_audience

    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, sheet in sample_sheets().items():
        for audience in Audience:
            shown = for_audience(sheet, audience)
            for suffix, render in (("html", html.render), ("md", markdown.render)):
                path = folder / f"{name}.{audience}.{suffix}"
                path.write_text(render(shown), encoding="utf-8")
                written.append(path)
    return written


if __name__ == "__main__":
    for sample in write_samples(Path(sys.argv[1])):
        sys.stdout.write(f"{sample}\n")

"""Engineering: what makes a detector fit for production. A detector that answers the same to everything earns none."""

from __future__ import annotations

from collections import Counter

import anchors
import pytest
from answers import DECISION, fault_facts, main_reason
from asking import CLEAN
from care import P_TOLERANCE, alpha_asks, compare_alphas, mixed_asks, same_alarms, same_share
from figures import time_blocks
from measures import percent

from grader.checker.api import Reason, SubmissionFailed, linear

EVERY_FIELD = (*DECISION, "scores", "names", "n")


@pytest.mark.check(
    id="F1",
    points=2,
    competency="statistics",
    requirement="R1, R3",
    title="Honours another alpha",
    question="Operations asks for one false alarm in a hundred windows. What has to change in your detector?",
    feedback="Made with another alpha, the detector's flag, p-value or rate of false alarms does not follow it.",
)
def test_second_alpha(panel, tended, liveliness, award):
    asks, again = alpha_asks(), tended.panel.get()
    found = compare_alphas([panel[ask] for ask in asks], [again[ask] for ask in asks], asks, tended.alpha)
    because = (
        f"Made with alpha {tended.alpha:g}: {found.kept.count} of {found.kept.total} answers keep drift == (p_value <= "
        f"alpha); false alarms on {found.clean.words()} windows; {found.moved.count} decisions differ from those at "
        f"{anchors.ALPHA:g} as they should."
    )
    readings = [again[ask] for ask in asks]
    award(
        found.credit * liveliness,
        because + lively(liveliness),
        reason=reason(liveliness, main_reason(readings, DECISION)),
        evidence={"alpha": f"{tended.alpha:g}", "of them without drift": sum(ask.kind == CLEAN for ask in asks)}
        | fault_facts(readings, DECISION),
        metrics={"kept": found.kept.value, "false alarms": found.clean.value, "moved": found.moved.value},
    )


@pytest.mark.check(
    id="F2",
    points=2,
    competency="operations",
    requirement="R15",
    title="Goes on identically in a new process after save and load",
    question=(
        "The monitor restarts in the middle of a slow drift. Which of its state must survive, and which did you save?"
    ),
    feedback=(
        "After save, a new process and load, `check`, `feedback` or `update` do not answer as they would have before."
    ),
)
def test_save_and_load(tended, liveliness, award):
    found = tended.continued.get()
    checks, labels = same_share(*found.checks), same_share(*found.feedback)
    streams = {name: same_alarms(*pair) for name, pair in found.alarms.items()}
    went_on = sum(streams.values()) / len(streams)
    share = 0.3 * (checks.value == 1) + 0.15 * (labels.value == 1) + 0.55 * went_on
    evidence = {
        "check: same answers": f"{checks.count} of {checks.total}",
        "feedback: same answers": f"{labels.count} of {labels.total}",
    }
    evidence |= {
        f"update, saved {name}": "goes on identically" if same else "differs" for name, same in streams.items()
    }
    because = (
        "It goes on identically in a new process." if share == 1 else "In a new process it does not go on identically."
    )
    failing = reason(liveliness, Reason.UNSTABLE)
    award(min(1.0, share) * liveliness, because + lively(liveliness), reason=failing, evidence=evidence)


@pytest.mark.check(
    id="F3",
    points=1,
    competency="engineering",
    requirement="R4",
    title="Answers the same again, and `check` leaves no trace",
    question="Where does randomness or memory enter your detector, and how would a test find that it does?",
    feedback="The same window gets another answer later on, or calls of `check` change what `update` says.",
)
def test_no_trace(panel, measured, tended, liveliness, award):
    asks, again = mixed_asks(26), measured.again.get()
    same = same_share([panel[ask] for ask in asks], [again[ask] for ask in asks])
    untouched = same_alarms(tended.alone.get(), tended.between.get())
    share = linear(same.value, 0.5, 1.0) * (1 if untouched else 0.3)
    evidence = {
        "same answer when asked again": f"{same.count} of {same.total}",
        "update, with `check` of gross drift in between": "the same alarms" if untouched else "other alarms",
    }
    because = (
        "The same windows get the same answers, whatever was asked before."
        if share == 1
        else "An answer depends on what was asked before, or on chance."
    )
    failing = reason(liveliness, Reason.UNSTABLE)
    award(share * liveliness, because + lively(liveliness), reason=failing, evidence=evidence)


@pytest.mark.check(
    id="F4",
    points=1,
    competency="data-pipelines",
    requirement="R6",
    title="Does not depend on order of rows and columns, extra columns or dictionary encoding",
    question=(
        "Upstream adds a column in front and stores texts as dictionaries. Which line of your code would have cared?"
    ),
    feedback="The same window in another order, with extra columns or dictionary-encoded gets another answer.",
)
def test_clothes(tended, liveliness, award):
    plain, same = tended.plain.get(), {}
    for name, stage in tended.dressed.items():
        same[name] = same_share(plain, stage.get(), P_TOLERANCE)
    share = linear(sum(found.value == 1 for found in same.values()) / len(same), 0.6, 1.0)
    differing = [name for name, found in same.items() if found.value < 1]
    because = (
        f"Answers differ with {', '.join(differing)}."
        if differing
        else "Answers are the same in all forms of a window."
    )
    evidence = {name: f"same answer for {found.count} of {found.total} windows" for name, found in same.items()}
    award(share * liveliness, because + lively(liveliness), reason=reason(liveliness), evidence=evidence)


@pytest.mark.check(
    id="F5",
    points=2,
    competency="engineering",
    requirement="R7",
    title="Gives complete answers about odd but legal windows",
    question="A window has one row, or a column of nulls only. What does your detector say then, and is that useful?",
    feedback="All-null or constant columns, single rows or unseen levels raise an error, or the answer is incomplete.",
)
def test_edges(tended, liveliness, award):
    listed = tended.edges.get()
    total, good = Counter(name for name, _ in listed), Counter(name for name, reading in listed if not reading.faults)
    share = sum(good[name] / total[name] for name in total) / len(total)
    readings = [reading for _, reading in listed]
    because = f"{sum(good.values())} of {len(listed)} odd but legal windows got a complete and valid answer."
    award(
        share * liveliness,
        because + lively(liveliness),
        reason=reason(liveliness, main_reason([each for each in readings if each.faults], EVERY_FIELD)),
        evidence={name: f"{good[name]} of {total[name]}" for name in total} | fault_facts(readings, EVERY_FIELD),
    )


@pytest.mark.check(
    id="F6",
    points=1,
    competency="engineering",
    requirement="R8",
    title="Refuses with ValueError what it cannot judge",
    question="A column is missing. Why is an error better than an answer here, and who should see it?",
    feedback="An empty window, a missing column or a value of a wrong type does not raise ValueError.",
)
def test_refusals(tended, liveliness, award):
    listed = tended.refusals.get()
    wrong = [name for name, refused in listed if not refused]
    because = f"{len(listed) - len(wrong)} of {len(listed)} windows that cannot be judged raised ValueError."
    evidence = {name: "did not raise ValueError" for name in wrong}
    share = linear(1 - len(wrong) / len(listed), 0.3, 1.0)
    award(share * liveliness, because + lively(liveliness), reason=reason(liveliness), evidence=evidence)


@pytest.mark.check(
    id="F7",
    points=2,
    competency="performance",
    requirement="R16",
    title="Takes reasonable time for a check",
    question="Where does a check spend its time, and what could move from `check` to `fit`?",
    feedback="A check takes much more time than it needs to, or check or fit more than the limit of the brief.",
)
def test_time(measured, liveliness, award, plot):
    timing = measured.timing.get()
    plot(time_blocks(timing), "CPU time of a check at 500 rows")
    because = (
        f"A check of 500 rows takes {timing.ratio:.1f} times the CPU time of the reference, which counts with "
        f"{1000 * anchors.LEAST_REFERENCE:.0f} ms at least."
    )
    took = {
        "A check of 500 rows": (timing.seconds, anchors.MEDIAN_SECONDS),
        "Fitting": (measured.fit_seconds, anchors.FIT_SECONDS),
    }
    late = {what: pair for what, pair in took.items() if pair[0] > pair[1]}
    because += "".join(
        f" {what} takes {seconds:.2f} s; allowed are {most:g} s." for what, (seconds, most) in late.items()
    )
    share = linear(timing.ratio, *anchors.TIME_RATIO) * (not late)
    metrics = {"ratio": timing.ratio, "seconds": timing.seconds, "fit seconds": measured.fit_seconds}
    award(share * liveliness, because + lively(liveliness), reason=reason(liveliness, Reason.SLOW), metrics=metrics)


@pytest.mark.check(
    id="F8",
    points=1,
    competency="performance",
    requirement="R17",
    title="Stays within memory",
    question="What does your detector keep of the reference after `fit`, and why that?",
    feedback="Fitting or checking takes more memory than the limit of the brief.",
)
def test_memory(tended, liveliness, award):
    peak = tended.peak_memory
    if not peak:
        raise SubmissionFailed(Reason.NO_RESPONSE, "Nothing ran whose memory could be measured.")
    because = f"The box's memory rose to {peak / 1e9:.2f} GB in fitting and checking."
    share = linear(peak, *anchors.MEMORY)
    failing = reason(liveliness, Reason.MEMORY)
    award(share * liveliness, because + lively(liveliness), reason=failing, metrics={"peak bytes": float(peak)})


def lively(liveliness: float) -> str:
    """Say in a sentence what the gate of this group takes."""
    if liveliness == 1:
        return ""
    return f" It counts {percent(liveliness)}: clean and clearly drifted windows hardly get different answers."


def reason(liveliness: float, otherwise: Reason = Reason.WRONG_ANSWER) -> Reason:
    """Choose the reason where points are lost."""
    return Reason.INACTIVE if liveliness < 0.5 else otherwise

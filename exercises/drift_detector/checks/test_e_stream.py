"""Stream: evidence is gathered over windows, without crying wolf."""

from __future__ import annotations

from collections.abc import Sequence

import anchors
import pytest
from answers import Reading, fault_facts, main_reason
from figures import stream_alarms
from measures import Delays, Share, any_alarm, delay_credit, delays, label_activity
from watch import Watched, of_shift

from grader.checker.api import Reason, linear

SHIFTS = (anchors.SMALL_SHIFT, anchors.LARGE_SHIFT)
FIELDS = ("answer", "flag")


@pytest.mark.check(
    id="E1",
    points=3,
    competency="monitoring",
    requirement="R10",
    title="Watches 40 windows without drift, mostly in silence",
    question="Each window has its own chance of a false alarm, and there are 40 of them. What did you do about that?",
    feedback="Streams without drift raise alarms more often than promised, or streams with clear drift raise none.",
)
def test_clean(watched, award, plot):
    plot(stream_alarms(watched, anchors.STREAM_WINDOWS), "Alarms in time, stream by stream")
    found, seen = any_alarm(runs(watched, 0.0)), noticed(watched)
    because = (
        f"Alarms in {found.words()} streams of {anchors.STREAM_WINDOWS} windows without drift; promised is one in ten."
    )
    if label_activity(seen) < 1:
        because += f" Of the streams with clear drift it noticed only {seen.words()}."
    quiet = label_activity(seen) < 0.5
    clean = flat(watched, 0.0)
    award(
        quietness(watched),
        because,
        reason=Reason.INACTIVE if quiet else main_reason(clean, FIELDS),
        evidence={"streams with a false alarm": found.words(), "clear drift noticed": seen.words()}
        | fault_facts(clean, FIELDS),
        metrics={"streams with a false alarm": found.value, "noticed": seen.value},
    )


@pytest.mark.check(
    id="E2",
    points=3,
    competency="monitoring",
    requirement="R11",
    title="Raises the alarm soon after drift begins, small drift too",
    question=(
        "A drift is too small for any single window. After how many windows do you want to know, and what does it cost?"
    ),
    feedback="The alarm comes late, or never, after drift has begun in a stream; or false alarms cost this too.",
)
def test_delay(watched, award):
    found = {shift: waiting(watched, shift) for shift in SHIFTS}
    gate = quietness(watched)
    credit = sum(delay_credit(each.median, anchors.DELAYS[shift]) for shift, each in found.items()) / len(SHIFTS)
    because = "; ".join(f"shift of {shift} standard deviations: {each.words()}" for shift, each in found.items()) + "."
    if gate < 1:
        because += f" It counts {gate:.0%}, as streams without drift do (E1)."
    evidence = {
        f"shift {shift}": f"{each.words()}; {len(each.windows)} streams, {each.early} left out for an earlier alarm"
        for shift, each in found.items()
    }
    drifting = [reading for shift in SHIFTS for reading in flat(watched, shift)]
    metrics = {f"delay at {shift}": min(each.median, 1e6) for shift, each in found.items()}
    award(
        credit * gate,
        because,
        reason=main_reason(drifting, FIELDS),
        evidence=evidence,
        metrics=metrics | {"gate": gate},
    )


def runs(watched: Sequence[Watched], shift: float) -> list[tuple[Reading, ...]]:
    """Return the alarms of the streams with a shift."""
    return [each.alarms for each in of_shift(watched, shift)]


def flat(watched: Sequence[Watched], shift: float) -> list[Reading]:
    """Return them in one list."""
    return [reading for run in runs(watched, shift) for reading in run]


def waiting(watched: Sequence[Watched], shift: float) -> Delays:
    """Return the delays of the streams with a shift."""
    return delays(runs(watched, shift), [each.stream.onset for each in of_shift(watched, shift)])


def noticed(watched: Sequence[Watched]) -> Share:
    """Count the streams with the large shift that have an alarm at all."""
    found = runs(watched, anchors.LARGE_SHIFT)
    return Share(count=sum(any(reading.flag is True for reading in run) for run in found), total=len(found))


def quietness(watched: Sequence[Watched]) -> float:
    """Return the credit of E1, which gates E2."""
    return linear(any_alarm(runs(watched, 0.0)).value, *anchors.STREAM_ALARMS) * label_activity(noticed(watched))

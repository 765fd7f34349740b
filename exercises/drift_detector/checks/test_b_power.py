"""Power: drift of ten kinds and three sizes, beside what the reference detects in the same world."""

from __future__ import annotations

import pytest
from asking import MODES
from figures import power_curves
from powers import award_power, curve
from world import KINDS


@pytest.mark.check(
    id="B1",
    points=4,
    competency="statistics",
    requirement="R9",
    title="Detects a shifted mean",
    question=(
        "A numeric feature moved by 0.1 standard deviations. Would you page somebody, and what does your detector "
        "say at 500 rows?"
    ),
    feedback="Look again at a numeric feature whose mean moves a little.",
)
def test_mean(panel, power, award, plot):
    curves = {kind: {mode: curve(panel, power, kind, mode) for mode in MODES} for kind in KINDS}
    plot(power_curves(curves), "Detection by size of drift, all kinds")
    award_power("mean", panel, power, award, plot)


@pytest.mark.check(
    id="B2",
    points=4,
    competency="statistics",
    requirement="R9",
    title="Detects a changed spread",
    question="Mean and median stay, the tails grow. Which of your statistics sees it, and how strongly?",
    feedback="Look again at a numeric feature whose spread grows while its centre stays.",
)
def test_scale(panel, power, award, plot):
    award_power("scale", panel, power, award, plot)


@pytest.mark.check(
    id="B3",
    points=4,
    competency="statistics",
    requirement="R9",
    title="Detects a changed shape at equal mean and variance",
    question=(
        "A feature splits into two groups, with the same mean and variance as before. What in your detector can "
        "notice that?"
    ),
    feedback="Look again at a numeric feature whose distribution changes its shape, but neither mean nor variance.",
)
def test_shape(panel, power, award, plot):
    award_power("shape", panel, power, award, plot)


@pytest.mark.check(
    id="B4",
    points=4,
    competency="monitoring",
    requirement="R9",
    title="Detects changed shares of a category",
    question=(
        "One payment method becomes more popular. How does your test weigh twenty rare segments against five "
        "common methods?"
    ),
    feedback="Look again at categories whose shares change.",
)
def test_category(panel, power, award, plot):
    award_power("category", panel, power, award, plot)


@pytest.mark.check(
    id="B5",
    points=4,
    competency="monitoring",
    requirement="R9",
    title="Detects a level that the reference never had",
    question=(
        "A level that never occurred appears in two rows of 500. Is that drift, and how do you put a p-value on it?"
    ),
    feedback="Look again at levels that the reference does not have, in few rows.",
)
def test_level(panel, power, award, plot):
    award_power("level", panel, power, award, plot)


@pytest.mark.check(
    id="B6",
    points=4,
    competency="data-quality",
    requirement="R9",
    title="Detects a changed share of nulls",
    question="A partner stops sending a field for some rows. What becomes of nulls on their way through your detector?",
    feedback="Look again at features with more nulls than before.",
)
def test_missing(panel, power, award, plot):
    award_power("missing", panel, power, award, plot)


@pytest.mark.check(
    id="B7",
    points=4,
    competency="statistics",
    requirement="R9",
    title="Detects a changed dependence of two features",
    question=(
        "Two features lose their correlation, and each alone looks as ever. How many pairs do you watch, and what "
        "does that cost?"
    ),
    feedback="Look again at drift that no feature shows alone: the dependence of two numeric features.",
)
def test_pair(panel, power, award, plot):
    award_power("pair", panel, power, award, plot)


@pytest.mark.check(
    id="B8",
    points=4,
    competency="statistics",
    requirement="R9",
    title="Detects many small shifts at once",
    question=(
        "Every feature moves by a tenth of a standard deviation. Why do your tests miss it one by one, and what "
        "adds them up?"
    ),
    feedback="Look again at drift that is small in every feature and large in all together.",
)
def test_diffuse(panel, power, award, plot):
    award_power("diffuse", panel, power, award, plot)


@pytest.mark.check(
    id="B9",
    points=4,
    competency="monitoring",
    requirement="R9",
    title="Detects a shift within one country",
    question=(
        "Only one country changed, a twelfth of all rows. What would you have to look at to see it, and what does "
        "looking cost?"
    ),
    feedback="Look again at a shift that only one country's rows have.",
)
def test_segment(panel, power, award, plot):
    award_power("segment", panel, power, award, plot)


@pytest.mark.check(
    id="B10",
    points=4,
    competency="data-quality",
    requirement="R9",
    title="Detects rows in another unit",
    question="A partner begins to send cents, in one row of fifty. Which statistic sees it, and which one drowns it?",
    feedback="Look again at a small share of rows whose numbers are in another unit.",
)
def test_unit(panel, power, award, plot):
    award_power("unit", panel, power, award, plot)

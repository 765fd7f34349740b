"""Every trap matters: whoever falls into it is wrong by more than the tolerance in nearly all rows of its stratum."""

from __future__ import annotations

import bisect
import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

VERSIONS = ("v1", "v2")


@pytest.fixture(scope="module", params=VERSIONS)
def scene(request, data, world, hidden):
    """A version, with a function that says in which share of a stratum a change of features shows."""
    artefacts = data.featurize.load(hidden / "artifacts", request.param)

    def share_off(stratum, change):
        rows = data.truth.frame(world.rows(200, np.random.default_rng(7), stratum))
        right = data.featurize.featurize(rows, artefacts.meta, artefacts.fx, artefacts.aggregates)
        wrong = change(right.copy(), rows, artefacts.meta)
        off = [data.featurize.late_probability(artefacts, each) for each in (right, wrong)]
        return np.mean(np.abs(off[0] - off[1]) > 1e-6)

    return share_off


def utc_hour(features, rows, meta):
    return features.assign(local_hour=pd.to_datetime(rows["ts"], utc=True, format="ISO8601").dt.hour)


def no_rate(features, rows, meta):
    return features.assign(log_amount=np.log(rows["amount"]))


def no_income(features, rows, meta):
    return features.assign(income=meta["income_range"][0])


def mean_income(features, rows, meta):
    return features.assign(income=1.1 * meta["medians"]["income"])


def as_written(features, rows, meta):
    return features.assign(segment=rows["segment"].map(meta["segments"]).fillna(meta["unseen_segment"]))


def minus_one(features, rows, meta):
    return features.assign(segment=-1)


def one_more(features, rows, meta):
    return features.assign(segment=len(meta["segments"]) + 1)


@pytest.mark.parametrize(
    ("stratum", "change"),
    [
        ("local_hour", utc_hour),
        ("dst", utc_hour),
        ("currency", no_rate),
        ("null_income", no_income),
        ("null_income", mean_income),
        ("messy_segment", as_written),
        ("merged_segment", as_written),
        ("unseen_segment", minus_one),
        ("unseen_segment", one_more),
    ],
)
def test_a_trap_shows_in_its_stratum_and_not_in_plain_rows(scene, stratum, change):
    assert scene(stratum, change) > 0.9
    if change in (utc_hour, no_rate, as_written):
        assert scene("plain", change) == 0


def test_a_later_value_shows(scene, world):
    last = world.aggregates.sort_values("as_of").groupby("customer_id")["value"].last()

    def latest(features, rows, meta):
        return features.assign(customer_value=rows["customer_id"].map(last).fillna(meta["medians"]["customer_value"]))

    assert scene("customer_asof", latest) > 0.9
    assert scene("plain", latest) == 0


def test_the_precision_of_features_does_not_show(scene):
    """Both models compare in 32 bits, so that nobody loses points by how logarithms are rounded."""
    assert scene("mixed", lambda features, rows, meta: features.astype("float32").astype("float64")) == 0


@pytest.fixture(scope="module")
def follows(data, world, hidden):
    """How closely probabilities, made by a function of rows and right features, follow the right ones on plain rows."""
    artefacts = data.featurize.load(hidden / "artifacts", "v1")
    rows = data.truth.frame(world.rows(200, np.random.default_rng(11), "plain"))
    right = data.featurize.featurize(rows, artefacts.meta, artefacts.fx, artefacts.aggregates)

    def relation(changed=None, probabilities=None):
        if changed is not None:
            probabilities = data.featurize.late_probability(artefacts, changed(right.copy(), rows, artefacts.meta))
        else:
            probabilities = probabilities(rows)
        return abs(spearmanr(probabilities, data.featurize.late_probability(artefacts, right)).statistic)

    return relation


@pytest.fixture(scope="module")
def anchors(exercise):
    """Where the gate of the checks begins to open, and where it is open."""
    text = (exercise / "checks" / "parity.py").read_text(encoding="utf-8")
    return tuple(map(float, re.search(r"ACTIVE_LO, ACTIVE_HI = ([\d.]+), ([\d.]+)", text).groups()))


HONEST = {
    "no value of the customer": lambda features, rows, meta: features.assign(customer_value=0),
    "no income": lambda features, rows, meta: features.assign(income=meta["medians"]["income"]),
    "no segment": lambda features, rows, meta: features.assign(segment=meta["unseen_segment"]),
    "amount without logarithm": lambda features, rows, meta: features.assign(log_amount=rows["amount"]),
    "two features are missing": lambda features, rows, meta: features.assign(
        customer_value=meta["medians"]["customer_value"], segment=meta["unseen_segment"]
    ),
}


@pytest.mark.parametrize("changed", HONEST.values(), ids=HONEST)
def test_who_scores_with_a_feature_or_two_wrong_uses_the_model(follows, anchors, changed):
    assert follows(changed) >= anchors[1]


def test_who_answers_without_the_model_does_not(follows, anchors, exercise):
    lines = (exercise / "solutions" / "replay" / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    known = sorted((amount, probability) for _, amount, probability, _ in map(json.loads, lines))

    def nearest(rows):
        return [known[min(bisect.bisect(known, (amount,)), len(known) - 1)][1] for amount in rows["amount"]]

    assert follows(probabilities=nearest) < anchors[0], "answers of another world"
    assert follows(probabilities=lambda rows: rows["amount"]) < sum(anchors) / 2, "one feature of six"

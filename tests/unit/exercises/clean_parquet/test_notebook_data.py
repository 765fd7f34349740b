"""The notebook's data: other worlds with other shares, files that differ, and a probe that means one thing."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from rapidfuzz.distance import Levenshtein


@pytest.fixture(scope="module")
def hidden(small_hidden):
    return small_hidden(7)


@pytest.fixture(scope="module")
def truths(hidden):
    return json.loads((hidden / "decision" / "truth.json").read_text())


def test_six_worlds_with_shares_of_their_own(truths):
    values = [each["value"] for each in truths.values()]
    assert sorted(truths) == list("012345")
    assert all(0.05 <= value <= 0.22 for value in values)
    assert min(abs(a - b) for place, a in enumerate(values) for b in values[:place]) > 0.01


def test_each_world_has_customers_of_its_own(hidden):
    sets = [
        set(pq.read_table(hidden / "decision" / name / "raw" / "customers.parquet")["customer_id"].to_pylist())
        for name in "012345"
    ]
    assert all(len(a & b) < 0.02 * len(a) for place, a in enumerate(sets) for b in sets[:place])


def test_a_notebook_that_counts_by_rules_and_by_file_is_right(exercise, hidden, truths):
    from decision import ratio_by_file

    from grader.checker.decision_sets import DISTANCES

    for name, (low, high) in zip("012345", DISTANCES, strict=True):
        flags, file = flagged(exercise, hidden / "decision" / name / "raw")
        estimate, error = ratio_by_file(flags, file)
        distance = (estimate - truths[name]["value"]) / error
        assert low <= distance <= high, name
        assert truths[name]["width"] == pytest.approx(2 * 1.959964 * error)


def test_rows_of_a_file_are_alike(exercise, hidden):
    inflated = []
    for name in "012345":
        flags, file = flagged(exercise, hidden / "decision" / name / "raw")
        rows, bad = np.bincount(file), np.bincount(file, flags)
        share = bad.sum() / rows.sum()
        inflated.append((((bad - share * rows) ** 2) / (rows * share * (1 - share))).sum() / (len(rows) - 1))
    assert np.mean(inflated) > 1.7


def test_every_word_of_the_probe_means_one_status_at_its_distance(hidden):
    from vocabulary import WORD_TO_STATUS

    truth = pq.read_table(hidden / "probe" / "truth.parquet").to_pylist()
    (path,) = (hidden / "probe" / "raw" / "orders").iterdir()
    table = pq.read_table(path)
    column = next(name for name in ("status", "state", "etat") if name in table.column_names)
    words = table[column].to_pylist()
    assert [sum(row["distance"] == distance for row in truth) for distance in range(4)] == [20] * 4
    for row in truth:
        near = {word: Levenshtein.distance(words[row["source_row"]], word) for word in WORD_TO_STATUS}
        assert min(near.values()) == row["distance"]
        assert {WORD_TO_STATUS[word] for word, each in near.items() if each <= row["distance"]} == {row["status"]}


def flagged(exercise, raw) -> tuple[np.ndarray, np.ndarray]:
    """Whether each row is beyond repair, by RULES.md put into code a second time; and its file."""
    from rules_oracle import Rules, judge

    rows = judge(Rules((exercise / "template" / "RULES.md").read_text(encoding="utf-8")), raw)
    return np.array([bool(row.reason) for row in rows]), np.array([int(row.file[5:7]) for row in rows])

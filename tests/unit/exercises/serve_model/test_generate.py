"""The generated files: repeatable, complete, consistent with the batch job."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from grader.checker.metadata import guess_labels

VERSIONS = ("v1", "v2")


def meta(folder, version):
    return json.loads((folder / version / "meta.json").read_text(encoding="utf-8"))


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_seed_gives_the_same_bytes(data, public, tmp_path):
    data.generate.generate(5, "public", tmp_path)
    assert digests(tmp_path) == digests(public)


def test_the_splits_of_a_seed_are_of_one_world(public, hidden):
    """They differ in the order of the model's columns, and in nothing else that stands in their tables."""
    for table in ("history.parquet", "customer_aggregates.parquet"):
        assert (public / "artifacts" / table).read_bytes() == (hidden / "artifacts" / table).read_bytes()


def test_unused_bytes_of_a_tree_are_cleared(data, hidden):
    """Nodes have unused bytes between their fields, which hold what was in memory before."""
    tree = joblib.load(hidden / "artifacts" / "v1" / "model.joblib").estimators_[0, 0]
    state = tree.tree_.__getstate__()
    used = np.zeros(state["nodes"].dtype.itemsize, bool)
    for kind, offset, *_ in state["nodes"].dtype.fields.values():
        used[offset : offset + kind.itemsize] = True

    def unused():
        nodes = tree.tree_.__getstate__()["nodes"]
        return nodes.view(np.uint8).reshape(len(nodes), -1)[:, ~used]

    dirty = state["nodes"].copy()
    dirty.view(np.uint8).reshape(len(dirty), -1)[:, ~used] = 7
    tree.tree_.__setstate__(state | {"nodes": dirty})
    assert (unused() == 7).all()
    data.train.clear_padding(tree)
    assert unused().size
    assert not unused().any()
    assert (tree.tree_.__getstate__()["nodes"] == state["nodes"]).all()


def test_tables_say_nothing_but_their_columns(public, hidden):
    """What pandas adds tells which versions wrote them, and which rows were left out."""
    tables = [*public.rglob("*.parquet"), *hidden.rglob("*.parquet")]
    assert {path.name for path in tables} == {"history.parquet", "customer_aggregates.parquet"}
    assert [path for path in tables if pq.read_schema(path).metadata] == []


def test_another_split_is_refused(data, tmp_path):
    with pytest.raises(ValueError, match="no split"):
        data.generate.generate(5, "secret", tmp_path)


def test_worlds_differ_in_more_than_rows(data):
    worlds = [data.world.World(seed) for seed in range(20)]
    for what in ("fx", "known", "merged", "zones"):
        assert len({str(getattr(world, what)) for world in worlds}) > 15, what
    assert len({world.coding["v1"].features for world in worlds}) > 15


def test_the_column_of_the_kit_is_the_wrong_one_in_every_hidden_world(data, public):
    taken_for_granted = meta(public / "artifacts", "v1")["classes"].index("late")
    worlds = [data.world.World(seed) for seed in range(20)]
    assert all(world.coding["v1"].classes.index("late") != taken_for_granted for world in worlds)


def test_versions_differ_in_all_that_could_be_mixed_up(public):
    one, two = (meta(public / "artifacts", version) for version in VERSIONS)
    assert one["classes"] == two["classes"][::-1]
    for key in ("features", "segments", "threshold", "medians", "format", "sha256"):
        assert one[key] != two[key], key
    assert sorted(one["features"]) == sorted(two["features"])


@pytest.mark.parametrize("version", VERSIONS)
def test_the_code_of_unseen_segments_is_one_of_its_own(public, version):
    found = meta(public / "artifacts", version)
    codes = sorted(found["segments"].values())
    assert found["unseen_segment"] not in codes
    assert codes[0] < found["unseen_segment"] < codes[-1]
    assert set(found["merged_segments"].values()) <= set(found["segments"])
    assert not set(found["merged_segments"]) & set(found["segments"])


def test_hashes_fit_except_where_a_byte_was_changed(hidden):
    def fits(folder, version):
        found = meta(folder, version)
        return hashlib.sha256((folder / version / found["file"]).read_bytes()).hexdigest() == found["sha256"]

    sound = [(folder, version) for folder in ("artifacts", "slow", "corrupt") for version in VERSIONS]
    assert [each for each in sound if not fits(hidden / each[0], each[1])] == [("corrupt", "v2")]


def test_examples_are_what_the_batch_job_prints(public, tmp_path):
    examples = [json.loads(line) for line in (public / "examples.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(examples) == 500
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(json.dumps(each["request"]) + "\n" for each in examples), encoding="utf-8")
    command = [sys.executable, public / "offline" / "featurize.py", public / "artifacts", "v1", rows]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    scored = [json.loads(line) for line in printed]
    assert [each["probability"] for each in scored] == pytest.approx([each["probability"] for each in examples])
    assert [each["decision"] for each in scored] == [each["decision"] for each in examples]
    assert [each["request_id"] for each in scored] == [each["request"]["request_id"] for each in examples]


def test_history_is_labelled_and_later_than_training(data, world, public):
    history = pd.read_parquet(public / "artifacts" / "history.parquet")
    when = pd.to_datetime(history["ts"], utc=True, format="ISO8601")
    assert when.min() >= world.periods.training[1]
    assert when.is_monotonic_increasing
    assert set(history["late"]) == {0, 1}
    assert set(history) == {*data.strata.FIELDS, "late"}


def test_what_surrounds_the_rows_of_the_history_does_not_tell_the_label(public):
    guess = guess_labels(public, "artifacts/history.parquet", "late")
    assert not guess.leaks, guess


@pytest.mark.parametrize("version", VERSIONS)
def test_the_model_is_worth_serving(data, public, version):
    from sklearn.metrics import roc_auc_score

    history = pd.read_parquet(public / "artifacts" / "history.parquet")
    scored = data.featurize.score(history, data.featurize.load(public / "artifacts", version))
    assert roc_auc_score(history["late"], scored["probability"]) > 0.75
    approved = scored["decision"] == "approve"
    assert 0.6 < approved.mean() < 0.9
    assert history["late"][approved].mean() < 0.75 * history["late"].mean()


@pytest.mark.parametrize("version", VERSIONS)
def test_threshold_rows_have_the_threshold_to_the_last_bit(data, hidden, version):
    rows = data.truth.threshold_rows(hidden / "artifacts", version)
    probabilities, decisions = data.truth.expected(hidden / "artifacts", rows, version)
    assert len(rows) == 200
    assert set(probabilities) == {meta(hidden / "artifacts", version)["threshold"]}
    assert set(decisions) == {"review"}
    assert len({row["request_id"] for row in rows}) == 200


def test_the_slow_model_predicts_the_same(data, hidden, world):
    rows = world.rows(100, np.random.default_rng(1), "mixed")
    usual, _ = data.truth.expected(hidden / "artifacts", rows, "v1")
    slow, _ = data.truth.expected(hidden / "slow", rows, "v1")
    assert slow == pytest.approx(usual, abs=1e-9)


def test_the_log_alone_gives_the_probability(data, hidden, world):
    rows = world.rows(50, np.random.default_rng(2), "mixed")
    for version in VERSIONS:
        logged = data.truth.features(hidden / "artifacts", rows, version).to_dict("records")
        again = data.truth.from_features(hidden / "artifacts", logged, version)
        assert list(again) == list(data.truth.expected(hidden / "artifacts", rows, version)[0])

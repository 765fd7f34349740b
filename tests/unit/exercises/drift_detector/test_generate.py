"""The generator: repeatable bytes, tagged examples, data sets for the notebook, and the reference's power."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy import stats

from grader.checker.metadata import guess_labels

PUBLIC_SEED = 20261207


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_seed_gives_the_same_bytes(data, public, tmp_path):
    data.generate.generate(PUBLIC_SEED, "public", tmp_path)
    assert digests(tmp_path) == digests(public)


def test_an_unknown_split_is_refused(data, tmp_path):
    with pytest.raises(ValueError, match="'nothing'"):
        data.generate.generate(1, "nothing", tmp_path)


def test_the_public_split_has_what_the_brief_names(public):
    names = {path.name for path in public.iterdir()}
    assert names == {"reference.parquet", "reference_labels.parquet", "examples", "examples.json"}
    for path in public.rglob("*.parquet"):
        assert pq.read_schema(path).metadata is None
    schema = pq.read_schema(public / "reference.parquet")
    assert {str(field.type) for field in schema} == {"string", "timestamp[us, tz=UTC]", "double", "int64"}


def test_examples_are_windows_of_the_public_process(data, public):
    tags = json.loads((public / "examples.json").read_text())
    assert len(tags) == 12
    assert Counter(tag["drift"] for tag in tags.values()) == {True: 8, False: 4}
    assert len({tag["kind"] for tag in tags.values() if tag["drift"]}) == 8
    reference = pd.read_parquet(public / "reference.parquet")
    world = data.world.World(PUBLIC_SEED)
    for name, tag in tags.items():
        window = pd.read_parquet(public / "examples" / name)
        assert len(window) == tag["rows"]
        assert window.dtypes.equals(reference.dtypes)
        assert window["event_ts"].min() > reference["event_ts"].max()
        if tag["drift"]:
            assert tuple(tag["features"]) == world.target(tag["kind"])
        elif tag["hours"] == "all week" and tag["rows"] > 100:
            p = [stats.ks_2samp(window[name], reference[name]).pvalue for name in ("amount", "distance_km")]
            assert min(p) > 1e-4


def test_what_surrounds_labels_does_not_tell_them(public, tmp_path):
    labels = pd.read_parquet(public / "reference_labels.parquet")
    labels.drop(columns="score").to_parquet(tmp_path / "labels.parquet")  # who sees scores may guess well
    guess = guess_labels(tmp_path, "labels.parquet", "y")
    assert not guess.leaks, guess


def test_the_area_and_its_error_are_right(data):
    rng = np.random.default_rng(3)
    score = np.round(rng.normal(size=400), 1)  # with ties
    y = (rng.random(400) < 0.3).astype(int)
    late, other = score[y == 1], score[y == 0]
    pairs = np.sign(late[:, None] - other[None, :])
    assert data.ranking.area(score, y)[0] == pytest.approx((1 + pairs).mean() / 2)
    draws = []
    for _ in range(400):
        y = (rng.random(500) < 0.3).astype(int)
        draws.append(data.ranking.area(rng.normal(size=500) + 0.8 * y, y))
    areas, errors = np.array(draws).T
    assert errors.mean() == pytest.approx(areas.std(), rel=0.15)


@pytest.mark.slow
def test_notebook_data_come_from_six_worlds(data, tmp_path, monkeypatch):
    monkeypatch.setattr(data.ranking, "TRUTH_ROWS", 120_000)
    data.ranking.write_decision(8, tmp_path / "decision", batches=1)
    truth = json.loads((tmp_path / "decision" / "truth.json").read_text())
    assert set(truth) == set("012345")
    assert len({round(each["value"], 6) for each in truth.values()}) == 6
    for name, each in truth.items():
        reference = pd.read_parquet(tmp_path / "decision" / name / "reference.parquet")
        labels = pd.read_parquet(tmp_path / "decision" / name / "reference_labels.parquet")
        assert labels["row_id"].equals(reference["row_id"])
        area, error = data.ranking.area(labels["score"].to_numpy(), labels["y"].to_numpy())
        assert abs(area - each["value"]) < 2 * error
        assert each["width"] == pytest.approx(2 * 1.959964 * error)


HIDDEN = """
import json, sys
sys.path[:0] = sys.argv[1:3]
import power
from world import World
power.reference_detector()  # now its modules can be found
import nulls, stream
nulls.WINDOWS, stream.STREAMS = 200, 40  # of the resampled windows; so few fit fast, and are drawn in the same way
world = World(7)
found = power.measure_power(world, world.reference(), world.reference_labels(), windows=4, clean=12)
print(json.dumps(found))
"""


@pytest.mark.slow
def test_the_power_of_the_reference_is_measured_the_same_twice(exercise):
    command = [sys.executable, "-c", HIDDEN, str(exercise / "data"), str(exercise.parents[1])]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    runs = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert runs[0] == runs[1]
    found = json.loads(runs[0])
    assert set(found["power"]) == {"pooled", "slice"}
    for kinds in found["power"].values():
        assert len(kinds) == 10
        assert all(len(sizes) == 3 for sizes in kinds.values())
        assert np.mean([list(sizes.values())[2] for sizes in kinds.values()]) > 0.95
        assert np.mean([next(iter(sizes.values())) for sizes in kinds.values()]) < 0.75
    assert max(found["false_alarms"].values()) < 0.35

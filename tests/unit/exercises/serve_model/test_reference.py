"""The reference's own path to a probability, without a server, beside the batch job."""

from __future__ import annotations

import importlib
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

STRATA = ("plain", "local_hour", "dst", "null_income", "messy_segment", "unseen_segment", "customer_asof", "amounts")
VERSIONS = ("v1", "v2")


@pytest.fixture(scope="module")
def service(exercise):
    """The modules of the reference that need no server."""
    folder = str(exercise / "solutions" / "reference")
    names = ("contract", "features", "artefacts", "metrics", "memory")
    before = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, folder)
    modules = SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    sys.path.remove(folder)
    for name in names:
        sys.modules.pop(name)
    sys.modules.update(before)
    return modules


@pytest.fixture
def answers(service, tmp_path):
    """An empty memory, and what it counts."""
    metrics = service.metrics.Metrics()
    memory = service.memory.Answers(tmp_path / "predictions.jsonl", metrics)
    yield memory, metrics
    memory.close()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("stratum", STRATA)
def test_it_agrees_with_the_batch_job(service, data, world, hidden, stratum, version):
    rows = world.rows(100, np.random.default_rng(4), stratum)
    snapshot = service.artefacts.Library(hidden / "artifacts").load(version)
    requests = [service.contract.PredictRequest(**row) for row in rows]
    found = snapshot.late([snapshot.featurize(each) for each in requests])
    assert found == pytest.approx(data.truth.expected(hidden / "artifacts", rows, version)[0], abs=1e-9)


@pytest.mark.parametrize("version", ["v2", "v3", "", ".", "../artifacts/v1", "v1/../v1", "a\0b", "x" * 1000])
def test_what_is_corrupt_or_unknown_is_not_loaded(service, hidden, version):
    with pytest.raises(service.artefacts.NotLoadable):
        service.artefacts.Library(hidden / "corrupt").load(version)


def test_the_hash_is_looked_at_before_the_file_is_opened(service, hidden, tmp_path):
    """A joblib file may run code when it is loaded."""
    shutil.copytree(hidden / "artifacts", tmp_path / "artifacts")
    model = tmp_path / "artifacts" / "v1" / "model.joblib"
    model.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "ran").encode() + b"'\ntR.")
    with pytest.raises(service.artefacts.NotLoadable, match="hash"):
        service.artefacts.Library(tmp_path / "artifacts").load("v1")
    assert not (tmp_path / "ran").exists()


def test_an_id_is_answered_once_and_stands_for_one_body(service, world, hidden, answers):
    memory, metrics = answers
    snapshot = service.artefacts.Library(hidden / "artifacts").load("v1")
    one, two = (service.contract.PredictRequest(**row) for row in world.rows(2, np.random.default_rng(6)))
    first = memory.give(snapshot, [one, one], [snapshot.featurize(one)] * 2)
    assert first[0] == first[1]
    changed = one.model_copy(update={"amount": one.amount + 1})
    with pytest.raises(service.memory.Conflict):
        memory.give(snapshot, [two, changed], [snapshot.featurize(two), snapshot.featurize(changed)])
    assert (
        sum(int(line.rpartition(" ")[2]) for line in metrics.text().splitlines() if "predictions_total{" in line) == 1
    )


def test_memory_is_bounded(service, world, hidden, answers, monkeypatch):
    monkeypatch.setattr(service.memory, "REMEMBERED", 10)
    memory, _ = answers
    snapshot = service.artefacts.Library(hidden / "artifacts").load("v1")
    rows = [service.contract.PredictRequest(**row) for row in world.rows(30, np.random.default_rng(6))]
    memory.give(snapshot, rows, [snapshot.featurize(row) for row in rows])
    assert [bool(memory.known([row])) for row in rows] == [False] * 20 + [True] * 10

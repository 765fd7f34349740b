"""Public checks on the kit's own artefacts. The hidden checks look closer, with others."""

from __future__ import annotations

import json
import os
import signal
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from conftest import Service, end, start

Row = dict[str, Any]


def test_health(service: Service) -> None:
    assert service.ask("GET", "/health")[0] == 200


def test_ready_names_the_version(service: Service) -> None:
    assert service.ask("GET", "/ready") == (200, {"model_version": "v1"})


def test_examples_agree_with_the_batch(service: Service, examples: list[Row]) -> None:
    answers = [service.predict(example["request"]) for example in examples[:200]]
    assert {status for status, _ in answers} == {200}
    off = [e for e, (_, a) in zip(examples, answers, strict=False) if abs(a["probability"] - e["probability"]) > 1e-6]
    assert not off, f"{len(off)} of 200 probabilities differ; the first is that of {off[0]}"
    assert [answer["decision"] for _, answer in answers] == [example["decision"] for example in examples[:200]]
    assert {answer["model_version"] for _, answer in answers} == {"v1"}


def test_batch_agrees_in_its_order(service: Service, examples: list[Row]) -> None:
    rows = [example["request"] | {"request_id": uuid.uuid4().hex} for example in examples[200:328]]
    status, answer = service.ask("POST", "/v1/predict_batch", {"rows": rows})
    assert (status, answer["model_version"]) == (200, "v1")
    assert [result["request_id"] for result in answer["results"]] == [each["request_id"] for each in rows]
    expected = [example["probability"] for example in examples[200:328]]
    assert [result["probability"] for result in answer["results"]] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("tz", ...),
        ("surprise", 1),
        ("amount", None),
        ("amount", "12.5"),
        ("amount", True),
        ("amount", 0),
        ("currency", "GBP"),
        ("tz", "Europe/Atlantis"),
        ("ts", "2025-03-01T12:00:00"),
        ("customer_id", "7"),
    ],
)
def test_refusals_name_the_field(service: Service, row: Row, field: str, wrong: Any) -> None:
    body = {name: value for name, value in (row | {field: wrong}).items() if value is not ...}
    status, answer = service.ask("POST", "/v1/predict", body)
    assert status == 422
    assert field in [problem["loc"][-1] for problem in answer["detail"]]


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_numbers_that_are_not_finite(service: Service, row: Row, written: str) -> None:
    text = json.dumps(row | {"amount": 0}).replace('"amount": 0', f'"amount": {written}')
    assert service.ask("POST", "/v1/predict", text)[0] == 422


def test_limits(service: Service, row: Row) -> None:
    rows = [row | {"request_id": f"limit-{number}"} for number in range(513)]
    assert service.ask("POST", "/v1/predict_batch", {"rows": rows[:512]})[0] == 200
    assert service.ask("POST", "/v1/predict_batch", {"rows": rows})[0] == 422
    assert service.ask("POST", "/v1/predict_batch", {"rows": []})[0] == 422
    assert service.ask("POST", "/v1/predict", row | {"segment": "x" * 1_200_000})[0] == 413


def test_bodies_that_are_not_json(service: Service, row: Row) -> None:
    for body in ("{", b"\xff\xfe", ""):
        assert service.ask("POST", "/v1/predict", body)[0] in (400, 422)
    plain = {"Content-Type": "text/plain"}
    assert service.ask("POST", "/v1/predict", row, plain)[0] in (415, 422)


def test_the_same_request_again(service: Service, row: Row) -> None:
    row["request_id"] = uuid.uuid4().hex
    first = service.ask("POST", "/v1/predict", row)
    assert first[0] == 200
    assert service.ask("POST", "/v1/predict", row) == first
    assert service.ask("POST", "/v1/predict", row | {"amount": row["amount"] + 1})[0] == 409


def test_activation(service: Service, row: Row) -> None:
    assert service.ask("POST", "/admin/activate", {"version": "v9"})[0] == 409
    assert service.predict(row)[1]["model_version"] == "v1"
    for version in ("v2", "v1"):
        assert service.ask("POST", "/admin/activate", {"version": version}) == (200, {"model_version": version})
        assert service.predict(row)[1]["model_version"] == version


def test_metrics_and_log(service: Service, row: Row) -> None:
    answer = service.predict(row)[1]
    status, text = service.ask("GET", "/metrics")
    assert status == 200
    for name in ("http_requests_total{", "http_request_duration_seconds_bucket{", "predictions_total{"):
        assert name in text
    meta = json.loads((Path(__file__).parents[1] / "artifacts" / "v1" / "meta.json").read_text(encoding="utf-8"))
    until = time.monotonic() + 2
    logged: list[Row] = []
    while not logged and time.monotonic() < until:
        lines = [line for path in service.folder.glob("predictions*.jsonl") for line in path.open(encoding="utf-8")]
        logged = [entry for entry in map(json.loads, lines) if entry["prediction_id"] == answer["prediction_id"]]
    assert [entry["probability"] for entry in logged] == [answer["probability"]]
    assert set(logged[0]["features"]) == set(meta["features"])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a program could handle")
def test_ends_with_status_0(tmp_path: Path) -> None:
    service = start(tmp_path / "service")
    try:
        service.process.send_signal(signal.SIGTERM)
        assert service.process.wait(5) == 0
    finally:
        end(service)

"""Late-payment risk over HTTP: pydantic models in front of the batch job's own functions."""

import hashlib
import json
import os
import sys
import threading
import time
import uuid
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

import pandas as pd
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

sys.path.insert(0, "offline")
import featurize

MODEL_DIR = Path(os.environ.get("MODEL_DIR", "artifacts"))
ZONES = available_timezones()

state = {"version": None, "artefacts": None}
answers = {}
counts = {"requests": {}, "predictions": {}, "seconds": []}
lock = threading.Lock()


class PredictRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    request_id: Annotated[str, Field(min_length=1, max_length=64)]
    ts: AwareDatetime
    tz: str
    amount: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    currency: Literal["EUR", "NOK", "USD", "JPY"]
    income: Annotated[float, Field(allow_inf_nan=False)] | None
    segment: str
    customer_id: int

    @field_validator("tz")
    @classmethod
    def known(cls, value):
        if value not in ZONES:
            raise ValueError("unknown time zone")
        return value


class BatchRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rows: Annotated[list[PredictRequest], Field(min_length=1, max_length=512)]


class ActivateRequest(BaseModel):
    version: str


class Prediction(BaseModel):
    request_id: str
    prediction_id: str
    model_version: str
    probability: float
    decision: Literal["approve", "review"]


class BatchPrediction(BaseModel):
    model_version: str
    results: list[Prediction]


def load(version):
    """Load a version and serve it from now on."""
    folder = MODEL_DIR / version
    meta = json.loads((folder / "meta.json").read_text())
    if hashlib.sha256((folder / meta["file"]).read_bytes()).hexdigest() != meta["sha256"]:
        raise ValueError("the hash is wrong")
    state["version"] = version
    state["artefacts"] = featurize.load(MODEL_DIR, version)


@asynccontextmanager
async def lifespan(app):
    try:
        load(os.environ.get("MODEL_VERSION", "v1"))
    except Exception as error:
        print("cannot load:", error, file=sys.stderr)
    yield


app = FastAPI(title="Late-payment risk", lifespan=lifespan)


@app.middleware("http")
async def count(request: Request, call_next):
    began = time.perf_counter()
    if int(request.headers.get("content-length", 0)) > 1024 * 1024:
        response = JSONResponse({"detail": "too large"}, status_code=413)
    else:
        response = await call_next(request)
    known = {route.path for route in app.routes}
    route = request.url.path if request.url.path in known else "other"
    key = (route, f"{response.status_code // 100}xx")
    counts["requests"][key] = counts["requests"].get(key, 0) + 1
    counts["seconds"].append((route, time.perf_counter() - began))
    return response


def score(rows):
    """Score rows that were not answered before; give the old answer for the others."""
    if state["artefacts"] is None:
        raise HTTPException(503, "not ready")
    bodies = [row.model_dump() for row in rows]
    with lock:
        for body in bodies:
            earlier = answers.get(body["request_id"])
            if earlier and earlier[0] != body:
                raise HTTPException(409, "this id was used with another body")
    version, loaded = state["version"], state["artefacts"]
    table = pd.DataFrame(bodies)
    table["ts"] = [body["ts"].isoformat() for body in bodies]
    features = featurize.featurize(table.astype({"income": "float64"}), loaded.meta, loaded.fx, loaded.aggregates)
    probabilities = featurize.late_probability(loaded, features)
    decisions = featurize.decide(probabilities, loaded.meta["threshold"])
    results = []
    with lock, open("predictions.jsonl", "a") as log:
        for body, vector, probability, decision in zip(bodies, features.to_dict("records"), probabilities, decisions):
            earlier = answers.get(body["request_id"])
            if earlier and earlier[0] != body:
                raise HTTPException(409, "this id was used with another body")
            if earlier is None:
                answer = {
                    "request_id": body["request_id"],
                    "prediction_id": str(uuid.uuid4()),
                    "model_version": version,
                    "probability": float(probability),
                    "decision": str(decision),
                }
                answers[body["request_id"]] = earlier = (body, answer)
                key = (version, str(decision))
                counts["predictions"][key] = counts["predictions"].get(key, 0) + 1
                log.write(json.dumps(answer | {"features": vector}) + "\n")
            results.append(earlier[1])
        while len(answers) > 20_000:
            answers.pop(next(iter(answers)))
    return version, results


@app.post("/v1/predict")
def predict(row: PredictRequest) -> Prediction:
    return score([row])[1][0]


@app.post("/v1/predict_batch")
def predict_batch(batch: BatchRequest) -> BatchPrediction:
    version, results = score(batch.rows)
    return {"model_version": version, "results": results}


@app.post("/admin/activate")
def activate(wanted: ActivateRequest):
    try:
        load(wanted.version)
    except Exception as error:
        raise HTTPException(409, f"cannot activate: {type(error).__name__}") from error
    return {"model_version": wanted.version}


@app.get("/health")
def health():
    return {"status": "ok"}


@app.get("/ready")
def ready():
    if state["artefacts"] is None:
        raise HTTPException(503, "not ready")
    return {"model_version": state["version"]}


@app.get("/metrics", response_class=PlainTextResponse)
def metrics():
    lines = ["# TYPE http_requests_total counter"]
    for (route, status), count in counts["requests"].items():
        lines.append(f'http_requests_total{{route="{route}",status="{status}"}} {count}')
    lines.append("# TYPE predictions_total counter")
    for (version, decision), count in counts["predictions"].items():
        lines.append(f'predictions_total{{version="{version}",decision="{decision}"}} {count}')
    lines.append("# TYPE http_request_duration_seconds histogram")
    name = "http_request_duration_seconds"
    for route in {route for route, _ in counts["seconds"]}:
        seconds = [taken for each, taken in counts["seconds"] if each == route]
        for bound in (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5):
            lines.append(f'{name}_bucket{{route="{route}",le="{bound}"}} {sum(each <= bound for each in seconds)}')
        lines.append(f'{name}_bucket{{route="{route}",le="+Inf"}} {len(seconds)}')
        lines.append(f'{name}_sum{{route="{route}"}} {sum(seconds)}')
        lines.append(f'{name}_count{{route="{route}"}} {len(seconds)}')
    return "\n".join(lines) + "\n"

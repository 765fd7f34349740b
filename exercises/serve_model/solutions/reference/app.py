"""Serves late-payment risk over HTTP, equal to the nightly batch.

Started with MODEL_DIR, MODEL_VERSION and PORT in the environment. One process, one event loop: an answer takes well
under a millisecond, so that threads would only add waiting.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from artefacts import Library, NotLoadable, Snapshot
from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from http_parts import Counting, Refused, json_response, read
from memory import Answers, Conflict
from metrics import Metrics
from pydantic.json_schema import models_json_schema

import contract

REFERENCE = "#/components/schemas/{model}"
ROWS_AT_ONCE = 64  # rows of a batch that are prepared before others get their turn


class Service:
    """What the routes share."""

    def __init__(self) -> None:
        self.library = Library(Path(os.environ.get("MODEL_DIR", "artifacts")))
        self.metrics = Metrics()
        self.answers = Answers(Path("predictions.jsonl"), self.metrics)
        self.active: Snapshot | None = None  # replaced whole; a request takes it once
        self.state = "loading"
        self.switching = asyncio.Lock()

    def load_first(self) -> None:
        """Load the first version; other routes answer meanwhile."""
        try:
            first = self.library.load(os.environ.get("MODEL_VERSION", "v1"))
        except NotLoadable as error:
            self.state = str(error)
            print(error, file=sys.stderr)
            return
        gc.collect()
        gc.freeze()  # what was loaded stays; collections need not walk over it
        if self.active is None:
            self.active = first

    def current(self) -> Snapshot:
        """The version to answer with."""
        if self.active is None:
            raise Refused(503, "no version is loaded yet")
        return self.active


service = Service()


@asynccontextmanager
async def _lifespan(_: FastAPI) -> AsyncIterator[None]:
    threading.Thread(target=service.load_first, daemon=True).start()
    yield
    service.answers.close()


app = FastAPI(title="Late-payment risk", version="1.0.0", lifespan=_lifespan, docs_url=None, redoc_url=None)
app.add_middleware(Counting, metrics=service.metrics)


@app.exception_handler(Refused)
async def _refused(_: Request, error: Refused) -> Response:
    return error.response()


def _documented(model: str, *statuses: int) -> dict[str, Any]:
    problem = {status: {"model": contract.Invalid if status == 422 else contract.Problem} for status in statuses}
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": REFERENCE.format(model=model)}}}}
    return {"responses": problem, "openapi_extra": {"requestBody": body}}


@app.post("/v1/predict", response_model=contract.Prediction, **_documented("PredictRequest", 409, 413, 415, 422, 503))
async def predict(request: Request) -> Response:
    """Score one row."""
    row = await read(request, contract.ROW)
    snapshot = service.current()
    try:
        if earlier := service.answers.known([row]).get(row.request_id):
            return json_response(earlier.body)
        return json_response(service.answers.give(snapshot, [row], [snapshot.featurize(row)])[0])
    except Conflict:
        raise Refused(409, "this request_id came with another body before") from None


@app.post(
    "/v1/predict_batch",
    response_model=contract.BatchPrediction,
    **_documented("BatchRequest", 409, 413, 415, 422, 503),
)
async def predict_batch(request: Request) -> Response:
    """Score up to 512 rows with one version."""
    rows = (await read(request, contract.BATCH)).rows
    snapshot = service.current()
    features = []
    for place, row in enumerate(rows, start=1):
        features.append(snapshot.featurize(row))
        if place % ROWS_AT_ONCE == 0:
            await asyncio.sleep(0)
    try:
        results = service.answers.give(snapshot, rows, features)
    except Conflict as conflict:
        raise Refused(409, f"request_id {str(conflict)[:64]!r} came with another body before") from None
    return json_response(f'{{"model_version": "{snapshot.version}", "results": [{", ".join(results)}]}}')


@app.post("/admin/activate", response_model=contract.Served, **_documented("ActivateRequest", 409, 413, 415, 422))
async def activate(request: Request) -> Response:
    """Switch to another version, or leave all as it is."""
    wanted = (await read(request, contract.ACTIVATION)).version
    async with service.switching:
        try:
            service.active = await asyncio.to_thread(service.library.load, wanted)
        except NotLoadable as error:
            raise Refused(409, str(error)) from None
    return json_response(f'{{"model_version": "{wanted}"}}')


@app.get("/health", response_model=contract.Status)
async def health() -> Response:
    """Whether the process lives."""
    return json_response('{"status": "ok"}')


@app.get("/ready", response_model=contract.Served, responses={503: {"model": contract.Problem}})
async def ready() -> Response:
    """Whether predictions are served, and by which version."""
    if service.active is None:
        raise Refused(503, service.state)
    return json_response(f'{{"model_version": "{service.active.version}"}}')


@app.get("/metrics", responses={200: {"content": {"text/plain": {}}}}, response_class=Response)
async def metrics() -> Response:
    """Counters for Prometheus."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4")


def _openapi() -> dict[str, Any]:
    """Add the bodies, which routes read themselves, to what FastAPI knows."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, routes=app.routes)
        bodies = (contract.PredictRequest, contract.BatchRequest, contract.ActivateRequest)
        _, made = models_json_schema([(body, "validation") for body in bodies], ref_template=REFERENCE)
        schema["components"]["schemas"].update(made["$defs"])
        app.openapi_schema = schema
    return app.openapi_schema


app.openapi = _openapi


def main() -> None:
    """Serve until SIGTERM; work in flight is finished, and the exit status is 0.

    When it has shut down, uvicorn raises the signal again for whoever handled it before; that would end the process
    by the signal, unless somebody did.
    """
    signal.signal(signal.SIGTERM, lambda *_: None)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=int(os.environ.get("PORT", "8000")),
        access_log=False,
        log_level="warning",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=4,
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()

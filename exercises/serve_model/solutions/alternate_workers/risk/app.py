"""The HTTP front: FastAPI routes, and around them what counts every answer."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import traceback
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from starlette.requests import ClientDisconnect

from risk import schema
from risk.ledger import Conflict, Ledger, decision
from risk.metrics import Metrics
from risk.pool import NotReady, Pool
from risk.validate import LARGEST_BODY, Refusal, check_activation, check_batch, check_single

MOST_DISCARDED = 64 * LARGEST_BODY


class Stop(Exception):
    """Ends a request with a status other than 200."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def answer_json(content: Any, status: int = 200) -> Response:
    """JSON in ASCII, so that half a surrogate pair in an echoed name is no error; never NaN."""
    return Response(json.dumps(content, allow_nan=False), status, media_type="application/json")


async def read_body(request: Request) -> bytes:
    """The body of a request that says it is JSON.

    A body that is too large is read to its end (within reason) without being kept: a client that is still sending
    would see a broken connection instead of the 413.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size <= LARGEST_BODY:
            parts.append(part)
        elif size > MOST_DISCARDED:
            break
    if size > LARGEST_BODY:
        raise Stop(413, f"The body is larger than {LARGEST_BODY} bytes")
    kind = request.headers.get("content-type")
    if kind is not None and kind.partition(";")[0].strip().lower() != "application/json":
        raise Stop(415, "The Content-Type should be application/json")
    return b"".join(parts)


def make_app(pool: Pool, ledger: Ledger, metrics: Metrics) -> FastAPI:
    """The routes."""
    app = FastAPI(
        title="Late-payment risk", version="1.0.0", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    refused = {
        409: {"model": schema.Failed}, 413: {"model": schema.Failed}, 415: {"model": schema.Failed},
        422: {"model": schema.Refused}, 503: {"model": schema.Failed},
    }  # fmt: skip

    @app.exception_handler(Stop)
    async def stopped(_: Request, stop: Stop) -> Response:
        return answer_json({"detail": stop.detail}, stop.status)

    @app.exception_handler(Refusal)
    async def refused_422(_: Request, refusal: Refusal) -> Response:
        return answer_json({"detail": refusal.problems}, 422)

    @app.exception_handler(Conflict)
    async def conflict(_: Request, __: Conflict) -> Response:
        return answer_json({"detail": "This request_id was used with another body"}, 409)

    @app.exception_handler(NotReady)
    async def not_ready(_: Request, __: NotReady) -> Response:
        return answer_json({"detail": "No version is loaded"}, 503)

    @app.get("/health", response_model=schema.Health)
    async def health() -> Response:
        """Whether the process lives."""
        return answer_json({"status": "ok"})

    @app.get("/ready", response_model=schema.ModelVersion, responses={503: {"model": schema.Failed}})
    async def ready() -> Response:
        """Which version is served; 503 while there is none."""
        if pool.active is None:
            raise NotReady
        return answer_json({"model_version": pool.active})

    @app.post(
        "/v1/predict", response_model=schema.PredictResponse, responses=refused,
        openapi_extra=schema.body_of(schema.PredictRequest),
    )  # fmt: skip
    async def predict(request: Request) -> Response:
        """Score one row."""
        request_id, fingerprint, row = check_single(await read_body(request))
        answer = ledger.find(request_id, fingerprint)
        if answer is None:
            version, scored = await pool.single(row)
            # Another request with this id may have been answered meanwhile: the ledger looks again.
            (answer,), fresh = ledger.take_up(version, [(request_id, fingerprint, *scored)])
            for each in fresh:
                metrics.prediction(each.version, decision(each))
            metrics.replayed(1 - len(fresh))
        else:
            metrics.replayed(1)
        return answer_json(ledger.body(request_id, answer))

    @app.post(
        "/v1/predict_batch", response_model=schema.BatchResponse, responses=refused,
        openapi_extra=schema.body_of(schema.BatchRequest),
    )  # fmt: skip
    async def predict_batch(request: Request) -> Response:
        """Score up to 512 rows by one version. A worker reads and checks the body: here it would hold up the rest."""
        raw = await read_body(request)
        if pool.active is None:
            await asyncio.to_thread(check_batch, raw)
            raise NotReady
        version, (outcome, found) = await pool.batch(raw)
        if outcome == "bad":
            return Response(found, 422, media_type="application/json")
        answers, fresh = ledger.take_up(version, found)
        for each in fresh:
            metrics.prediction(each.version, decision(each))
        metrics.replayed(len(answers) - len(fresh))
        # With new rows this is the version that scored them; a batch that is sent again gets what it got before.
        newest = max(answers, key=lambda each: each.number)
        results = [ledger.body(each[0], answer) for each, answer in zip(found, answers, strict=True)]
        return answer_json({"model_version": newest.version, "results": results})

    @app.post(
        "/admin/activate", response_model=schema.ModelVersion,
        responses={status: refused[status] for status in (409, 413, 415, 422)},
        openapi_extra=schema.body_of(schema.ActivateRequest),
    )  # fmt: skip
    async def activate(request: Request) -> Response:
        """Serve another version from now on."""
        version = check_activation(await read_body(request))
        if not await pool.activate(version):
            raise Stop(409, "There is no such version, or it is corrupt")
        return answer_json({"model_version": version})

    @app.get("/metrics", response_class=PlainTextResponse)
    async def scrape() -> Response:
        """Counters for Prometheus."""
        return Response(metrics.render(pool.active), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/openapi.json", response_model=dict[str, Any])
    async def contract() -> Response:
        """This contract."""
        return JSONResponse(app.openapi())

    plain_openapi = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = schema.add_bodies(plain_openapi())
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    return app


class Counted:
    """Around the app: counts each answer just before it is sent, so that no client knows of one that is not counted."""

    def __init__(self, app: Any, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, path, started = time.perf_counter(), scope["path"], False

        async def counting(message: Any) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                self._metrics.request(path, message["status"], time.perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, counting)
        except ClientDisconnect:
            pass
        except Exception:
            traceback.print_exc(file=sys.stderr)
            if not started:
                await answer_json({"detail": "Internal error"}, 500)(scope, receive, counting)

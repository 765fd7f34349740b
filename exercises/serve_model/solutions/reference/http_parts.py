"""Reading bodies and counting requests, below FastAPI."""

from __future__ import annotations

import json
import time
from typing import Any

from fastapi import Request, Response
from metrics import Metrics
from pydantic import TypeAdapter, ValidationError

import contract

MAX_BODY = 1024 * 1024
DRAINED = 64 * MAX_BODY  # so much of a body that is too large is still read, so that the client sees the answer


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, detail: Any) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail

    def response(self) -> Response:
        """The answer."""
        return json_response(json.dumps({"detail": self.detail}), self.status)


def json_response(text: str, status: int = 200) -> Response:
    """Answer with JSON text."""
    return Response(text, status, media_type="application/json")


async def read(request: Request, adapter: TypeAdapter[Any]) -> Any:
    """Read and validate a body.

    Raises:
        Refused: It is too large, not JSON, or not what the contract says.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await _read_body(request)
    if media_type != "application/json":
        raise Refused(415, "send application/json")
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        raise Refused(422, contract.problems(error)) from None


async def _read_body(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= MAX_BODY:
            parts.append(part)
        elif size > DRAINED:
            break
    if size > MAX_BODY:
        raise Refused(413, "the body is larger than a megabyte")
    return b"".join(parts)


class Counting:
    """ASGI middleware that counts requests; plain, since FastAPI's own kind costs more than the model."""

    def __init__(self, app: Any, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on and count what was answered."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began = time.perf_counter()
        status = 500

        async def counted(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._metrics.request(scope["path"], status, time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)

"""HTTP as checks speak it: requests, answers, and the way of httpx through the relay."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from grader.checker.api import SubmissionFailed
from grader.frames import Frame
from grader.model.reasons import Reason

ANSWER_CAP = 512 * 1024
REQUEST_SECONDS = 10.0
CONNECTION = ("host", "connection", "accept-encoding", "content-length")
TOOLS = ("user-agent",)  # a service has no need to know what asks it
ADDED = {"accept": "*/*"}  # unless a check sets another itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request.

    Attributes:
        method: GET, POST and so on.
        path: Path and query.
        body: The body.
        headers: Headers; the usual ones are added.
        padding: Spaces that are sent after the body, so that it can be larger than a frame.
    """

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    padding: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request of a load and its answer.

    Attributes:
        request: Which one it was, counted from 0.
        status: Status code, or 0 when no answer came.
        body: The answer's body.
        headers: Its headers, names in lower case.
        seconds: Time from sending it to having the answer, taken outside of the box.
        began: When it was sent, in seconds since the load began.
        error: "", "refused", "reset", "timeout", "protocol" or "too_large".
    """

    request: int
    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float
    began: float
    error: str


class Sender(Protocol):
    """Whatever can make one request."""

    def send(self, request: Request, *, seconds: float = REQUEST_SECONDS, connection: str = "") -> Frame:
        """Make it; see `Service.send`."""


class RelayTransport(httpx.BaseTransport):
    """Carries httpx's requests to the server in the box.

    Args:
        service: Whose server.
    """

    def __init__(self, service: Sender) -> None:
        """Nothing is sent yet."""
        self._service = service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make a request.

        Raises:
            SubmissionFailed: No usable answer came.
        """
        timeout = request.extensions.get("timeout", {}).get("read") or REQUEST_SECONDS
        reply = self._service.send(from_httpx(request), seconds=float(timeout))
        error, status = reply.header.get("error"), status_of(reply.header)
        where = f"{request.method} {request.url.path}"
        if error == "timeout":
            raise SubmissionFailed(Reason.TIMEOUT, f"{where} was not answered within {timeout:.0f} s.")
        if error == "too_large":
            raise SubmissionFailed(Reason.TOO_LARGE, f"{where} was answered with more than {ANSWER_CAP:,} bytes.")
        if error or not status:
            raise SubmissionFailed(
                Reason.NO_RESPONSE, f"{where} was not answered: the connection was {error or 'lost'}."
            )
        headers = pairs_of(reply.header)
        if any(name.lower() == "content-encoding" and value.lower() != "identity" for name, value in headers):
            raise SubmissionFailed(Reason.FORMAT, f"{where} was answered in a compressed form that nobody asked for.")
        raw = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in headers]
        return httpx.Response(status, headers=raw, content=reply.body, request=request)


def head(request: Request) -> dict[str, object]:
    """The header of the frame that asks for a request."""
    headers = [list(each) for each in request.headers.items()]
    return {"method": request.method, "path": request.path, "headers": headers, "padding": request.padding}


def from_httpx(request: httpx.Request) -> Request:
    """Turn httpx's request into ours, without headers of its own connection, its name, and what it adds by itself."""
    headers = {
        name: value
        for name, value in request.headers.items()
        if name not in (*CONNECTION, *TOOLS) and (name, value) not in ADDED.items()
    }
    return Request(
        method=request.method, path=request.url.raw_path.decode("ascii"), body=request.read(), headers=headers
    )


def status_of(header: Mapping[str, Any]) -> int:
    """The status code of an answer, or 0 when there is none."""
    status = header.get("status")
    return status if isinstance(status, int) and 100 <= status <= 599 else 0


def pairs_of(header: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers of an answer."""
    headers = header.get("headers")
    entries = headers if isinstance(headers, list) else []
    return [(str(each[0]), str(each[1])) for each in entries if isinstance(each, list) and len(each) == 2]


def post_json(path: str, value: object, **headers: str) -> Request:
    """A POST of a JSON value."""
    body = json.dumps(value).encode()
    return Request(method="POST", path=path, body=body, headers={"Content-Type": "application/json", **headers})

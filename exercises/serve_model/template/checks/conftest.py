"""Starts your service as submission.toml says, on a free port of this machine, in a copy of this folder."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

KIT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(".*", "artifacts", "checks", "__pycache__", "venv", "predictions*.jsonl")
USUAL = ["uvicorn", "app:app", "--host", "127.0.0.1", "--port", "$PORT"]
JSON = {"Content-Type": "application/json"}


class Service:
    """A running service."""

    def __init__(self, folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.port, self.process = folder, port, process

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Send one request; bytes and text go as they are, anything else as JSON. Returns status and parsed body."""
        raw = body if isinstance(body, bytes | str) or body is None else json.dumps(body)
        raw = raw.encode() if isinstance(raw, str) else raw
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, raw, (JSON if raw is not None else {}) if headers is None else headers)
            answer = connection.getresponse()
            content = answer.read().decode()
            is_json = "json" in answer.getheader("content-type", "").lower()  # media types have no case
            return answer.status, json.loads(content, parse_constant=not_json) if is_json else content
        finally:
            connection.close()

    def predict(self, row: dict[str, Any], **changes: Any) -> tuple[int, Any]:
        """Send one row, with an id of its own unless one is given."""
        return self.ask("POST", "/v1/predict", row | {"request_id": uuid.uuid4().hex} | changes)


def not_json(word: str) -> None:
    """JSON knows no NaN."""
    raise ValueError(f"{word} is not JSON")


def start(folder: Path, seconds: float = 60) -> Service:
    """Start your service in a copy of this folder, and wait until it is ready or says that it cannot be."""
    shutil.copytree(KIT, folder, ignore=LEFT_OUT)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    file = KIT / "submission.toml"
    manifest = tomllib.loads(file.read_text(encoding="utf-8-sig")) if file.exists() else {}
    argv = manifest.get("service", {}).get("argv", USUAL)
    argv = [part.replace("$PORT", str(port)) for part in argv]
    if argv[0] in ("python", "python3"):
        argv[:1] = [sys.executable]
    elif argv[0] in ("uvicorn", "gunicorn", "hypercorn"):
        argv[:1] = [sys.executable, "-m", argv[0]]
    environment = os.environ | {"PORT": str(port), "MODEL_DIR": str(KIT / "artifacts"), "MODEL_VERSION": "v1"}
    with (folder / "stderr.txt").open("wb") as stderr:
        process = subprocess.Popen(argv, cwd=folder, env=environment, stdout=stderr, stderr=stderr)  # noqa: S603
    service = Service(folder, port, process)
    until = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < until:
        try:
            if service.ask("GET", "/health")[0] == 200 and service.ask("GET", "/ready")[0] != 503:
                return service
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.05)
    ended = process.poll()
    process.kill()
    process.wait()
    what = f"was not ready within {seconds:.0f} s" if ended is None else f"ended by itself (exit status {ended})"
    pytest.fail(f"the service {what}; it printed:\n{(folder / 'stderr.txt').read_text()[-2000:]}")


def end(service: Service) -> None:
    """End a service that may have ended by itself."""
    service.process.terminate()
    try:
        service.process.wait(6)
    except subprocess.TimeoutExpired:
        service.process.kill()
        service.process.wait()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Your service, started once for all checks."""
    running = start(tmp_path_factory.mktemp("run") / "service")
    yield running
    end(running)


@pytest.fixture(scope="session")
def examples() -> list[dict[str, Any]]:
    """Requests with what v1 answers."""
    lines = (KIT / "examples.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture
def row(examples: list[dict[str, Any]]) -> dict[str, Any]:
    """One legal request."""
    return dict(examples[0]["request"])

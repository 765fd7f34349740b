"""Asks your service about the sample."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

KIT = Path(__file__).resolve().parents[1]
SECONDS = 30


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where your service listens, once it is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    argv = tomllib.loads((KIT / "submission.toml").read_text(encoding="utf-8"))["service"]["argv"]
    argv = [word.replace("$PORT", port) for word in argv]
    argv = [sys.executable, *argv[1:]] if argv[0] == "python" else [sys.executable, "-m", *argv]
    process = subprocess.Popen(argv, cwd=KIT, env=os.environ | {"PORT": port})
    try:
        _wait(f"http://127.0.0.1:{port}/ready", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=SECONDS).close()
        except urllib.error.URLError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the service ended, or was not ready in time")


@pytest.fixture(scope="session")
def summary(address: str) -> dict[str, dict[str, float]]:
    """What your service says of the sample."""
    with (KIT / "sample" / "orders.csv").open(encoding="utf-8", newline="") as file:
        orders = [{"shop": row["shop"], "amount": float(row["amount"])} for row in csv.DictReader(file)]
    body, headers = json.dumps({"orders": orders}).encode(), {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/summary", body, headers)
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        return json.load(response)

"""Measures how long answers take on a connection that is kept; prints figures, passes no judgement.

`python -m tests.bench.bench_answers [--count N]` asks a server that writes head and body apart and leaves Nagle's
algorithm on, as `uvicorn --workers` does, with and without acknowledging at once.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

from grader.agent import service as agent
from grader.clock import monotonic

SERVER = """
import os, socket
listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
print("listening", flush=True)
while True:
    connection, _ = listener.accept()
    while True:
        data = b""
        while b"\\r\\n\\r\\n" not in data:
            piece = connection.recv(65536)
            if not piece:
                break
            data += piece
        if not data:
            break
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 200\\r\\n\\r\\n")
        connection.sendall(b"x" * 200)
"""


def answers(count: int) -> list[float]:
    """Return the seconds that each of some requests on one connection takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        service = agent.Service(folder, folder / "in", lambda _: {"PATH": os.environ["PATH"]})
        argv = [sys.executable, "-c", SERVER]
        service.start({"argv": argv, "environment": {}, "inputs": [], "printed": 10_000}, b"")
        header = {"method": "GET", "path": "/", "headers": [], "seconds": 5, "cap": 1000, "connection": "kept"}
        try:
            while service.request(header, b"")[0]["error"] == "refused":
                pass
            return [_seconds(service, header) for _ in range(count)]
        finally:
            service.end()


def _seconds(service: agent.Service, header: dict[str, object]) -> float:
    start = monotonic()
    reply, _ = service.request(header, b"")
    assert reply["status"] == 200, reply
    return monotonic() - start


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    count = parser.parse_args().count
    with patch.object(agent, "_acknowledge_at_once"):
        late = answers(count)
    for words, taken in (("acknowledged when the kernel likes", late), ("acknowledged at once", answers(count))):
        median, tail = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
        sys.stdout.write(f"{words}: median {1000 * median:.2f} ms, 95th percentile {1000 * tail:.2f} ms of {count}\n")


if __name__ == "__main__":
    main()

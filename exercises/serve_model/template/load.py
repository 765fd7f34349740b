"""Sends the examples to a running service, several at a time, and prints how long the answers took.

python load.py --port 8000 --requests 2000 --concurrency 8
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import threading
import time
import uuid
from collections import Counter
from pathlib import Path


def bodies(count: int) -> list[bytes]:
    """Requests with ids that were not used before."""
    lines = Path(__file__).with_name("examples.jsonl").read_text(encoding="utf-8").splitlines()
    rows = itertools.islice(itertools.cycle([json.loads(line)["request"] for line in lines]), count)
    return [json.dumps(row | {"request_id": uuid.uuid4().hex}).encode() for row in rows]


def main() -> None:
    """Send, wait, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--concurrency", type=int, default=8)
    options = parser.parse_args()
    waiting = iter(bodies(options.requests))
    lock = threading.Lock()
    seconds: list[float] = []
    statuses: Counter[int] = Counter()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", options.port, timeout=30)
        while True:
            with lock:
                body = next(waiting, None)
            if body is None:
                return
            began = time.perf_counter()
            connection.request("POST", "/v1/predict", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            with lock:
                seconds.append(time.perf_counter() - began)
                statuses[answer.status] += 1

    began = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(options.concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    seconds.sort()
    middle, high = (1000 * seconds[int(len(seconds) * share)] for share in (0.5, 0.95))
    print(f"{len(seconds)} answers in {took:.1f} s, {len(seconds) / took:.0f} a second; statuses {dict(statuses)}")  # noqa: T201
    print(f"median {middle:.1f} ms, 95th percentile {high:.1f} ms (this client is slow itself: compare, do not quote)")  # noqa: T201


if __name__ == "__main__":
    main()

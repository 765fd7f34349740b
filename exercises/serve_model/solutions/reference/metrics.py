"""Counters in Prometheus' text format. Labels come from short fixed lists, never from requests."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

ROUTES = frozenset(
    ("/v1/predict", "/v1/predict_batch", "/health", "/ready", "/metrics", "/admin/activate", "/openapi.json")
)
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """What the service counts."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._predictions: Counter[tuple[str, str]] = Counter()
        self._durations: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        route = path if path in ROUTES else "other"
        self._requests[route, f"{status // 100}xx"] += 1
        buckets = self._durations.setdefault(route, [0] * (len(BUCKETS) + 1))
        buckets[bisect_left(BUCKETS, seconds)] += 1
        self._seconds[route] += seconds

    def prediction(self, version: str, decision: str) -> None:
        """Count one scored row."""
        self._predictions[version, decision] += 1

    def text(self) -> str:
        """All of it, for a scrape."""
        return "\n".join([*self._counters(), *self._histogram(), ""])

    def _counters(self) -> Iterator[str]:
        yield "# HELP http_requests_total Requests by route and class of status."
        yield "# TYPE http_requests_total counter"
        for (route, status), count in sorted(self._requests.items()):
            yield f'http_requests_total{{route="{route}",status="{status}"}} {count}'
        yield "# HELP predictions_total Scored rows by version and decision."
        yield "# TYPE predictions_total counter"
        for (version, decision), count in sorted(self._predictions.items()):
            yield f'predictions_total{{version="{version}",decision="{decision}"}} {count}'

    def _histogram(self) -> Iterator[str]:
        name = "http_request_duration_seconds"
        yield f"# HELP {name} Time until an answer was sent."
        yield f"# TYPE {name} histogram"
        for route, buckets in sorted(self._durations.items()):
            total = 0
            for bound, count in zip((*BUCKETS, "+Inf"), buckets, strict=True):
                total += count
                yield f'{name}_bucket{{route="{route}",le="{bound}"}} {total}'
            yield f'{name}_sum{{route="{route}"}} {self._seconds[route]!r}'
            yield f'{name}_count{{route="{route}"}} {total}'

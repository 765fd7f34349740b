"""Counters in Prometheus' text format. Labels take values of fixed lists only."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

ROUTES = ("/v1/predict", "/v1/predict_batch", "/health", "/ready", "/admin/activate", "/metrics", "/openapi.json")
BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_KNOWN = frozenset(ROUTES)


def _text(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class Metrics:
    """What was counted since the start."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, str]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()
        self._predictions: Counter[tuple[str, str]] = Counter()
        self._replayed = 0

    def request(self, path: str, status: int, seconds: float) -> None:
        """Count an answer that is about to be sent."""
        route = path if path in _KNOWN else "other"
        self._requests[route, "5xx" if status >= 500 else "4xx" if status >= 400 else "2xx"] += 1
        self._buckets.setdefault(route, [0] * (len(BOUNDS) + 1))[bisect_left(BOUNDS, seconds)] += 1
        self._seconds[route] += seconds

    def prediction(self, version: str, decision: str) -> None:
        """Count a row that was scored."""
        self._predictions[version, decision] += 1

    def replayed(self, rows: int) -> None:
        """Count rows that were answered from memory."""
        self._replayed += rows

    def serving(self, version: str) -> None:
        """A version is served: its counters begin at 0."""
        for decision in ("approve", "review"):
            self._predictions[version, decision] += 0

    def render(self, active: str | None) -> str:
        """The page that Prometheus reads."""
        lines = ["# HELP http_requests_total Answers by route and class of status.", "# TYPE http_requests_total counter"]
        lines += [
            f'http_requests_total{{route="{route}",status="{status}"}} {count}'
            for (route, status), count in sorted(self._requests.items())
        ]
        name = "http_request_duration_seconds"
        lines += [f"# HELP {name} From the request's head to the answer's.", f"# TYPE {name} histogram"]
        for route, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip([*map(repr, BOUNDS), "+Inf"], buckets, strict=True):
                total += count
                lines.append(f'{name}_bucket{{route="{route}",le="{bound}"}} {total}')
            lines.append(f'{name}_sum{{route="{route}"}} {self._seconds[route]!r}')
            lines.append(f'{name}_count{{route="{route}"}} {total}')
        lines += ["# HELP predictions_total Rows scored, retries not counted again.", "# TYPE predictions_total counter"]
        lines += [
            f'predictions_total{{version="{_text(version)}",decision="{decision}"}} {count}'
            for (version, decision), count in sorted(self._predictions.items())
        ]
        lines += ["# HELP replayed_total Rows answered again from memory.", "# TYPE replayed_total counter"]
        lines.append(f"replayed_total {self._replayed}")
        lines += ["# HELP model_active The version that is served.", "# TYPE model_active gauge"]
        versions = {version for version, _ in self._predictions}
        lines += [f'model_active{{version="{_text(each)}"}} {int(each == active)}' for each in sorted(versions)]
        return "\n".join(lines) + "\n"

"""Counters and histograms in Prometheus' text format. Labels take their values from fixed lists only."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

ROUTES = ("/v1/predict", "/v1/predict_batch", "/health", "/ready", "/admin/activate", "/metrics", "/openapi.json")
OTHER = "other"
LIMITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
DECISIONS = ("approve", "review")


class Histogram:
    """How many observations were at or below each limit."""

    def __init__(self, limits: tuple[float, ...]) -> None:
        self._limits, self._counts = limits, [0] * (len(limits) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._limits, value)] += 1
        self._sum += value

    def lines(self, name: str, label: str) -> Iterator[str]:
        total = 0
        for limit, count in zip((*map(str, self._limits), "+Inf"), self._counts, strict=True):
            total += count
            yield f'{name}_bucket{{{label},le="{limit}"}} {total}'
        yield f"{name}_sum{{{label}}} {self._sum!r}"
        yield f"{name}_count{{{label}}} {total}"


class Metrics:
    """Everything that is counted. Used by the event loop only, so that nothing needs a lock."""

    def __init__(self) -> None:
        self._requests = {(route, status): 0 for route in (*ROUTES, OTHER) for status in ("2xx", "4xx", "5xx")}
        self._seconds = {route: Histogram(LIMITS) for route in (*ROUTES, OTHER)}
        self._predictions: dict[tuple[str, str], int] = {}
        self._shares: dict[str, Histogram] = {}
        self.activations = {"done": 0, "refused": 0}
        self.replays = 0

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer; called before it is sent, so that no scrape can miss it."""
        self._requests[route, f"{status // 100}xx"] += 1
        self._seconds[route].add(seconds)

    def serves(self, version: str) -> None:
        """A version is there: show its counters, also while they are 0."""
        for decision in DECISIONS:
            self._predictions.setdefault((version, decision), 0)
        self._shares.setdefault(version, Histogram(SHARES))

    def predicted(self, version: str, decision: str, probability: float) -> None:
        self._predictions[version, decision] += 1
        self._shares[version].add(probability)

    def text(self, version: str | None, log_failures: int, log_waiting: int) -> str:
        """What a scrape gets."""
        return "".join(f"{line}\n" for line in self._lines(version, log_failures, log_waiting))

    def _lines(self, version: str | None, log_failures: int, log_waiting: int) -> Iterator[str]:
        yield from _head("http_requests_total", "counter", "Answers by route and class of status.")
        for (route, status), count in self._requests.items():
            yield f'http_requests_total{{route="{route}",status="{status}"}} {count}'
        yield from _head("http_request_duration_seconds", "histogram", "Time from a request's head to its answer.")
        for route, seconds in self._seconds.items():
            yield from seconds.lines("http_request_duration_seconds", f'route="{route}"')
        yield from _head("predictions_total", "counter", "Rows scored; retries are not counted again.")
        for (name, decision), count in self._predictions.items():
            yield f'predictions_total{{version="{name}",decision="{decision}"}} {count}'
        yield from _head("prediction_probability", "histogram", "Probabilities given: watch this for drift.")
        for name, shares in self._shares.items():
            yield from shares.lines("prediction_probability", f'version="{name}"')
        yield from _head("prediction_replays_total", "counter", "Rows answered again from memory.")
        yield f"prediction_replays_total {self.replays}"
        yield from _head("model_activations_total", "counter", "Activations asked for, by what came of them.")
        for result, count in self.activations.items():
            yield f'model_activations_total{{result="{result}"}} {count}'
        yield from _head("model_serving", "gauge", "1 for the version that is served.")
        for name in self._shares:
            yield f'model_serving{{version="{name}"}} {int(name == version)}'
        yield from _head("prediction_log_failures_total", "counter", "Writes to the prediction log that failed.")
        yield f"prediction_log_failures_total {log_failures}"
        yield from _head("prediction_log_waiting_bytes", "gauge", "What could not be written yet.")
        yield f"prediction_log_waiting_bytes {log_waiting}"


def _head(name: str, kind: str, text: str) -> Iterable[str]:
    return f"# HELP {name} {text}", f"# TYPE {name} {kind}"

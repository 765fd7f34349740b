"""What is asked of a slow service: less, and never so little that a share or a ratio could not be told."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from standin import exchange


def block(checks, seconds):
    return checks.timing.Block(np.full(20, seconds), 0.001)


def idle_bench():
    return SimpleNamespace(use=lambda stage: None, spoil=lambda: None)


@pytest.mark.parametrize(("seconds", "rows"), [(0.01, 200), (0.1, 200), (0.15, 100), (0.6, 64)])
def test_a_slow_service_is_asked_fewer_rows_of_a_stratum(checks, monkeypatch, seconds, rows):
    asked = []

    def send(requests, stage):
        asked.extend(requests)
        return [exchange(seconds=seconds, number=place) for place in range(len(requests))]

    monkeypatch.setattr(checks.parity, "prediction", lambda each: {"probability": 0.5})
    strata = checks.parity.Strata(SimpleNamespace(send=send), None, None, None, None)
    assert len(strata._asked([object()] * 200, checks.bench.MAIN)) == len(asked) == rows


@pytest.mark.parametrize(
    ("slower", "blocks", "requests"), [(1, 5, 160), (11, 5, 160), (15, 5, 40), (59, 5, 40), (61, 3, 40)]
)
def test_a_hopeless_ratio_is_measured_on_less(checks, slower, blocks, requests):
    asked = []

    def pair(count):
        asked.append(count)
        return checks.timing.Rounds((block(checks, slower * 0.01),), (block(checks, 0.01),))

    found = checks.timing.Series(idle_bench(), pair, 160, 40).alike(lambda block: block.p95, "latency")
    assert asked == [40] + [requests] * blocks
    assert found.ratio(lambda block: block.p95) == pytest.approx(slower)


def test_what_answers_nothing_is_not_asked_again(checks):
    asked = []

    def pair(count):
        asked.append(count)
        return checks.timing.Rounds((block(checks, np.inf),), (block(checks, 0.01),))

    found = checks.timing.Series(idle_bench(), pair, 160, 40).alike(lambda block: block.p95, "latency")
    assert asked == [40]
    assert np.isinf(found.ratio(lambda block: block.p95))


@pytest.mark.parametrize(("each", "requests"), [(0.001, 3_000), (0.01, 2_500), (0.02, 1_500), (0.04, 1_250)])
def test_memory_is_looked_at_for_a_time_and_over_enough_requests(checks, monkeypatch, each, requests):
    now = [0.0]

    def send(measured, count):
        now[0] += each * count
        return count

    monkeypatch.setattr(checks.busy, "monotonic", lambda: now[0])
    monkeypatch.setattr(checks.busy, "_send", send)
    monkeypatch.setattr(checks.busy, "_exchanges", lambda measured, rows: [])
    monkeypatch.setattr(checks.busy, "remembered_of", lambda measured, early, first: 1.0)
    service = SimpleNamespace(usage=lambda: (0, 100))
    measured = SimpleNamespace(
        bench=SimpleNamespace(use=lambda stage: None, service=service),
        names=SimpleNamespace(next=lambda: "name"),
        rows=lambda count, purpose: [{}] * count,
    )
    found = checks.busy.memory_growth(measured)
    assert found.requests[-1] == requests
    assert found.activity > 0

"""What checks share: the service in its stages, hidden rows, what the service publishes about itself."""

from __future__ import annotations

import pytest
from bench import MAIN, Bench
from calls import OPENAPI, Names, get
from openapi import Published
from parity import Strata
from starting import SlowStart, slow_start
from timing import Measured
from world import World


@pytest.fixture(scope="session")
def bench(service, variant) -> Bench:
    """The candidate's service."""
    return Bench(service, variant.path)


@pytest.fixture(scope="session")
def names(variant) -> Names:
    """Request ids, none of them twice."""
    return Names(f"g{variant.random('ids').getrandbits(32):08x}")


@pytest.fixture(scope="session")
def strata(bench, variant, names) -> Strata:
    """Hidden rows and how the service answers them."""
    return Strata(bench, World(variant.number), variant.path / "artifacts", variant.random, names)


@pytest.fixture(scope="session")
def published(bench) -> Published:
    """The service's own description of its interface; empty where there is none."""
    return Published.read(bench.ask(get(OPENAPI), stage=MAIN)[0])


@pytest.fixture(scope="session")
def slow(strata) -> SlowStart:
    """What the service did while a model loaded that takes its time."""
    return slow_start(strata)


@pytest.fixture(scope="session")
def measured(bench, reference_service, strata, variant) -> Measured:
    """Times of the candidate and of the reference, measured in turns."""
    return Measured(bench, reference_service, strata, variant.path)

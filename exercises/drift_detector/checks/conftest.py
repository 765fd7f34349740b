"""What several checks look at: the two sittings, each held once, and their parts."""

from __future__ import annotations

import json

import anchors
import pytest
from asking import CLEAN, POOLED, largest
from care import second_alpha
from measures import alarms, alive
from sittings import Measured, Tended, measure, tend
from world import World


@pytest.fixture(scope="session")
def world(variant) -> World:
    """The hidden world."""
    return World(variant.number)


@pytest.fixture(scope="session")
def measured(submission, reference, world, variant) -> Measured:
    """The first sitting."""
    return measure(submission, reference, world, variant)


@pytest.fixture(scope="session")
def panel(measured):
    """Answers about windows."""
    return measured.panel.get()


@pytest.fixture(scope="session")
def heard(measured):
    """Answers about labelled rows, by kind."""
    return measured.heard.get()


@pytest.fixture(scope="session")
def watched(measured):
    """Alarms in streams."""
    return measured.watched.get()


@pytest.fixture(scope="session")
def tended(submission, world, variant) -> Tended:
    """The second sitting."""
    return tend(submission, world, variant, second_alpha(variant))


@pytest.fixture(scope="session")
def liveliness(panel) -> float:
    """The gate of group F: whether answers depend on what is asked."""
    clear = [alarms(panel.of(kind, POOLED, size=largest(kind))) for kind in anchors.CLEAR]
    return alive(clear, alarms(panel.of(CLEAN, POOLED)))


@pytest.fixture(scope="session")
def power(variant) -> dict:
    """The reference's detection rates in this world: mode to kind to size to rate."""
    rates = json.loads((variant.path / "reference_power.json").read_text())["power"]
    return {
        mode: {kind: {float(size): float(rate) for size, rate in sizes.items()} for kind, sizes in kinds.items()}
        for mode, kinds in rates.items()
    }

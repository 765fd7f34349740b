"""Servers that most checks speak with."""

import pytest


@pytest.fixture(scope="session")
def running(service, variant):
    """The submission's server."""
    service.start({"given": variant.path / "given"}, {"DATA": "{given}"})
    return service

"""Runs of the submission's program that several checks look at, and what is true of their data."""

from __future__ import annotations

from pathlib import Path

import pytest
from runs import ARGUMENTS, SECONDS, Written, read_written
from tables import Standing, read_truth


@pytest.fixture(scope="session")
def main_raw(variant) -> Path:
    """The main data set."""
    return variant.path / "main" / "raw"


@pytest.fixture(scope="session")
def main_run(command, main_raw):
    """The run that most checks look at."""
    run = command.run(ARGUMENTS, {"raw": main_raw}, seconds=SECONDS)
    run.require_exit(0)
    return run


@pytest.fixture(scope="session")
def written(main_run) -> Written:
    """The tables that it wrote."""
    return read_written(main_run)


@pytest.fixture(scope="session")
def standing(written, variant) -> Standing:
    """Its result beside the truth."""
    return written.beside(read_truth(variant.path / "main" / "truth"))

"""One run of the program that most checks look at."""

import pytest


@pytest.fixture(scope="session")
def main_run(command, variant):
    """The program on the hidden numbers."""
    run = command.run(["--raw", "{raw}", "--out", "{out}"], {"raw": variant.path / "raw"})
    run.require_exit(0)
    return run

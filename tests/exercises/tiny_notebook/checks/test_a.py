"""One check of the code."""

import pytest


@pytest.mark.check(id="A1", points=10, competency="engineering", title="Rounds", question="Why?", feedback="Round.")
def test_rounds(command, variant, award):
    run = command.run(["--raw", "{raw}", "--out", "{out}"], {"raw": variant.path / "raw"})
    run.require_exit(0)
    award(float(run.text("rounded.txt").split() == ["1", "3"]), "It rounds.")

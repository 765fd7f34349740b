"""Checks of the sum and of care."""

import pytest
from matplotlib.figure import Figure


@pytest.mark.check(
    id="A1",
    points=6,
    competency="engineering",
    title="Adds up the numbers",
    question="How would you add up a file that does not fit into memory?",
    feedback="Look at the last line of the file.",
)
def test_sum(main_run, variant, award, plot):
    answer = main_run.json("sum.json")
    right = isinstance(answer, dict) and answer.get("sum") == int((variant.path / "truth.txt").read_text())
    figure = Figure(figsize=(3, 1))
    figure.subplots().barh(["sum"], [1.0 if right else 0.0])
    plot(figure, "Right or wrong")
    award(1.0 if right else 0.0, "The sum is right." if right else "The sum is wrong.", evidence={"answer": answer})


@pytest.mark.check(
    id="B1",
    points=2,
    competency="engineering",
    title="Says that the input is missing",
    question="What should a program do when its input is missing?",
    feedback="Exit with 3 when there is no numbers.txt.",
)
def test_missing_input(command, variant, award, tmp_path):
    run = command.run(["--raw", "{raw}", "--out", "{out}"], {"raw": tmp_path})
    award(float(run.exit_status == 3), f"It ended with {run.exit_status}.", metrics={"status": run.exit_status or 0})


@pytest.mark.check(
    id="B2",
    points=2,
    competency="performance",
    title="Is quick",
    question="Where does the time go?",
    feedback="Start less.",
)
@pytest.mark.requires("A1")
def test_quick(main_run, award):
    seconds = main_run.cpu_seconds
    award(1.0 if seconds < 5 else 0.5, f"It took {seconds:.1f} s.", metrics={"cpu": seconds})

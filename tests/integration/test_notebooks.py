"""Decision notebooks of every kind, each in a real box: their own checks are lost, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.catalog.exercises import load_exercise
from grader.engine.grade import Harness
from grader.model.reasons import Reason
from grader.model.run import RunStatus
from grader.model.sheet import ScoreSheet
from tests.conftest import TINY, Bench
from tests.decisions import make_decision, make_notebook, writing

pytestmark = pytest.mark.docker

SOURCE = TINY.parent / "tiny_notebook"
REFERENCE = SOURCE / "solutions" / "reference"
CELLS = tuple(cell["source"] for cell in json.loads((REFERENCE / "decision.ipynb").read_text())["cells"])
PASSED: tuple[float, Reason | None] = (1.0, None)
ALL = dict.fromkeys(("N1", "N2", "N3", "N4", "N5", "N6"), PASSED)

Grade = Callable[..., ScoreSheet]
Outcomes = dict[str, tuple[float, Reason | None]]


@pytest.fixture(scope="module")
def bench(docker_harness: Harness) -> Bench:
    return Bench(docker_harness, load_exercise(SOURCE), SOURCE)


@pytest.fixture
def grade(bench: Bench, tmp_path: Path) -> Grade:
    """Grade the reference's program with this notebook; with None there is none."""

    def run(notebook: str | bytes | None, files: dict[str, str] | None = None) -> ScoreSheet:
        folder = tmp_path / "ada"
        folder.mkdir()
        for name in ("round.py", "submission.toml"):
            (folder / name).write_bytes((REFERENCE / name).read_bytes())
        if notebook is not None:
            content = notebook.encode() if isinstance(notebook, str) else notebook
            (folder / "decision.ipynb").write_bytes(content)
        for name, text in (files or {}).items():
            (folder / name).write_text(text)
        sheet = bench.grade(folder).sheet
        assert sheet.status is RunStatus.GRADED, sheet.faults
        assert (sheet.earned, sheet.possible) == (10, 10)  # whatever the notebook does
        return sheet

    return run


def outcomes(sheet: ScoreSheet) -> Outcomes:
    return {
        check.id: (round(float((check.earned or 0) / check.possible), 2), check.reason)
        for check in sheet.notebook_checks
    }


def lost(reason: Reason, *checks: str) -> Outcomes:
    return {check: (0.0, reason) for check in checks}


def everything(reason: Reason, first: Reason | None = None) -> Outcomes:
    return lost(reason, *ALL) | lost(first or reason, "N1")


def test_the_reference_earns_all_of_it_and_says_so(grade: Grade) -> None:
    sheet = grade((REFERENCE / "decision.ipynb").read_bytes())
    assert outcomes(sheet) == ALL
    part = sheet.decision
    assert part is not None
    assert (part.earned, part.possible, part.handed_in, part.total, part.lowest, part.highest) == (
        9, 9, True, None, 94, 100,
    )  # fmt: skip


def test_without_a_notebook_only_its_own_points_are_lost(grade: Grade) -> None:
    sheet = grade(None)
    assert outcomes(sheet) == everything(Reason.MISSING_PART)
    assert {check.because for check in sheet.notebook_checks} == {"No notebook was handed in."}
    assert sheet.decision is not None
    assert (sheet.decision.handed_in, sheet.decision.total) == (False, 85)


HARMLESS = (
    "!ls -la /\n!echo $HOME",
    "files = !ls\nlen(files)",
    "%%bash\nls",
    "%timeit -n1 -r1 sum(range(3))",
    "%env A=1",
    "from IPython.display import HTML\nHTML('<script>alert(1)</script>')",
    "print('x' * 20_000_000)",
    "import os\nif os.fork() == 0:\n    import time\n    time.sleep(600)",
    "  ",
)


def test_shell_escapes_magics_and_much_output_are_no_offence(grade: Grade) -> None:
    shadow = {"zmq.py": "raise RuntimeError('a module of the kernel that was not meant')"}
    sheet = grade(make_notebook(*HARMLESS, *CELLS, "exit()"), shadow)
    assert outcomes(sheet) == ALL
    assert "script" not in sheet.model_dump_json()


FOREIGN = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}, "language_info": {"name": "R"}}


def test_a_foreign_kernel_is_named_and_ignored(grade: Grade) -> None:
    decision = make_decision(metric="mean", chosen_method="half-even", operating_point=0.5, interval=[0.1, 0.2])
    sheet = grade(make_notebook(writing(decision), metadata=FOREIGN))
    assert outcomes(sheet) == ALL | lost(Reason.WRONG_ANSWER, "N4", "N5")
    facts = {fact.label: fact.value for fact in sheet.notebook_checks[0].evidence}
    assert facts["written for the kernel"] == "ir (R)"


def test_another_language_fails_with_the_reason(grade: Grade) -> None:
    sheet = grade(make_notebook("x <- c(1, 2)", metadata=FOREIGN))
    assert outcomes(sheet) == everything(Reason.MISSING_OUTPUT, Reason.CRASHED)
    assert "written for the kernel ir (R)" in sheet.notebook_checks[0].because


UNUSABLE = {
    "not JSON": ("nonsense", Reason.FORMAT),
    "not a notebook": ("{}", Reason.FORMAT),
    "binary": (b"\x00\xff\xfe", Reason.FORMAT),
    "format 3": (make_notebook(*CELLS, nbformat=3), Reason.FORMAT),
    "cells are no list": ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 3}', Reason.FORMAT),
    "deep": ("[" * 200_000, Reason.FORMAT),
    "huge": (make_notebook(*CELLS, metadata={"x": "y" * 17_000_000}), Reason.TOO_LARGE),
    "thousands of cells": (make_notebook(*["1"] * 300), Reason.TOO_LARGE),
    "asks": (make_notebook("name = input()", *CELLS), Reason.CRASHED),
    "an absolute path": (make_notebook("open('/home/ada/numbers.txt').read()", *CELLS), Reason.CRASHED),
    "kills its kernel": (make_notebook("import os\nos._exit(0)", *CELLS), Reason.CRASHED),
    "kills everything": (make_notebook("import os\nos.kill(-1, 9)", *CELLS), Reason.CRASHED),
    "eats memory": (make_notebook("x = [bytearray(2**20) for _ in range(2000)]", *CELLS), Reason.OOM),
}


@pytest.mark.parametrize(("notebook", "reason"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_cannot_be_run_costs_the_notebook_and_names_the_reason(
    grade: Grade, notebook: str | bytes, reason: Reason
) -> None:
    assert outcomes(grade(notebook)) == everything(Reason.MISSING_OUTPUT, reason)


def test_a_planted_decision_does_not_count(grade: Grade) -> None:
    decision = make_decision(metric="mean", estimate=10.5, interval=[10, 11])
    sheet = grade(make_notebook("1 + 1"), {"decision.json": json.dumps(decision)})
    assert outcomes(sheet) == everything(Reason.MISSING_OUTPUT, Reason.INACTIVE)


def test_a_dead_cell_costs_the_cells_after_it(grade: Grade) -> None:
    sheet = grade(make_notebook(*CELLS, "1 / 0", "1"))
    assert outcomes(sheet) == ALL | {"N1": (0.5, Reason.CRASHED)}
    assert "Code cell 3 of 4 ended with ZeroDivisionError: division by zero" in sheet.notebook_checks[0].because


ODD_DECISIONS = {
    "not JSON": ("open('decision.json', 'w').write('{')", Reason.FORMAT),
    "NaN": ("open('decision.json', 'w').write('{\"estimate\": NaN}')", Reason.FORMAT),
    "a folder": ("import os\nos.mkdir('decision.json')", Reason.FORMAT),
    "a link": ("import os\nos.symlink('/etc/passwd', 'decision.json')", Reason.FORMAT),
    "huge": ("open('decision.json', 'w').write('1' * 100_000)", Reason.TOO_LARGE),
}


@pytest.mark.parametrize(("cell", "reason"), ODD_DECISIONS.values(), ids=ODD_DECISIONS.keys())
def test_an_odd_decision_has_its_reason(grade: Grade, cell: str, reason: Reason) -> None:
    assert outcomes(grade(make_notebook(cell))) == everything(reason, Reason.INACTIVE)


def test_a_notebook_elsewhere_is_found_by_its_name(grade: Grade) -> None:
    text = (REFERENCE / "submission.toml").read_text() + '\n[notebook]\npath = "study.ipynb"\n'
    sheet = grade(None, {"study.ipynb": make_notebook(*CELLS), "submission.toml": text})
    assert outcomes(sheet) == ALL

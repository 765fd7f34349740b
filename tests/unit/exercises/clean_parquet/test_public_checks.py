"""The public checks of the kit: ten, quick, failed by the stub and passed by the reference."""

from __future__ import annotations

import re
import shutil
import sys

import pytest

from tests.unit.exercises.kits import make_kit, outcome, report


@pytest.fixture
def kit(exercise, public, tmp_path):
    """The template with the public data, as a candidate has them."""
    return make_kit(exercise, public, tmp_path / "kit")


@pytest.mark.slow
def test_the_stub_runs_and_passes_little(kit):
    assert outcome(kit) == {"failed": 8, "passed": 2}


@pytest.mark.slow
def test_the_reference_passes_all(kit, exercise):
    shutil.copytree(exercise / "solutions" / "reference", kit, dirs_exist_ok=True)
    assert outcome(kit) == {"passed": 10}


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import no_such_library\n", "ended with 1: ModuleNotFoundError: No module named 'no_such_library'"),
        ("raise SystemExit(7)\n", "ended with 7: nothing on stderr"),
    ],
)
def test_a_program_that_ends_early_is_told_why(kit, program, said):
    (kit / "clean.py").write_text(program, encoding="utf-8")
    assert f"the program must end with exit status 0 on the sample; it {said}" in report(kit)


def test_the_template_needs_nothing_but_what_the_brief_names(exercise):
    text = "".join(path.read_text(encoding="utf-8") for path in (exercise / "template").rglob("*.py"))
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"pandas", "pyarrow", "pytest", "conftest"}

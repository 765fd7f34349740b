"""The kit: public checks that the stub fails and the reference passes, notebooks that run, a brief that says it all."""

from __future__ import annotations

import json
import re
import shutil
import sys

import pytest

from grader.catalog.exercises import load_exercise
from tests.unit.exercises.kits import make_kit, outcome


@pytest.fixture
def kit(exercise, public, tmp_path):
    """The template with the public data, as a candidate has them."""
    return make_kit(exercise, public, tmp_path / "kit")


@pytest.mark.slow
def test_the_stub_runs_and_passes_little(kit):
    assert outcome(kit) == {"failed": 23, "passed": 1}


@pytest.mark.slow
def test_the_reference_passes_all(kit, exercise):
    shutil.copytree(exercise / "solutions" / "reference", kit, dirs_exist_ok=True)
    assert outcome(kit) == {"passed": 24}


def run_notebook(folder, monkeypatch, data_dir):
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(folder / "decision.ipynb", as_version=4)
    nbformat.validate(notebook)
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    NotebookClient(notebook, timeout=200, resources={"metadata": {"path": str(folder)}}).execute()
    return json.loads((folder / "decision.json").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Jupyter's own
def test_the_notebook_of_the_kit_runs_and_names_every_key(kit, exercise, monkeypatch):
    decision = run_notebook(kit, monkeypatch, kit / "artifacts")
    table = (exercise / "brief.md").read_text(encoding="utf-8").partition("## The notebook")[2]
    assert set(decision) == set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))


def test_template_and_public_data_do_not_overlap(exercise, public):
    template = {str(path.relative_to(exercise / "template")) for path in (exercise / "template").rglob("*")}
    assert not template & {str(path.relative_to(public)) for path in public.rglob("*") if path.is_file()}


def test_the_template_needs_nothing_but_the_image_and_pytest(exercise):
    text = "".join(path.read_text(encoding="utf-8") for path in (exercise / "template").rglob("*.py"))
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"fastapi", "pytest", "conftest"}


def test_the_brief_names_the_points_of_every_group(exercise):
    loaded = load_exercise(exercise)
    brief = (exercise / "brief.md").read_text(encoding="utf-8")
    points: dict[str, int] = {}
    for check in loaded.checks:
        points[check.group] = points.get(check.group, 0) + int(check.points)
    for group in "ABCDE":
        assert re.search(rf"^\| {group} \S.* \| {points[group]} \|", brief, re.MULTILINE), group
    assert sum(points[group] for group in "ABCDE") == 100


def test_the_brief_names_every_key_of_meta(exercise, public):
    brief = (exercise / "brief.md").read_text(encoding="utf-8")
    meta = json.loads((public / "artifacts" / "v1" / "meta.json").read_text(encoding="utf-8"))
    for key in set(meta) - {"version"}:
        assert f"`{key}`" in brief, key


def test_plain_has_the_batch_job_as_the_kit_has_it(exercise):
    copy = exercise / "solutions" / "plain" / "offline" / "featurize.py"
    assert copy.read_bytes() == (exercise / "data" / "featurize.py").read_bytes()

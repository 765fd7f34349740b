"""The kit: ten public checks, quick, failed by the stub and passed by the reference; and what lies beside them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from grader.catalog.ladder import load_ladder
from tests.unit.exercises.kits import make_kit, outcome


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


@pytest.mark.slow
def test_comparing_with_all_hours_fails_the_examples(kit, exercise):
    failed = {}
    for rung in load_ladder(exercise):
        if rung.name in {"plain", "plain_pooled"}:
            for name, content in rung.files().items():
                (kit / name).write_bytes(content)
            failed[rung.name] = outcome(kit)["failed"]
    assert failed == {"plain": 1, "plain_pooled": 2}, "both leave the rules for odd windows to others"


def test_the_template_needs_nothing_but_what_the_brief_names(exercise):
    text = "".join(path.read_text(encoding="utf-8") for path in (exercise / "template").rglob("*.py"))
    imported = set(re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE))
    assert imported - set(sys.stdlib_module_names) == {"numpy", "pandas", "pytest", "conftest"}


@pytest.mark.parametrize("folder", ["template", "solutions/reference"])
def test_notebooks_are_whole_and_hold_no_outputs(exercise, folder):
    notebook = json.loads((exercise / folder / "decision.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            compile("".join(cell["source"]), "cell", "exec")


def test_the_kits_notebook_runs_on_the_kit_and_decides_nothing(kit):
    cells = json.loads((kit / "decision.ipynb").read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    environment = {name: value for name, value in os.environ.items() if name != "DATA_DIR"}
    subprocess.run([sys.executable, "-c", code], cwd=kit, check=True, capture_output=True, env=environment)
    decision = json.loads((kit / "decision.json").read_text(encoding="utf-8"))
    assert len(decision) == 9
    assert not any(value for value in decision.values() if value != [None, None])


def test_the_brief_names_every_column_and_kind(data, exercise):
    brief = (exercise / "brief.md").read_text(encoding="utf-8")
    for name in ("row_id", "event_ts", *data.world.FEATURES, "score"):
        assert f"| `{name}` |" in brief, name
    for kind in data.world.KINDS:
        assert re.search(rf"^\| {kind} \|", brief, re.MULTILINE), kind


def test_replay_holds_rows_of_the_public_reference(exercise, public):
    sample = pd.read_parquet(exercise / "solutions" / "replay" / "sample.parquet")
    reference = pd.read_parquet(public / "reference.parquet").set_index("row_id")
    labels = pd.read_parquet(public / "reference_labels.parquet").set_index("row_id")
    assert len(sample) > 1000
    # The last digits are the processor's.
    assert reference.loc[sample["row_id"], "amount"].tolist() == pytest.approx(sample["amount"].tolist(), rel=1e-9)
    assert labels.loc[sample["row_id"], "score"].tolist() == pytest.approx(sample["score"].tolist(), rel=1e-9)
    assert labels.loc[sample["row_id"], "y"].tolist() == sample["y"].tolist()


def test_every_rung_can_be_put_together(exercise):
    rungs = {rung.name: rung for rung in load_ladder(exercise)}
    assert len([name for name in rungs if name.startswith("flaw_")]) >= 12
    for rung in rungs.values():
        files = rung.files()
        assert {"drift.py", "submission.toml"} <= set(files), rung.name
        for name, content in files.items():
            if name.endswith(".py"):
                compile(content, f"{rung.name}/{name}", "exec")

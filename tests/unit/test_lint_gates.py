"""Calls that trusted code must not make: `make check` finds each of them (SECURITY section 4, rule 6)."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

UNSAFE = {
    "import pickle": "TID251",
    "import shelve": "TID251",
    "import marshal": "TID251",
    "import dill": "TID251",
    "import cloudpickle": "TID251",
    "import joblib": "TID251",
    "from joblib import load": "TID251",
    "import torch": "TID251",
    "import h5py": "TID251",
    "import onnx": "TID251",
    "import yaml": "TID251",
    "import zipfile": "TID251",
    "from xml.etree import ElementTree\nElementTree.fromstring('<x/>')": "TID251",
    "import xml.sax": "TID251",
    "import ast\nast.literal_eval('1')": "TID251",
    "import numpy as np\nnp.load('x')": "TID251",
    "import pandas as pd\npd.read_pickle('x')": "TID251",
    "import pandas as pd\npd.read_parquet('x')": "TID251",
    "import pandas as pd\npd.eval('1')": "TID251",
    "import pyarrow.parquet as pq\npq.read_table('x')": "TID251",
    "from pyarrow import feather": "TID251",
    "import shutil\nshutil.unpack_archive('x')": "TID251",
    "import tarfile\ntarfile.open('x').extractall()": "S202",
    "eval('1')": "S307",
    "exec('1')": "S102",
    "import subprocess\nsubprocess.run('ls', shell=True)": "S602",
    "import subprocess\nsubprocess.run(['tar', 'x'])": "S607",
    "import os\nos.system('ls')": "S605",
    "import jinja2\njinja2.Environment(autoescape=False)": "S701",
    "import requests\nrequests.get('http://x')": "S113",
    "import random\nrandom.random()": "S311",
    "from markupsafe import Markup\nMarkup(open('x').read())": "S704",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """What ruff finds in each sample, under the settings of this repository."""
    folder = tmp_path_factory.mktemp("samples")
    for number, text in enumerate(UNSAFE):
        (folder / f"sample{number}.py").write_text(text)
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format=json", "--config"]
    done = subprocess.run([*command, ROOT / "pyproject.toml", folder], capture_output=True, text=True, check=False)
    codes: dict[str, set[str]] = {text: set() for text in UNSAFE}
    for each in json.loads(done.stdout):
        number = int(Path(each["filename"]).stem.removeprefix("sample"))
        codes[list(UNSAFE)[number]].add(each["code"])
    return codes


@pytest.mark.parametrize("text", UNSAFE)
def test_a_call_that_is_unsafe_is_found(found: dict[str, set[str]], text: str) -> None:
    assert UNSAFE[text] in found[text]


# Methods that no rule of ruff can know by the name of what they belong to.
METHODS = {
    "put_archive": "the engine unpacks it where a candidate may have put links",
    "get_archive": "what comes out of a box is frames and nothing else",
    "exec_create": "a program started so outlives whoever started it",
    "exec_run": "a program started so outlives whoever started it",
    "extractall": "grader.intake reads archives itself",
    "format_map": "a stranger's text may name attributes",
    "query": "text is never an expression",
}


# An author's own history, never a submission.
ALLOWED = {("grader/catalog/versions.py", "extractall")}


def calls(source: str) -> Iterator[tuple[str, int]]:
    """Methods of `METHODS` that are called, and `.format` of anything but a text that stands there; with lines."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        name, owner = node.func.attr, node.func.value
        constant = isinstance(owner, ast.Constant) or (isinstance(owner, ast.Name) and owner.id.isupper())
        if name in METHODS or (name == "format" and not constant):
            yield name, node.lineno


@pytest.mark.parametrize("name", [*METHODS, "format"])
def test_a_method_that_is_unsafe_is_found(name: str) -> None:
    assert list(calls(f"import x\nx.thing.{name}(1)")) == [(name, 2)]


def test_trusted_code_calls_none_of_them() -> None:
    files = [path for path in (ROOT / "grader").rglob("*.py") if "scaffold" not in path.relative_to(ROOT).parts]
    found = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files
        for name, _ in calls(path.read_text(encoding="utf-8"))
    }
    assert found == ALLOWED
    assert len(files) > 100

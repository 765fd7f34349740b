"""Runs your program on the sample, as submission.toml says, and lays the result beside the truth."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

KIT = Path(__file__).resolve().parent.parent
LINEAGE = ["source_file", "source_row"]


def run_program(raw: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Run your program; what it wrote on stderr stands in pytest's report where a check fails."""
    file = KIT / "submission.toml"
    manifest = tomllib.loads(file.read_text(encoding="utf-8-sig")) if file.exists() else {}
    argv = manifest.get("command", {}).get("argv", ["python", "clean.py"])
    if argv[0] in ("python", "python3"):
        argv = [sys.executable, *argv[1:]]
    command = [*argv, "--raw", str(raw), "--out", str(out)]
    ended = subprocess.run(  # noqa: S603 - your own program
        command, cwd=KIT, timeout=120, check=False, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
    )
    sys.stderr.write(ended.stderr)
    return ended


def read(folder: Path, name: str) -> pd.DataFrame:
    """Read one table, rows in the order of the input."""
    frame = pq.read_table(folder / name).to_pandas()
    return frame.sort_values(LINEAGE).reset_index(drop=True)


@pytest.fixture(scope="session")
def raw() -> Path:
    """The sample."""
    return KIT / "raw"


@pytest.fixture(scope="session")
def truth() -> Path:
    """The right result for the sample."""
    return KIT / "truth"


@pytest.fixture(scope="session")
def out(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that your program wrote for the sample."""
    folder = tmp_path_factory.mktemp("run") / "out"
    ended = run_program(raw, folder)
    if ended.returncode != 0:
        last = (ended.stderr.strip().splitlines() or ["nothing on stderr"])[-1]
        must = "the program must end with exit status 0 on the sample"
        pytest.fail(f"{must}; it ended with {ended.returncode}: {last}", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def merged(out: Path, truth: Path) -> pd.DataFrame:
    """Every order that should be kept; columns of your result end in _yours and are null where it is missing."""
    right, yours = read(truth, "orders.parquet"), read(out, "orders.parquet").drop_duplicates(LINEAGE)
    return right.merge(yours, on=LINEAGE, how="left", suffixes=("", "_yours"))

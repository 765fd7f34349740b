"""A kit as it is built gives nothing away, and each way to give something away is found."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grader.catalog.exercises import load_exercise
from grader.catalog.leaks import Leak, find_leaks
from tests.conftest import TINY
from tests.unit.catalog.conftest import BuildKit

CHECK = (TINY / "checks" / "test_sums.py").read_text()
REFERENCE = (TINY / "solutions" / "reference" / "add.py").read_text()
LONG_LINE = max(REFERENCE.splitlines(), key=len)
SEED = "20261123"
Lint = Callable[..., tuple[Leak, ...]]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of tiny_sum that may be changed, with a seed that is no everyday number."""
    folder = Path(shutil.copytree(TINY, tmp_path / "exercises" / "tiny_sum"))
    manifest = (folder / "exercise.toml").read_text()
    (folder / "exercise.toml").write_text(manifest.replace("public_seed = 1", f"public_seed = {SEED}"))
    return folder


@pytest.fixture
def lint(data: Path, source: Path) -> Lint:
    def look(kit: Path) -> tuple[Leak, ...]:
        return find_leaks(kit, load_exercise(source), source, data)

    return look


def test_a_kit_gives_nothing_away(make_kit: BuildKit, lint: Lint) -> None:
    assert lint(make_kit()) == ()


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("notes.md", LONG_LINE, "holds a line of solutions/reference/add.py"),
        ("notes.md", "    " + LONG_LINE + "  ", "holds a line of solutions/reference/add.py"),
        ("help.py", CHECK, "holds a line of checks/test_sums.py"),
        ("hint.txt", "see test_sums.py", "names the file of the hidden check A1"),
        ("hint.txt", f"drawn from {SEED}.", "holds the seed of the sample"),
        ("hint.bin", b"\0" + SEED.encode() + b"\0", "holds the seed of the sample"),
        ("__pycache__/add.cpython-313.pyc", b"\0", "was made by a tool"),
        (".DS_Store", b"\0", "was made by a tool"),
        ("log.txt", "read /home/ada/raw", "names somebody's home folder"),
        ("log.txt", "read C:\\Users\\ada", "names somebody's home folder"),
        ("log.txt", "draft in .kit-x1/kit", "tells a folder of this machine"),
    ],
)
def test_what_is_planted_is_found(make_kit: BuildKit, lint: Lint, name: str, content: str | bytes, what: str) -> None:
    kit = make_kit()
    (kit / name).parent.mkdir(exist_ok=True)
    (kit / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert Leak(name, what) in lint(kit)


def test_titles_and_functions_of_checks_are_found(make_kit: BuildKit, lint: Lint) -> None:
    kit = make_kit()
    check = max(load_exercise(TINY).checks, key=lambda check: len(check.title))
    (kit / "hint.txt").write_text(f"{check.title}\n{check.function}()\n")
    found = {leak.what for leak in lint(kit) if leak.file == "hint.txt"}
    assert found >= {
        f"holds the title of the hidden check {check.id}",
        f"names the function of the hidden check {check.id}",
    }


def test_a_stub_that_is_the_answer_is_found(make_kit: BuildKit, lint: Lint, source: Path) -> None:
    answer = "".join(f"the_answer_to_everything_number_{number} = {number} * 42\n" for number in range(5))
    for place in ("template", "solutions/reference"):
        (source / place / "add.py").write_text(answer)
    assert lint(make_kit(source)) == (Leak("add.py", "holds most of solutions/reference/add.py"),)


@pytest.mark.parametrize("rung", ["reference", "model"])
@pytest.mark.parametrize("before", ["", "# "])
def test_an_answer_by_another_name_is_found(
    make_kit: BuildKit, lint: Lint, source: Path, rung: str, before: str
) -> None:
    """As a further file, as comments of the stub, and whatever the folder of the rung is called."""
    lines = [f"the_answer_to_everything_number_{number} = {number} * 42\n" for number in range(5)]
    (source / "solutions" / "reference").rename(source / "solutions" / rung)
    (source / "solutions" / rung / "add.py").write_text("".join(lines))
    (source / "template" / "solution.py").write_text("".join(f"{before}{line}" for line in lines))
    assert lint(make_kit(source)) == (Leak("solution.py", f"holds most of solutions/{rung}/add.py"),)


def test_a_ladder_that_cannot_be_read_hides_no_answer(make_kit: BuildKit, lint: Lint, source: Path) -> None:
    answer = "".join(f"the_answer_to_everything_number_{number} = {number} * 42\n" for number in range(5))
    for place in ("template", "solutions/reference"):
        (source / place / "add.py").write_text(answer)
    (source / "solutions" / "reference" / "expected.toml").write_text("rung = ")
    assert lint(make_kit(source)) == (Leak("add.py", "holds most of solutions/reference/add.py"),)


def test_a_module_that_is_given_on_purpose_is_not(make_kit: BuildKit, lint: Lint, source: Path) -> None:
    given = "".join(f"the_answer_to_everything_number_{number} = {number} * 42\n" for number in range(5))
    for place in ("template", "solutions/reference"):
        (source / place / "given.py").write_text(given)
    assert lint(make_kit(source)) == ()


def test_a_canary_is_found_wherever_it_sings(make_kit: BuildKit, lint: Lint, source: Path) -> None:
    (source / "checks" / "truth.py").write_text("# canary-1f2e3d4c5b\n")
    kit = make_kit(source)
    (kit / "raw" / "numbers.bin").write_bytes(b"\0canary-1f2e3d4c5b\0")
    assert Leak("raw/numbers.bin", "holds a canary") in lint(kit)


def committed(kit: Path, *, who: str = "grader", when: str = "2026-11-24T00:00:00+0000") -> None:
    (kit / "add.py").write_text("pass\n")
    names = {"GIT_AUTHOR_NAME": who, "GIT_AUTHOR_EMAIL": "grader@localhost", "GIT_AUTHOR_DATE": when}
    names |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in names.items()}
    subprocess.run(["git", "commit", "-qam", "more"], cwd=kit, env=os.environ | names, check=True)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda kit: committed(kit), "has 2 commits in place of one"),
        (lambda kit: committed(kit, who="Ada"), "says who committed, or at what hour"),
        (lambda kit: committed(kit, when="2026-11-24T16:20:00+0100"), "says who committed, or at what hour"),
        (lambda kit: (kit / "add.py").write_text("pass\n"), "holds other content than the files beside it"),
        (lambda kit: shutil.rmtree(kit / ".git"), "is no repository that git can read"),
    ],
)
def test_a_history_is_found(make_kit: BuildKit, lint: Lint, change: Callable[[Path], object], what: str) -> None:
    kit = make_kit()
    change(kit)
    assert Leak(".git", what) in lint(kit)


def test_an_object_of_an_earlier_draft_is_found(make_kit: BuildKit, lint: Lint) -> None:
    kit = make_kit()
    subprocess.run(["git", "hash-object", "-w", "--stdin"], cwd=kit, input=b"draft", check=True, capture_output=True)
    assert Leak(".git", "holds objects that its commit does not need") in lint(kit)


def test_settings_and_inodes_are_found(make_kit: BuildKit, lint: Lint) -> None:
    kit = make_kit()
    for arguments in (["config", "user.name", "Ada"], ["update-index", "--refresh"]):
        subprocess.run(["git", *arguments], cwd=kit, check=True)
    assert {leak.file for leak in lint(kit)} >= {".git/config", ".git/index"}


def test_times_and_links_are_found(make_kit: BuildKit, lint: Lint) -> None:
    kit = make_kit()
    os.utime(kit / "add.py", (5, 5))
    (kit / "away").symlink_to("/etc")
    assert {Leak("add.py", "has a time of day"), Leak("away", "is a link")} <= set(lint(kit))


@pytest.mark.parametrize(
    ("metadata", "what"),
    [
        ({"crop": "seedlings"}, None),
        ({"generator_seed": "7"}, "has metadata that speak of a seed"),
        ({"note": f"from {SEED}"}, "holds the seed of the sample"),
        ({"shop": "alster"}, None),
    ],
)
def test_metadata_of_tables_are_read(
    make_kit: BuildKit,
    lint: Lint,
    metadata: dict[str, str],
    what: str | None,
) -> None:
    kit = make_kit()
    table = pa.table({"a": [1, 2]}).replace_schema_metadata(metadata)
    pq.write_table(table, kit / "raw" / "table.parquet")
    found = [leak.what for leak in lint(kit) if leak.file == "raw/table.parquet" and "time of day" not in leak.what]
    assert found == ([what] if what else [])


@pytest.mark.parametrize(
    ("start", "index", "found"),
    [(0, None, False), (0, False, False), (3, None, True), (3, True, True), (3, False, False)],
)
def test_an_index_that_tells_of_other_rows_is_found(
    make_kit: BuildKit, lint: Lint, start: int, index: bool | None, found: bool
) -> None:
    kit = make_kit()
    frame = pd.DataFrame({"a": range(9)}).iloc[start:]
    frame.to_parquet(kit / "raw" / "table.parquet", index=index)
    assert any("index of pandas" in leak.what for leak in lint(kit)) is found


def test_the_machines_name_is_found(make_kit: BuildKit, lint: Lint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "build-7.example")
    kit = make_kit()
    (kit / "raw" / "log.bin").write_bytes(b"\0on build-7.example\0")
    assert Leak("raw/log.bin", "tells the name of this machine") in lint(kit)

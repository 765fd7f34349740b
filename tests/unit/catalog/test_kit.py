"""Kits: complete, whole or not at all, and silent about the machine that made them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from grader import clock
from grader.catalog.kit_files import PYTHON, ROOT, SKELETON, Person, sections_of
from grader.checker.notebook import DECISION
from grader.errors import ExerciseDefect, InfrastructureFault, UsageError
from grader.intake.limits import IntakeLimits
from grader.intake.receive import receive
from tests.conftest import TINY
from tests.unit.catalog.conftest import ADA, BuildKit

TOOLS = {"tools/pack.py", "tools/program.py", "tools/box_check.py", "tools/constraints.txt", "tools/seccomp.json"}
SETUP = {".gitignore", ".gitattributes", ".devcontainer/Dockerfile", ".devcontainer/devcontainer.json"}
OWN = {"README.md", "Makefile", "kit.toml", "requirements.txt"}


def git(kit: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=kit, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of tiny_sum that may be changed."""
    return Path(shutil.copytree(TINY, tmp_path / "exercises" / "tiny_sum"))


def test_holds_what_a_candidate_needs_and_nothing_else(make_kit: BuildKit) -> None:
    kit = make_kit()
    names = {path.relative_to(kit).as_posix() for path in kit.rglob("*") if path.is_file()}
    theirs = {"brief.md", "add.py", "submission.toml", "raw/numbers.txt"}
    assert {name for name in names if not name.startswith(".git/")} == OWN | SETUP | TOOLS | theirs


def test_the_readme_says_what_counts(make_kit: BuildKit) -> None:
    readme = (make_kit() / "README.md").read_text()
    assert "Made for Ada L.: exercise `tiny_sum`, version 1.0.0." in readme
    assert "| Engineering care | 8 | A Sums 6, B Care 2 |" in readme
    assert "In a sandbox with 1 CPU core, 256 MiB of memory, 16 MiB of disk" in readme
    assert "Plan 1 hour;" in readme
    assert "| public checks | `make check` |" in readme
    assert "notebook" not in readme  # the exercise has none
    assert "**Not graded:** code style, " in readme  # the brief of tiny_sum does not say
    assert "reads `DIR/numbers.txt`" in readme  # the brief's beginning is the scenario
    for heading in ("Start", "What is graded", "Time", "Where it runs", "Rules", "Hand in"):
        assert f"\n## {heading}\n" in readme


def test_what_the_brief_says_is_not_said_twice(make_kit: BuildKit, source: Path) -> None:
    brief = (source / "brief.md").read_text()
    (source / "brief.md").write_text(f"{brief}\n## Time\n\nLeave out B.\n\n## Points\n\n**Not graded:** the tail.\n")
    readme = (make_kit(source) / "README.md").read_text()
    assert "Leave out B" not in readme
    assert "Not graded:" not in readme
    assert readme.count("[brief.md](brief.md#time)") == 1
    assert "What is *not* graded stands in [brief.md](brief.md)" in readme


@pytest.mark.parametrize(
    ("extra_time", "own"), [(1.5, "1 hour and 30 minutes"), (2, "2 hours"), (1.01, "1 hour and 1 minute")]
)
def test_extra_time_is_said_in_hours_and_changes_nothing_else(make_kit: BuildKit, extra_time: float, own: str) -> None:
    with_more = make_kit(person=replace(ADA, extra_time=extra_time))
    ordinary = make_kit(name="ordinary")
    assert f"**You have {own}**: the 1 hour of this exercise" in (with_more / "README.md").read_text()
    changed = {
        path.name
        for path in with_more.rglob("*")
        if path.is_file() and ".git" not in path.parts
        if path.read_bytes() != (ordinary / path.relative_to(with_more)).read_bytes()
    }
    assert changed == {"README.md"}


def test_versions_are_those_of_the_image(make_kit: BuildKit) -> None:
    kit = make_kit()
    requirements = (kit / "requirements.txt").read_text().splitlines()
    assert {"pandas==3.1.1", "pytest==9.2.0", "-c tools/constraints.txt"} <= set(requirements)
    assert [line.partition(" ;")[0] for line in requirements if "xgboost" in line] == [
        "xgboost-cpu==3.4.1",
        "xgboost==3.4.1",
    ]
    constraints = (kit / "tools" / "constraints.txt").read_text()
    assert "python-dateutil==4.0.0\n" in constraints
    assert "pluggy==1.6.0\n" in constraints


def test_what_public_checks_import_is_pinned_and_goes_into_the_box(make_kit: BuildKit, source: Path) -> None:
    (source / "template" / "checks").mkdir()
    (source / "template" / "checks" / "test_public.py").write_text(
        "import json\nimport pandas\nfrom httpx import get\n"
    )
    kit = make_kit(source)
    assert "httpx==0.28.1\n" in (kit / "requirements.txt").read_text()
    assert tomllib.loads((kit / "kit.toml").read_text())["box"]["checks_need"] == ["httpx", "pytest"]


def test_an_import_that_nobody_has_is_a_defect(make_kit: BuildKit, source: Path) -> None:
    (source / "template" / "load.py").write_text("import locust\n")
    with pytest.raises(ExerciseDefect, match="locust") as raised:
        make_kit(source)
    assert (raised.value.file, raised.value.line) == ("template/load.py", 1)


def test_kit_toml_tells_the_tools_what_they_need(make_kit: BuildKit) -> None:
    kit = tomllib.loads((make_kit() / "kit.toml").read_text())
    assert kit["kit"] == {"exercise": "tiny_sum", "version": "1.0.0", "python": "3.13"}
    assert kit["submission"] == {"kind": "command", "argv": ["python", "add.py"]}
    assert {"raw", "checks", "tools", "README.md", "brief.md"} <= set(kit["pack"]["left_out"])
    assert kit["limits"]["archive"] == IntakeLimits().archive
    assert (kit["box"]["image"], kit["box"]["digest"]) == ("grader-runtime:0123456789ab", "sha256:" + "7" * 64)


def test_code_that_comes_with_the_data_is_handed_in(make_kit: BuildKit, data: Path) -> None:
    (data / "offline").mkdir()
    (data / "offline" / "featurize.py").write_text("")
    left_out = tomllib.loads((make_kit() / "kit.toml").read_text())["pack"]["left_out"]
    assert "raw" in left_out
    assert "offline" not in left_out


def test_what_the_notebook_wrote_is_not_handed_in(make_kit: BuildKit, source: Path) -> None:
    """Grading takes a decision that was handed in away, and has it written anew; without a notebook it is a file."""
    manifest = source / "exercise.toml"
    text = manifest.read_text().replace("[limits]", 'N = "Decision"\n\n[limits]', 1)
    kits = [make_kit()]
    manifest.write_text(f'{text}\n[notebook]\npath = "decision.ipynb"\ngroup = "N"\n')
    kits.append(make_kit(source, name="with a notebook"))
    left_out = [tomllib.loads((kit / "kit.toml").read_text())["pack"]["left_out"] for kit in kits]
    assert [DECISION in names for names in left_out] == [False, True]


def test_the_container_for_editors_copies_what_is_there(make_kit: BuildKit) -> None:
    kit = make_kit()
    said = json.loads((kit / ".devcontainer" / "devcontainer.json").read_text())
    recipe = kit / ".devcontainer" / said["build"]["dockerfile"]
    copied = re.findall(r"^COPY (\S+) ", recipe.read_text(), re.MULTILINE)
    assert len(copied) == 2
    assert all((recipe.parent / said["build"]["context"] / path).is_file() for path in copied)


def test_is_a_repository_with_one_commit_of_nobody_at_midnight(make_kit: BuildKit) -> None:
    kit = make_kit()
    index = git(kit, "ls-files", "--debug")  # first: git's status notes inodes and owners of its machine
    assert set(re.findall(r"(?:ino|uid|gid|mtime): (\S+)", index)) == {"0", "0:0"}
    who = f"grader <grader@localhost> {clock.now():%Y-%m-%d} 00:00:00 +0000"
    assert git(kit, "log", "--all", "--format=%an <%ae> %ai|%cn <%ce> %ci|%s") == (
        f"{who}|{who}|The kit as it was handed out\n"
    )
    assert git(kit, "status", "--short") == ""
    assert not (kit / ".git" / "hooks").exists()


def test_settings_of_this_machine_do_not_reach_the_commit(make_kit: BuildKit, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "GIT_AUTHOR_NAME": "Someone",
        "GIT_COMMITTER_EMAIL": "me@example.org",
        "TZ": "Asia/Tokyo",
    }.items():
        monkeypatch.setenv(name, value)
    assert git(make_kit(), "log", "--format=%an %ce %ai").endswith("00:00:00 +0000\n")
    assert git(make_kit(name="again"), "log", "--format=%an %ce").strip() == "grader grader@localhost"


def test_two_kits_of_one_day_are_the_same(make_kit: BuildKit) -> None:
    first, second = make_kit(), make_kit(name="again")
    assert git(first, "rev-parse", "HEAD") == git(second, "rev-parse", "HEAD")


def test_files_have_one_time_for_all(make_kit: BuildKit) -> None:
    kit = make_kit()
    times = {path.lstat().st_mtime for path in kit.rglob("*")}
    assert len(times) == 1
    assert times.pop() % 86400 == 0


def test_the_stub_is_accepted_at_intake_with_the_whole_kit_around_it(make_kit: BuildKit) -> None:
    assert "add.py" in receive(make_kit()).paths


@pytest.mark.parametrize("name", ["__pycache__/add.cpython-313.pyc", ".pytest_cache/README.md"])
def test_what_tools_left_in_the_template_stays_there(make_kit: BuildKit, source: Path, name: str) -> None:
    (source / "template" / name).parent.mkdir()
    (source / "template" / name).write_bytes(b"")
    assert not (make_kit(source) / name).exists()


def test_never_overwrites(make_kit: BuildKit, tmp_path: Path) -> None:
    (tmp_path / "kit").mkdir()
    make_kit()
    with pytest.raises(UsageError, match="already holds something"):
        make_kit()


def test_an_overlap_is_a_defect_and_leaves_nothing(make_kit: BuildKit, source: Path, tmp_path: Path) -> None:
    (source / "template" / "Makefile").write_text("")
    with pytest.raises(ExerciseDefect, match="Makefile"):
        make_kit(source)
    assert not (tmp_path / "kit").exists()
    assert not list(tmp_path.glob(".kit-*"))


def test_a_link_in_the_template_is_a_defect(make_kit: BuildKit, source: Path) -> None:
    (source / "template" / "notes.md").symlink_to(source / "brief.md")
    with pytest.raises(ExerciseDefect, match="links"):
        make_kit(source)


def test_without_git_there_is_no_kit(make_kit: BuildKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path / "empty"))
    with pytest.raises(InfrastructureFault, match="git is not installed"):
        make_kit()
    assert not (tmp_path / "kit").exists()


def test_a_name_that_cannot_be_seen_is_refused(make_kit: BuildKit) -> None:
    with pytest.raises(UsageError, match="cannot be seen"):
        make_kit(person=Person(name="Ada\n## Rules"))


def test_sections_of_a_brief() -> None:
    brief = "# Title\n\nOnce upon.\n\n```\n# no heading\n```\n\n## Time\n\nFour hours.\n"
    assert sections_of(brief) == {"": "Once upon.\n\n```\n# no heading\n```", "Time": "Four hours."}


def test_the_guide_names_the_limits_of_intake() -> None:
    limits, guide = IntakeLimits(), (ROOT / "docs" / "candidates.md").read_text()
    mib = f"{limits.unpacked // 2**20} MiB, or {limits.archive // 2**20} MiB packed"
    assert f"more than {limits.files} files, {mib}" in guide


def test_guide_and_kit_name_the_same_commands() -> None:
    texts = [(ROOT / "docs" / "candidates.md").read_text(), (SKELETON / "README.md.j2").read_text()]
    tables = [
        {line for line in text.replace("{{ python }}", PYTHON).splitlines() if "`make " in line and "|" in line}
        for text in texts
    ]
    assert len(tables[0]) == 5
    assert tables[0] == tables[1]


PYENVS_PYTHON = """#!{python}
import shutil, sys
from pathlib import Path

with open("calls.txt", "a") as calls:
    print(*sys.argv[1:], file=calls)
if sys.argv[1:] == ["-m", "venv", ".venv"]:
    Path(".venv/bin").mkdir(parents=True)
    shutil.copy2(__file__, ".venv/bin/python")
"""


def test_setup_finds_a_python_that_pyenv_has_and_does_not_start(make_kit: BuildKit, tmp_path: Path) -> None:
    """Where another version is chosen, pyenv's own `python3.13` ends with an error."""
    kit, python = make_kit(), tmp_path / "pyenv" / "versions" / "3.13.4" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYENVS_PYTHON.format(python=sys.executable))
    python.chmod(0o755)
    environment = {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path / "pyenv"), "HOME": str(tmp_path)}
    subprocess.run([shutil.which("make") or "make", "setup"], cwd=kit, env=environment, check=True, capture_output=True)
    started = (kit / "calls.txt").read_text().splitlines()
    assert started[1:] == ["-m venv .venv", "-m pip install --quiet --requirement requirements.txt"]

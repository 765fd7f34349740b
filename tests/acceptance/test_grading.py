"""Grading through the real command line, in real boxes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.sandbox.docker_engine import Engine
from tests.acceptance.conftest import Grader
from tests.conftest import REFERENCE, TINY

pytestmark = pytest.mark.docker

Write = Callable[..., Path]
FILES = {"junit.xml", "results.json", "sheet.candidate.html", "sheet.html", "sheet.json", "sheet.md"}
WRONG = REFERENCE.replace("sum(int", "max(int")


def test_a_batch_of_every_kind(grader: Grader, submission: Write, tmp_path: Path) -> None:
    archive = tmp_path / "zipped.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(TINY / "solutions" / "reference" / "add.py", "folder/add.py")
    paths = [submission("ada"), submission("wrong", {"add.py": WRONG}), submission("bad", {"add.py": "("}), archive]
    done = grader("grade", "tiny_sum", *paths, "--out", tmp_path / "out", "--json")
    assert done.status == 3
    found = {row["submission"]: (row["status"], row["earned"], row["reason"]) for row in done.data}
    assert found == {
        "ada": ("graded", 10.0, None),
        "wrong": ("graded", 2.0, None),
        "bad": ("rejected", None, "syntax_error"),
        "zipped.zip": ("graded", 10.0, None),
    }
    for name in ("ada", "wrong", "bad", "zipped"):
        assert {path.name for path in (tmp_path / "out" / name).iterdir()} == FILES
    assert len((tmp_path / "out" / "summary.csv").read_text().splitlines()) == 5


def test_graded_once_stays_graded(grader: Grader, submission: Write, tmp_path: Path) -> None:
    path, out = submission(), tmp_path / "out"
    assert grader("grade", "tiny_sum", path, "--out", out).status == 0
    first = (out / "ada" / "sheet.json").read_bytes()
    again = grader("grade", "tiny_sum", path, "--out", out)
    assert (again.status, (out / "ada" / "sheet.json").read_bytes()) == (0, first)
    assert "ada: graded before" in again.err
    (path / "add.py").write_text(WRONG)
    refused = grader("grade", "tiny_sum", path, "--out", out)
    assert (refused.status, (out / "ada" / "sheet.json").read_bytes()) == (2, first)
    assert "--replace" in refused.err
    assert grader("grade", "tiny_sum", path, "--out", out, "--replace", "--keep").status == 0
    assert [path.read_bytes() for path in out.glob("previous/*/sheet.json")] == [first]
    assert (out / "ada" / "checker.log").exists()


def test_a_list_says_who_is_who_and_whose_variant_it_is(grader: Grader, submission: Write, tmp_path: Path) -> None:
    for name in ("one", "two"):
        submission(name)
    (tmp_path / "list.csv").write_text("candidate,path,variant\nAda L.,one,own\nGrace,two,\n")
    done = grader(
        "grade", "tiny_sum", "--manifest", tmp_path / "list.csv", "--out", tmp_path / "out", "--json", "--jobs", "2"
    )
    assert [(row["candidate"], row["submission"], row["earned"]) for row in done.data] == [
        ("Ada L.", "one", 10.0),
        ("Grace", "two", 10.0),
    ]
    sheets = [json.loads((tmp_path / "out" / name / "sheet.json").read_text()) for name in ("Ada_L", "Grace")]
    assert [sheet["provenance"]["variant"] for sheet in sheets] == ["candidate Ada L.", "shared"]


def test_grading_again_gives_the_same_points(grader: Grader, submission: Write, tmp_path: Path) -> None:
    path, sheets = submission(files={"add.py": WRONG}), []
    for number in range(2):
        grader("grade", "tiny_sum", path, "--candidate", "Ada L.", "--out", tmp_path / str(number), "--fresh")
        sheets.append(json.loads((tmp_path / str(number) / "ada" / "sheet.json").read_text()))
    assert [sheet["candidate"] for sheet in sheets] == ["Ada L."] * 2
    assert sheets[0]["provenance"] == sheets[1]["provenance"]
    assert [check["earned"] for check in sheets[0]["checks"]] == [check["earned"] for check in sheets[1]["checks"]]


def test_fail_under_is_for_scripts(grader: Grader, submission: Write, tmp_path: Path) -> None:
    path = submission(files={"add.py": WRONG})
    assert grader("grade", "tiny_sum", path, "--out", tmp_path / "a", "--fail-under", "20").status == 0
    assert grader("grade", "tiny_sum", path, "--out", tmp_path / "b", "--fail-under", "20.5").status == 1


def test_a_sheet_can_be_shown_exported_and_verified(grader: Grader, submission: Write, tmp_path: Path) -> None:
    grader("grade", "tiny_sum", submission(files={"add.py": WRONG}), "--out", tmp_path / "out")
    sheet = tmp_path / "out" / "ada" / "sheet.json"
    shown = grader("sheet", "show", sheet).out
    assert ("Adds up the numbers" in shown, "has been changed" in shown) == (True, False)
    for name in ("html", "md", "csv", "junit", "gradescope", "json"):
        assert grader("sheet", "export", sheet, "--format", name).status == 0
    assert grader("sheet", "verify", sheet, "--json").data == {
        "genuine": True,
        "known_signer": True,
        "public_key": json.loads(sheet.read_text())["signature"]["public_key"],
    }
    sheet.write_text(sheet.read_text().replace('"earned": 2.0', '"earned": 9.0'))
    assert grader("sheet", "verify", sheet).status == 1
    assert "has been changed since it was signed" in grader("sheet", "show", sheet).out
    forged = grader("sheet", "export", sheet, "--format", "json")
    assert json.loads(forged.out)["signature"] is None or "not genuine" in forged.err


def test_the_candidates_page_tells_nothing_hidden(grader: Grader, submission: Write, tmp_path: Path) -> None:
    program = REFERENCE.replace(
        "    arguments.out.mkdir()\n", "    raise SystemExit('SECRET ' + source.read_text()[:3])\n"
    )
    grader("grade", "tiny_sum", submission(files={"add.py": program}), "--out", tmp_path / "out")
    place = tmp_path / "out" / "ada"
    assert "SECRET" in (place / "sheet.html").read_text()
    for name in ("sheet.candidate.html", "results.json"):
        assert "SECRET" not in (place / name).read_text()
        assert "How would you add up" not in (place / name).read_text()


def test_an_interruption_leaves_no_box_and_no_half_sheet(
    environment: dict[str, str], submission: Write, tmp_path: Path, engine: Engine
) -> None:
    path = submission(
        files={"add.py": REFERENCE.replace("    total =", "    import time; time.sleep(60)\n    total =")}
    )
    command = [sys.executable, "-m", "grader.cli.main", "grade", "tiny_sum", str(path), "--out", str(tmp_path / "out")]
    running = subprocess.Popen(
        command,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        # A suite that runs in the background ignores interruptions, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr is not None
    while "running the checks" not in (line := running.stderr.readline()):
        assert line, "it ended before the first check"
    os.kill(running.pid, signal.SIGINT)
    rest = running.communicate(timeout=60)[1]
    assert running.returncode == 130
    assert "Interrupted" in rest
    assert "Traceback" not in rest
    owners = [
        each.labels["grader.owner"]
        for each in engine.client.containers.list(all=True, filters={"label": "grader.owner"})
    ]
    assert not [owner for owner in owners if f"/{running.pid}/" in owner]
    assert not (tmp_path / "out" / "ada").exists()

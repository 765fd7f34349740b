"""`grader similar`: over the store and over folders, whatever is in them, and never a stranger's word as a program."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from grader.catalog.marks import kit_mark
from grader.cli.main import cli
from grader.errors import UsageError
from grader.keys import Keyring
from grader.store import schema
from grader.wiring import store_at
from tests.unit.cli.conftest import Desk
from tests.unit.similarity.conftest import PROGRAM, RENAMED, program_of

Run = Callable[..., Result]
EVIL = '"""\n</code><script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"""\n'


@pytest.fixture
def run(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GRADER_DATA_DIR", str(desk.settings.data_dir))
    monkeypatch.setenv("GRADER_CONFIG_DIR", str(desk.settings.config_dir))
    monkeypatch.setenv("COLUMNS", "200")

    def invoke(*arguments: object) -> Result:
        command = ["similar", "tiny_sum", "--exercises", desk.stage.source.parent, *arguments]
        return CliRunner().invoke(cli, list(map(str, command)))

    return invoke


def write(desk: Desk, name: str, code: str, **files: bytes) -> None:
    folder = desk.stage.write(name)
    (folder / "add.py").write_text(code)
    for path, content in files.items():
        (folder / path.replace("__", ".")).write_bytes(content)


def graded(desk: Desk, **code: str) -> None:
    for name, text in code.items():
        write(desk, name, text)
    desk.grade(*(desk.stage.folder / "in" / name for name in code))


def pairs(done: Result) -> list[list[str]]:
    assert done.exit_code == 0, done.output
    return [pair["names"] for pair in json.loads(done.stdout)["pairs"]]


def test_over_the_store(desk: Desk, run: Run) -> None:
    graded(desk, ada=PROGRAM, bob=program_of(1), eve=RENAMED)
    done = run("--json", "--batch", "spring")
    assert pairs(done) == [["ada", "eve"]]
    found = json.loads(done.stdout)
    sides = found["pairs"][0]["passages"][0]["sides"]
    assert [(side["path"], side["first"], side["last"]) for side in sides] == [
        ("add.py", 7, 28),
        ("add.py", 4, 26),
    ]
    shown = run().stdout
    assert "3 submissions of 3 people" in shown
    assert "add.py:7-28 and add.py:4-26" in shown
    assert "This changes no score." in shown
    assert isinstance(run("--batch", "autumn").exception, UsageError)
    assert isinstance(run("--batch", "spring", "x").exception, UsageError)


def test_erased_people_and_damaged_artefacts_are_left_out_and_said(desk: Desk, run: Run) -> None:
    graded(desk, ada=PROGRAM, bob=PROGRAM + "# b", cyd=PROGRAM + "# c", eve=RENAMED)
    people, submissions = schema.candidates, schema.submissions
    with store_at(desk.settings.data_dir) as store, store.database.writing() as connection:
        connection.execute(update(people).where(people.c.name == "bob").values(name=None))
        lost = submissions.c.label == "cyd"
        connection.execute(update(submissions).where(lost).values(artefact="0" * 64))
    done = run("--json")
    assert pairs(done) == [["ada", "eve"]]
    notes = json.loads(done.stdout)["notes"]
    assert "1 submissions are of people who were erased, and were not compared." in notes
    assert any(note.startswith("Not compared: the submission cyd of cyd. The artefact") for note in notes)


def test_over_folders(desk: Desk, run: Run) -> None:
    write(desk, "ada", PROGRAM)
    write(desk, "eve", RENAMED, model__bin=b"\0\1")
    (desk.stage.folder / "in" / "bad.zip").write_bytes(b"no archive")
    done = run("--json", *sorted((desk.stage.folder / "in").iterdir()))
    assert pairs(done) == [["ada", "eve"]]
    found = json.loads(done.stdout)
    assert found["left_out"] == [["eve", "model.bin", "no text (2 bytes)"]]
    assert any(note.startswith("Not compared: bad.zip.") for note in found["notes"])


def test_code_of_the_template_does_not_count(desk: Desk, run: Run) -> None:
    (desk.stage.source / "template" / "helper.py").write_text(PROGRAM)
    graded(desk, ada=PROGRAM, eve=RENAMED)
    done = run()
    assert "No two people's submissions have enough in common" in done.stdout


def test_the_page_shows_hostile_code_as_text(desk: Desk, run: Run) -> None:
    graded(desk, ada=PROGRAM.replace("    rows = []\n", f"    rows = {EVIL}"), eve=RENAMED.replace("[]\n", "'a'\n", 1))
    page = desk.stage.folder / "similar.html"
    assert run("--html", page).exit_code == 0
    text = page.read_text()
    assert "&lt;/code&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e" in text
    assert "<script" not in text
    assert "default-src &#39;none&#39;" in text
    assert "What this shows, and what it does not" in text
    assert "<code>    for row in rows:</code>" in text
    assert "<code>        for record in records:" in text


def test_the_mark_of_somebody_elses_kit_is_a_fact(desk: Desk, run: Run) -> None:
    key = Keyring(desk.settings.config_dir).server_key()
    mine, theirs, nobodys = (kit_mark(key, "tiny_sum", name).encode() for name in ("ada", "Eve ", "Zoe"))
    write(desk, "ada", program_of(1), a__bin=b"\0" + mine, b__ipynb=b"{" + theirs + b"}", c__txt=nobodys)
    write(desk, "bob", program_of(2), c__txt=nobodys)
    write(desk, "eve", program_of(3), c__txt=theirs)
    write(desk, "fay", PROGRAM)
    write(desk, "gus", RENAMED)
    desk.grade(*sorted((desk.stage.folder / "in").iterdir()))
    done = run("--json")
    assert pairs(done)[-1] == ["fay", "gus"]  # whoever carries a mark comes first, however little they share
    found = json.loads(done.stdout)
    facts = {tuple(pair["names"]): pair["facts"] for pair in found["pairs"]}
    assert found["marks"] == [
        "The submission of ada carries the mark of the kit of eve, in b.ipynb.",
        "One mark, of somebody who is not known here, is in the submissions of ada, bob.",
    ]
    assert facts == {
        ("ada", "bob"): ["Both carry the mark of one kit, of somebody who is not known here."],
        ("ada", "eve"): ["Both carry the mark of one kit, that of eve."],
        ("fay", "gus"): [],
    }


def test_nobodys_own_mark_is_a_fact_however_their_name_is_written(desk: Desk, run: Run) -> None:
    mark = kit_mark(Keyring(desk.settings.config_dir).server_key(), "tiny_sum", "Ada").encode()
    write(desk, "ada", PROGRAM, c__txt=mark)
    write(desk, "ADA", program_of(1), c__txt=mark)
    desk.grade(*(desk.stage.folder / "in" / name for name in ("ada", "ADA")))
    assert json.loads(run("--json").stdout)["marks"] == []

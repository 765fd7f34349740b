"""`grader kit` marks what it writes for somebody, with the key of this installation."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import grader.wiring
from grader.catalog.marks import kit_mark, marks_in
from grader.cli import kit
from grader.cli.main import cli
from grader.engine.variants import VariantStore
from grader.errors import UsageError
from tests.unit.catalog.conftest import IMAGE
from tests.unit.cli.conftest import Desk


@pytest.mark.parametrize(("words", "marked"), [(["--candidate", " Ada L. "], True), ([], False)])
def test_a_kit_for_somebody_is_marked(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], marked: bool
) -> None:
    data = tmp_path / "public"
    data.mkdir()
    monkeypatch.setattr(grader.wiring, "open_harness", desk.open_harness)
    monkeypatch.setattr(kit, "grading_image", lambda *_: IMAGE)
    monkeypatch.setattr(VariantStore, "data", lambda *_: data)
    folders = ["--exercises", str(desk.stage.source.parent)]
    done = CliRunner().invoke(cli, ["kit", "tiny_sum", str(tmp_path / "kit"), *words, *folders])
    assert done.exit_code == 0, done.output
    mark = kit_mark(desk.stage.harness.keyring.server_key(), "tiny_sum", "Ada L.")
    assert marks_in((tmp_path / "kit" / "submission.toml").read_bytes()) == ({mark} if marked else set())


@pytest.mark.parametrize("verb", [["kit", "tiny_sum", "kit"], ["grade", "tiny_sum", "."]])
@pytest.mark.parametrize("name", ["A\x1b[31mda", " ", "A" * 121])
def test_a_name_that_no_sheet_could_hold_is_refused_in_words(verb: list[str], name: str) -> None:
    with pytest.raises(UsageError, match="one line of 1 to 120 characters"):
        CliRunner().invoke(cli, [*verb, "--candidate", name], standalone_mode=False, catch_exceptions=False)

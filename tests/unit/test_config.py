"""Settings: which source wins, and what a wrong value is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.config import load_settings
from grader.errors import UsageError


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("RUNTIME", "OUT", "NO_INSTALL", "EXERCISES"):
        monkeypatch.delenv(f"GRADER_{name}", raising=False)
    return tmp_path


def test_the_file_beats_the_default(clean_place: Path) -> None:
    (clean_place / "grader.toml").write_text('runtime = "runsc"\n')
    assert load_settings().runtime == "runsc"


def test_a_variable_beats_the_file(clean_place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (clean_place / "grader.toml").write_text('out = "from-file"\n')
    monkeypatch.setenv("GRADER_OUT", "from-variable")
    assert load_settings().out == Path("from-variable")


def test_a_flag_beats_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_OUT", "from-variable")
    assert load_settings(out=Path("from-flag")).out == Path("from-flag")


def test_a_flag_that_was_not_given_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_OUT", "from-variable")
    assert load_settings(out=None).out == Path("from-variable")


def test_several_exercise_folders_in_one_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_EXERCISES", "/one:/two")
    assert load_settings().exercises == (Path("/one"), Path("/two"))


def test_installing_can_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_NO_INSTALL", "1")
    assert load_settings().no_install


@pytest.mark.parametrize("text", ['runtim = "runc"\n', 'runtime = "kata"\n', "runtime = \n"])
def test_a_wrong_file_is_the_users_mistake(clean_place: Path, text: str) -> None:
    (clean_place / "grader.toml").write_text(text)
    with pytest.raises(UsageError, match=r"runtim|grader\.toml") as refused:
        load_settings()
    assert "grader.toml" in refused.value.hint + refused.value.message


def test_the_home_folder_is_meant_by_a_tilde() -> None:
    assert load_settings(cache_dir="~/wheels").cache_dir == Path.home() / "wheels"


def test_an_age_that_nobody_can_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_RETENTION", "two years")
    with pytest.raises(UsageError, match="setting 'retention': 'two years' is not an age: write 90d"):
        load_settings()

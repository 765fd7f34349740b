"""`grader author lint` on the command line: exit status, JSON, recording, and what happens without an engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader.author.scaffolding import write_exercise
from grader.cli import linting
from grader.cli.author import command
from grader.errors import UsageError

Lint = Callable[..., Result]


@pytest.fixture
def exercise(tmp_path: Path) -> Path:
    return write_exercise("order_values", "command", tmp_path / "pack").folder


@pytest.fixture
def lint(exercise: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lint:
    monkeypatch.setenv("GRADER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("GRADER_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("GRADER_DOCKER_HOST", f"unix://{tmp_path}/nobody")

    def run(*options: str) -> Result:
        return CliRunner().invoke(command, ["lint", str(exercise), *options], catch_exceptions=False,
                                  standalone_mode=False)  # fmt: skip

    return run


def test_a_finding_has_file_line_and_what_to_do_and_makes_five(lint: Lint, exercise: Path) -> None:
    checks = exercise / "checks" / "test_b_care.py"
    checks.write_text(checks.read_text().replace('requirement="R3"', 'requirement="R9"'))
    result = lint("--no-kit")
    line = next(n for n, text in enumerate(checks.read_text().splitlines(), 1) if "def test_clean" in text)
    assert result.return_value == 5
    assert f"{checks}:{line}: error [requirements] B1 tests R9, which the brief does not state. Correct it." in (
        result.output.replace("  ", " ")
    )
    assert "order_values: 2 errors, 1 warning" in result.output


def test_machines_get_the_same(lint: Lint) -> None:
    result = lint("--no-kit", "--json")
    assert result.return_value == 0
    (finding,) = json.loads(result.output)
    assert (finding["exercise"], finding["rule"], finding["level"]) == ("order_values", "versions", "warning")


def test_fix_records_the_version_once_nothing_is_wrong(
    lint: Lint, exercise: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linting._Samples, "of", lambda *_: (None, []))  # what the kit gives is another test's
    result = lint("--fix")
    assert "order_values: recorded version 0.1.0 as" in result.output
    assert "order_values: 0 errors, 0 warnings" in result.output
    assert "0.1.0" in (exercise / "versions.toml").read_text()
    (exercise / "brief.md").write_text("Another brief.\n")
    assert lint("--fix").return_value == 5


def test_nothing_is_recorded_of_which_a_part_was_left_out(lint: Lint, exercise: Path) -> None:
    with pytest.raises(UsageError, match="--no-kit leaves out the kit"):
        lint("--no-kit", "--fix")
    assert not (exercise / "versions.toml").exists()


def test_no_exercise_at_all_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_CACHE_DIR", str(tmp_path))
    for verb in ("lint", "prove"):
        with pytest.raises(UsageError, match=f"There is no exercise in {tmp_path}"):
            CliRunner().invoke(command, [verb, "--exercises", str(tmp_path)], catch_exceptions=False,
                               standalone_mode=False)  # fmt: skip


def test_without_an_engine_the_kit_is_a_warning_and_no_version_is_recorded(lint: Lint, exercise: Path) -> None:
    result = lint("--fix")
    assert not (exercise / "versions.toml").exists()
    assert result.return_value == 0
    assert "the kit was not looked at" in result.output
    assert "order_values: 0 errors, 2 warnings" in result.output

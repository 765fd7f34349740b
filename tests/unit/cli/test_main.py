"""Whatever a command meets becomes a message and an exit status."""

from __future__ import annotations

from typing import Any

import pytest

from grader.cli import main as command_line


def ends(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(command_line.cli, "main", fail)
    with pytest.raises(SystemExit) as ended:
        command_line.main([])
    return int(ended.value.code or 0)


def test_a_file_that_cannot_be_used_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(monkeypatch, PermissionError(13, "Permission denied", "/root/x.csv")) == 2
    assert "/root/x.csv cannot be used: Permission denied." in capsys.readouterr().err


def test_nobody_reading_any_more_is_no_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.close", lambda: None)
    assert ends(monkeypatch, BrokenPipeError(32, "Broken pipe")) == 0
    assert capsys.readouterr().err == ""

"""The consoles print what they are given, and obey none of it."""

from __future__ import annotations

import json

import pytest
from rich.table import Table
from rich.text import Text

from grader.cli.console import err, out, print_json
from grader.cli.people import show_people
from grader.cli.progress import progress_bar
from grader.clock import now
from grader.store.people import Person

MARKUP = ["[red]Ada[/red]", "[/]", "[link=http://evil.example]Ada[/link]", ":skull: Ada"]


@pytest.mark.parametrize("name", MARKUP)
def test_people_are_called_what_they_are_called(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    show_people([Person(id="1", name=name, created=now(), hold=name, submissions=1, last=now())], as_json=False)
    assert capsys.readouterr().out.count(name) == 2


@pytest.mark.parametrize("name", MARKUP)
def test_markup_is_text_wherever_it_stands(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = Table(title=name)
    table.add_column(name)
    table.add_row(name)
    console = out(200)
    console.print(table)
    console.print(name, style="red")
    console.print(name, markup=True, emoji=True)
    assert capsys.readouterr().out.count(name) == 5


ESCAPES = "\x1b]0;title\x07\x1b[2Jx\x9b31m\u202eevil\u200b\ud800"
SHOWN = "\\u001b]0;title\\u0007\\u001b[2Jx\\u009b31m\\u202eevil\\u200b\\ud800"


def test_what_a_terminal_would_obey_is_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    out(200).print(f"left out: {ESCAPES}", markup=False, soft_wrap=True)
    err().print(f"left out: {ESCAPES}", style="dim", markup=False, soft_wrap=True)
    shown = capsys.readouterr()
    assert shown.out == f"left out: {SHOWN}\n"
    assert shown.err == f"left out: {SHOWN}\n"


def test_so_it_is_in_a_text_that_nobody_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    out(200).print(Text("\x1b[2Jfetching \u202e", "red"), soft_wrap=True)
    with progress_bar() as bar:
        bar.console.print(Text("\x1b[2J"), soft_wrap=True)
    shown = capsys.readouterr()
    assert shown.out == "\\u001b[2Jfetching \\u202e\n"
    assert "\\u001b[2J\n" in shown.err


def test_paths_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/home/zoe\u0308/" + "a" * 3000
    out().print(path, markup=False, soft_wrap=True)
    assert capsys.readouterr().out == path + "\n"


def test_json_for_machines_holds_nothing_that_a_terminal_would_obey(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"label": ESCAPES + "\u2028\u0085\u00e9"})
    shown = capsys.readouterr().out
    assert json.loads(shown) == {"label": ESCAPES + "\u2028\u0085\u00e9"}
    assert len(shown.splitlines()) == 3
    assert not set(shown) & set("\x1b\x9b\u202e\u200b\u2028\u0085")
    assert "\u00e9" in shown

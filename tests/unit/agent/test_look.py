"""The look at a candidate's Python: certain failures are found, possible ones are left to the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.agent.look import look


def seen(folder: Path, **files: str) -> dict[str, object]:
    for name, text in files.items():
        path = folder / (name.replace("__", "/") + ".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return look(folder, "add.py")


def test_finds_a_syntax_error_with_its_line(tmp_path: Path) -> None:
    found = seen(tmp_path, add="x = 1\ndef f(:\n")
    assert (found["problem"], found["file"], found["line"]) == ("syntax", "add.py", 2)


def test_finds_a_missing_package_behind_a_local_module(tmp_path: Path) -> None:
    found = seen(tmp_path, add="import pkg.helper\n", pkg__helper="\nfrom not_there.x import y\n")
    assert (found["problem"], found["package"], found["line"]) == ("package", "not_there", 2)


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import not_there\nexcept ImportError:\n    pass\n",
        "def f():\n    import not_there\n",
        "if False:\n    import not_there\n",
        "import json, os.path\nfrom collections import abc\nfrom . import x\n",
        "import local\n",
    ],
    ids=["optional", "in a function", "conditional", "standard library", "local"],
)
def test_leaves_what_may_work_alone(tmp_path: Path, text: str) -> None:
    assert seen(tmp_path, add=text, local="import add\n")["ok"] is True


@pytest.mark.parametrize(
    ("text", "guarded"),
    [("if __name__ == '__main__':\n    pass\n", True), ("main()\n", False), ("if '__main__' == __name__: pass", True)],
)
def test_tells_whether_importing_starts_the_work(tmp_path: Path, text: str, guarded: bool) -> None:
    assert seen(tmp_path, add=text)["guarded"] is guarded


def test_finds_modules_beside_an_entry_point_in_a_folder(tmp_path: Path) -> None:
    seen(tmp_path, add="", src__main="import near\nimport far\n", src__near="", lib__far="")
    assert look(tmp_path, "src/main.py")["ok"] is True


def test_null_bytes_are_a_syntax_error(tmp_path: Path) -> None:
    (tmp_path / "add.py").write_bytes(b"x = 1\0")
    assert look(tmp_path, "add.py")["problem"] == "syntax"

"""The runner: what it takes for a notebook, and what it reports of a run in a real kernel."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.agent import notebook_runner
from grader.agent.notebook_runner import Report, Unusable, named_kernel, plain, read_notebook, without_leftovers
from tests.decisions import make_notebook


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "decision.ipynb"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"nonsense", "format"),
        (b"[]", "format"),
        (b"{}", "format"),
        (b'{"nbformat": "4"}', "format"),
        (make_notebook("1", nbformat=3).encode(), "format"),
        (make_notebook("1", nbformat=5).encode(), "format"),
        (b"\xff", "format"),
        (b"[" * 100_000, "format"),
    ],
)
def test_what_is_no_notebook_has_a_code(file: Path, content: bytes, code: str) -> None:
    file.write_bytes(content)
    with pytest.raises(Unusable) as refused:
        read_notebook(file)
    assert refused.value.code == code


def test_a_mark_of_windows_editors_is_read_over(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + make_notebook("1").encode())
    assert read_notebook(file)["nbformat"] == 4


def test_links_folders_and_pipes_are_not_opened(tmp_path: Path, file: Path) -> None:
    import os

    for make, code in ((lambda: file.symlink_to("/etc/passwd"), "missing"), (lambda: os.mkfifo(file), "format")):
        make()
        with pytest.raises(Unusable) as refused:
            read_notebook(file)
        assert refused.value.code == code
        file.unlink()
    with pytest.raises(Unusable, match="cannot be opened"):
        read_notebook(file)


def test_size_is_bounded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_runner, "FILE_CAP", 100)
    file.write_text(make_notebook("1" * 200))
    with pytest.raises(Unusable) as refused:
        read_notebook(file)
    assert refused.value.code == "too_large"


def test_outputs_tags_and_metadata_are_left_behind() -> None:
    content = json.loads(make_notebook("a = 1", "  ", metadata={"kernelspec": {"name": "ir"}}))
    bare = without_leftovers(content)
    assert bare["metadata"] == {}
    assert bare["cells"] == [
        {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": "a = 1"}
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cells": 3}, "format"),
        ({"cells": [3]}, "format"),
        ({"cells": [{"cell_type": "code", "source": 3}]}, "format"),
        ({"cells": [{"cell_type": "code", "source": "1"}] * 201}, "too_large"),
    ],
)
def test_cells_that_are_none(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Unusable) as refused:
        without_leftovers({"nbformat": 4, **changes})
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("metadata", "shown"),
    [
        ({"kernelspec": {"name": "ir", "language": "R"}}, "ir (R)"),
        ({"kernelspec": {"name": "python3"}}, "python3"),
        ({"kernelspec": {"name": "\x1b[31m" + "x" * 100}}, "x" * 59 + "…"),
        ({"kernelspec": 3}, ""),
        ({}, ""),
        (3, ""),
    ],
)
def test_the_kernel_that_is_named(metadata: object, shown: str) -> None:
    assert named_kernel({"metadata": metadata}) == shown


def test_messages_are_one_short_plain_line() -> None:
    assert plain("\n\x1b[31mbad\x1b[0m\tthing\nmore") == "bad thing"
    assert len(plain("x" * 1000)) == 300
    assert plain("a\ud800b").isprintable()


def test_the_report_is_whole_after_every_cell(tmp_path: Path) -> None:
    path = tmp_path / "out" / "report.json"
    report = Report(path)
    report.begin("python3", 2)
    report.cell(1, "ok", 0.5)
    assert json.loads(path.read_text())["cells"] == [
        {"number": 1, "status": "ok", "seconds": 0.5, "error": "", "message": ""}
    ]
    report.problem("kernel", "gone\nfor good")
    found = json.loads(path.read_text())
    assert (found["problem"], found["message"], found["total"], report.reported) == ("kernel", "gone", 2, 1)


def run(folder: Path, *cells: str, seconds: float = 30) -> dict[str, Any]:
    """Run cells as the box does."""
    (folder / "decision.ipynb").write_text(make_notebook(*cells))
    program, report = Path(notebook_runner.__file__), folder / "report.json"
    argv = [sys.executable, "-I", str(program), "decision.ipynb", str(seconds), str(report)]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=120)
    found: dict[str, Any] = json.loads(report.read_text())
    return found


def test_cells_run_in_order_until_one_fails(tmp_path: Path) -> None:
    found = run(tmp_path, "x = 1", "open('seen', 'w').write(str(x))", "1 / 0", "open('never', 'w')")
    assert [(cell["status"], cell["error"], cell["message"]) for cell in found["cells"]] == [
        ("ok", "", ""),
        ("ok", "", ""),
        ("error", "ZeroDivisionError", "division by zero"),
    ]
    assert (found["total"], (tmp_path / "seen").read_text(), (tmp_path / "never").exists()) == (4, "1", False)


def test_a_cell_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    found = run(tmp_path, "1", "while True: pass", "2", seconds=2)
    assert [cell["status"] for cell in found["cells"]] == ["ok", "timeout"]


def test_a_kernel_that_dies_is_reported(tmp_path: Path) -> None:
    found = run(tmp_path, "import os\nos._exit(1)", "2")
    assert [cell["status"] for cell in found["cells"]] == ["died"]


def test_input_is_refused_and_shell_escapes_run(tmp_path: Path) -> None:
    found = run(tmp_path, "!touch touched", "input()")
    assert [(cell["status"], cell["error"]) for cell in found["cells"]] == [
        ("ok", ""),
        ("error", "StdinNotImplementedError"),
    ]
    assert (tmp_path / "touched").exists()


def test_printing_without_end_is_stopped(tmp_path: Path) -> None:
    code = "from grader.agent import notebook_runner as runner; runner.PRINTED_CAP = 1000; runner.main()"
    (tmp_path / "n.ipynb").write_text(make_notebook("print('x' * 5000)\nimport time\ntime.sleep(60)", "1"))
    argv = [sys.executable, "-c", code, "n.ipynb", "30", "report.json"]
    environment = {"PYTHONPATH": str(Path(__file__).parents[3]), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run(argv, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
    found = json.loads((tmp_path / "report.json").read_text())
    assert [cell["status"] for cell in found["cells"]] == ["flooded"]

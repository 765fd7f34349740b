"""What is read of a submission, and what is left out and said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grader.similarity.sources import FILE_CAP, NOTEBOOK_CAP, SOURCES_CAP, read_public, read_submission
from tests.unit.similarity.conftest import submission_of

DIGITS = str.maketrans("0123456789", "abcdefghij")  # the letters of base32 have no 0, 1, 8 or 9


def cell(source: object, kind: str = "code") -> dict[str, object]:
    return {"cell_type": kind, "source": source}


def test_code_and_cells_are_read_and_other_text_is_not() -> None:
    notebook = json.dumps({"cells": [cell("# Title", "markdown"), cell(["a = 1\n", "b = 2"]), cell("c")]})
    found = read_submission(submission_of(a__py="x\r\ny", n__ipynb=notebook, q__sql="select", notes__md="hi"))
    assert [(each.path, each.text, each.language) for each in found.sources] == [
        ("a.py", "x\ny", "python"),
        ("n.ipynb", "# cell 2\na = 1\nb = 2\n\n# cell 3\nc\n", "python"),
        ("q.sql", "select", "sql"),
    ]
    assert found.left_out == ()


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("model__bin", b"\0\1", "no text (2 bytes)"),
        ("a__py", b"x = 1\0", "no text, whatever its name says"),
        ("a__py", b"x\n" * FILE_CAP, "512.0 KiB, more than"),
        ("a__py", b"x" * 2001, "has lines of more than 2000 characters"),
        ("a__ipynb", b"{", "no notebook that can be read"),
        ("a__ipynb", b"[" * 100_000, "no notebook that can be read"),
        ("a__ipynb", b" " * (NOTEBOOK_CAP + 1), "4.0 MiB, more than"),
        ("a__ipynb", b'{"cells": 3}', "no notebook that can be read"),
        ("a__ipynb", b'{"cells": [{"cell_type": "code", "source": "' + b"x\\n" * FILE_CAP + b'"}]}', "longer than"),
    ],
)
def test_what_cannot_be_compared_is_named(name: str, content: bytes, why: str) -> None:
    found = read_submission(submission_of(**{name: content, "good__py": "x = 1"}))
    assert [each.path for each in found.sources] == ["good.py"]
    assert [(each.path, why in each.why) for each in found.left_out] == [(name.replace("__", "."), True)]


def test_odd_cells_are_passed_over() -> None:
    cells = [3, {"cell_type": "code"}, cell(["a", 3]), cell({"x": 1})]
    found = read_submission(submission_of(n__ipynb=json.dumps({"cells": cells})))
    assert [each.text for each in found.sources] == ["# cell 3\na\n"]


def test_a_submission_of_very_many_files_is_cut() -> None:
    files = {f"m{number:03}__py": "x = 1\n" for number in range(SOURCES_CAP + 2)}
    found = read_submission(submission_of(a__py="y = 1  # the longest\n", b__py=b"\0", **files))
    assert len(found.sources) == SOURCES_CAP
    assert [each.path for each in found.left_out] == ["a.py", "b.py", "m100.py", "m101.py"]


def test_bytes_that_are_no_utf_8_are_shown_as_such() -> None:
    assert read_submission(submission_of(a__py=b"x = '\xff'")).sources[0].text == "x = '\N{REPLACEMENT CHARACTER}'"


def test_data_that_came_with_the_kit_are_no_data_of_the_person() -> None:
    big = b"x" * 2000
    whole = {"kit__toml": b'[pack]\nleft_out = ["raw", "brief.md"]\n', "brief__md": big, "raw/a__csv": b"1" + big}
    found = read_submission(submission_of(**whole, rawer__csv=b"2" + big, out__bin=b"3" + big))
    assert sorted(found.data.values()) == ["out.bin", "rawer.csv"]
    for broken in (b"left_out = [", b"left_out = [3, {}]", b'left_out = [""]'):
        assert len(read_submission(submission_of(kit__toml=broken, a__csv=big)).data) == 1


def test_marks_without_end_are_not_kept_without_end() -> None:
    words = b" ".join(b"kit-" + f"{number:024d}".translate(DIGITS).encode() for number in range(300))
    found = read_submission(submission_of(a__txt=words, b__txt=words[::-1], c__txt=words[12000:]))
    assert len(found.marks) == 100


def test_of_a_kits_settings_only_the_beginning_is_read() -> None:
    late = b"#" * 70_000 + b'\nleft_out = ["raw"]\n'
    files = {"kit__toml": late, "raw/a__csv": b"x" * 2000}
    assert "raw/a.csv" in read_submission(submission_of(**files)).data.values()


def test_what_everybody_was_given_is_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "template" / "__pycache__").mkdir(parents=True)
    (tmp_path / "template" / "a.py").write_text("x = 1\n")
    (tmp_path / "template" / "__pycache__" / "a.py").write_text("no\n")
    (tmp_path / "template" / "b.py").symlink_to(tmp_path / "template" / "a.py")
    (tmp_path / "brief.md").write_text("b" * 2000)
    found = read_public([tmp_path / "template", tmp_path / "brief.md"])
    assert [each.text for each in found.sources] == ["x = 1\n"]
    assert list(found.data.values()) == ["brief.md"]

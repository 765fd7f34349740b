"""Where two runs of a generator first differ."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grader.checker.comparing import Difference, first_difference

Texts = dict[str, str]


def written(folder: Path, texts: Texts) -> Path:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("first", "again", "expected"),
    [
        ({"a.csv": "x,y\n1,2\n"}, {"a.csv": "x,y\n1,2\n"}, None),
        ({"a.csv": "x,y\n1,2\n3,4\n"}, {"a.csv": "x,y\n1,2\n3,5\n"}, ("a.csv", "y", "row 2: 4, then 5")),
        ({"a.csv": "x\n1\n"}, {"a.csv": "x\n1\n2\n"}, ("a.csv", "x", "1 rows, then 2")),
        ({"a.csv": "x,y\n1,1\n"}, {"a.csv": "y,x\n1,1\n"}, ("a.csv", "", "the columns come in another order")),
        ({"a.csv": "x\n1\n"}, {"a.csv": "z\n1\n"}, ("a.csv", "x", "one run wrote it, the other did not")),
        ({"a.csv": "x\n1\n"}, {"a.csv": "x\r\n1\r\n"}, ("a.csv", "", "line 1 differs")),
        ({"a.json": '{"b": [1, 2]}'}, {"a.json": '{"b": [1, 3]}'}, ("a.json", "b[1]", "row 1: 2, then 3")),
        ({"a.txt": "1\n2\n"}, {"a.txt": "1\n3\n"}, ("a.txt", "", "line 2 differs")),
        ({"b/c.txt": "1"}, {"a.txt": "1"}, ("a.txt", "", "one run wrote it, the other did not")),
        ({"a.json": "not json"}, {"a.json": "nor this"}, ("a.json", "", "line 1 differs")),
    ],
)  # fmt: skip
def test_the_first_difference(tmp_path: Path, first: Texts, again: Texts, expected: tuple[str, ...] | None) -> None:
    found = first_difference(written(tmp_path / "first", first), written(tmp_path / "again", again))
    assert found == (Difference(**dict(zip(("file", "column", "what"), expected, strict=True))) if expected else None)


def test_columns_and_metadata_of_parquet(tmp_path: Path) -> None:
    table = pa.table({"x": [1, 2], "y": [float("nan"), None]})
    for name, changed in {"first": table, "again": table.set_column(0, "x", pa.array([1, 3]))}.items():
        (tmp_path / name).mkdir()
        pq.write_table(changed, tmp_path / name / "t.parquet")
    assert first_difference(tmp_path / "first", tmp_path / "again") == Difference(
        file="t.parquet", column="x", what="row 2: 2, then 3"
    )
    pq.write_table(table.replace_schema_metadata({"made": "now"}), tmp_path / "again" / "t.parquet")
    found = first_difference(tmp_path / "first", tmp_path / "again")
    assert found is not None
    assert (found.column, found.what[:29]) == ("", "the columns hold the same, bu")

"""A list of candidates: what is read, and what is refused before anything is graded."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.intake.candidates import Row, read_candidates
from grader.intake.names import as_kept, is_name

HEAD = "candidate,path,variant,extra_time\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).touch()
    return tmp_path


def read(folder: Path, text: str | bytes) -> list[Row]:
    file = folder / "candidates.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_candidates(file)


def test_a_row_for_each_candidate(folder: Path) -> None:
    rows = read(
        folder, '\ufeffpath,candidate,extra_time,variant\r\na.zip,"Lovelace, Ada",1.25,own\r\n\r\nb.zip,Grace,,\r\n'
    )
    assert rows == [
        Row(candidate="Lovelace, Ada", path=folder / "a.zip", variant_of="Lovelace, Ada", extra_time=1.25),
        Row(candidate="Grace", path=folder / "b.zip", variant_of=None, extra_time=None),
    ]


def test_columns_may_be_separated_as_in_countries_with_a_decimal_comma(folder: Path) -> None:
    rows = read(folder, 'candidate;path\r\n"Lovelace, Ada";a.zip\r\nGrace;b.zip\r\n')
    assert [(row.candidate, row.path) for row in rows] == [
        ("Lovelace, Ada", folder / "a.zip"), ("Grace", folder / "b.zip"),
    ]  # fmt: skip


def test_a_variant_may_be_somebody_elses(folder: Path) -> None:
    rows = read(folder, HEAD + "Ada,a.zip,own,\nGrace,b.zip,Ada,\n")
    assert [row.variant_of for row in rows] == ["Ada", "Ada"]


def test_a_person_is_the_same_however_an_accent_is_written(folder: Path) -> None:
    rows = read(folder, HEAD + "Zoe\u0308,a.zip,own,\nGrace,b.zip,Zoe\u0308,\n")
    assert [(row.candidate, row.variant_of) for row in rows] == [("Zo\u00eb", "Zo\u00eb"), ("Grace", "Zo\u00eb")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("candidate,file\nAda,a.zip\n", ":1: there is no column 'file'"),
        ("candidate,Path\nAda,a.zip\n", "Did you mean 'path'?"),
        ("candidate\nAda\n", ":1: the column 'path' is missing"),
        ("", ":1: the column 'candidate' is missing"),
        ('"candidate"x,path\nAda,a.zip\n', ":1: ',' expected after"),
        ("x" * 200_000 + ",path\nAda,a.zip\n", ":1: field larger than"),
        (HEAD + "Zo\u00eb,a.zip,,\nZoe\u0308,b.zip,,\n", ":3: Zo\u00eb is named in line 2 already"),
        (HEAD, "names no candidates"),
        (HEAD + "Ada,a.zip,,\nAda,b.zip,,\n", ":3: Ada is named in line 2 already"),
        (HEAD + "Ada,a.zip,,\nGrace,./a.zip,,\n", "a.zip is named in line 2 already"),
        (HEAD + "Ada,c.zip,,\n", ":2: "),
        (HEAD + "Ada,https://example.com/a.zip,,\n", ":2: 'https://example.com/a.zip' is an address"),
        (HEAD + "Ada,ext::sh -c id .git,,\n", "is an address"),
        (HEAD + "Ada,--upload-pack=id.git,,\n", "does not exist"),
        (HEAD + "Ada,git@h:w.git,,\nGrace,git@h:w.git,,\n", ":3: git@h:w.git is named in line 2 already"),
        (HEAD + "Ada,a.zip,Gracie,\nGrace,b.zip,,\n", "who is no candidate in this file. Did you mean 'Grace'?"),
        (HEAD + "Ada,a.zip,,1.2.5\n", ":2: extra_time is '1.2.5'"),
        (HEAD + "Ada,a.zip,,0.5\n", "no factor from 1 to 10"),
        (HEAD + "Ada,a.zip,,nan\n", "no factor from 1 to 10"),
        (HEAD + ",a.zip,,\n", ":2: candidate is empty"),
        (HEAD + "Ada,,,\n", ":2: path is empty"),
        (HEAD + "Ada,a.zip,,1,1\n", ":2: there are more values than columns"),
        (HEAD + '"Ada,a.zip,,1\n', "unexpected end of data"),
        (HEAD + "A\x07da,a.zip,,1\n", "must be one line"),
        (b"candidate,path\nJos\xe9,a.zip\n", "is not UTF-8"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(folder: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(folder, text)
    assert said in caught.value.message
    assert caught.value.hint or "one line" in said


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_candidates(tmp_path / "none.csv")


def test_accents_without_end_are_not_put_in_order() -> None:
    assert as_kept("e\u0301 ") == "\u00e9"
    heap = "e" + "\u0300\u0316" * 1_000
    assert as_kept(heap) == heap
    assert not is_name(heap)

"""Bent bytes through every parser that reads what strangers made: refused with a reason, or read; never anything else.

`make fuzz` runs ten thousand cases of each, `make test` a few.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grader.agent import notebook_runner
from grader.clock import Deadline
from grader.errors import FrameError, SubmissionRejected
from grader.frames import REFUSAL, REPLY, Frame, encode
from grader.intake.limits import MIB, IntakeLimits
from grader.intake.receive import receive
from grader.model.reasons import Rejection
from grader.sandbox.channel import Channel, Refusal
from tests.fuzz.mutation import CASES, bent
from tests.fuzz.reader import DECODED, SCHEMA, Reader
from tests.unit.intake.test_properties import SAMPLES as ARCHIVES

pytestmark = pytest.mark.fuzz

NONCE = bytes(16)
LIMITS = IntakeLimits(unpacked=4 * MIB)
FRAMES = [
    encode(Frame(REPLY, 1, {"status": 0, "entries": [["a", "file", 3]], "end": True}, b"body" * 9), NONCE),
    encode(Frame(REFUSAL, 1, {"code": "timeout", "message": "no"}), NONCE),
    encode(Frame(REPLY, 1, {"deep": [[[{"a": [1.5, None, "\u00e4"]}]]]}), NONCE) * 2,
]


class Peer:
    """A box that sends bytes that are there already."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Take it."""

    def read_exactly(self, size: int, deadline: Deadline) -> bytes:
        """Give the next bytes."""
        data = self._data.read(size)
        if len(data) < size:
            raise EOFError
        return data


def test_no_frame_of_strangers_is_more_than_a_broken_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.sandbox.channel.secrets.token_bytes", lambda _: NONCE)
    seen: Counter[str] = Counter()
    for data in [*FRAMES, *bent(FRAMES)]:
        channel = Channel(Peer(data))  # type: ignore[arg-type]
        try:
            channel.request("file.list", {}, Deadline(5))
            seen["read"] += 1
        except (FrameError, EOFError, Refusal) as error:
            seen[type(error).__name__] += 1
    assert seen.total() == len(FRAMES) + CASES
    assert seen["read"] >= 2, "what nobody bent is read, and a refusal is one"
    assert seen["Refusal"]
    assert seen["FrameError"]


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield Path(place)


def test_no_archive_of_strangers_is_more_than_refused(folder: Path) -> None:
    path, odd = folder / "handed-in", 0
    seen: Counter[str] = Counter()
    for data in [*ARCHIVES, *bent(ARCHIVES)]:
        path.write_bytes(data)
        try:
            submission = receive(path, LIMITS)
            seen["read"] += 1
            assert sum(len(file.content) for file in submission.files) <= LIMITS.unpacked
        except SubmissionRejected as error:
            seen[error.reason] += 1
            odd += not error.message.isprintable()
    assert seen.total() == len(ARCHIVES) + CASES
    assert seen["read"] >= len(ARCHIVES), "what nobody bent is read"
    assert seen[Rejection.BAD_ARCHIVE]
    assert odd == 0
    assert [each.name for each in folder.iterdir()] == ["handed-in"]


NOTEBOOK = {
    "cells": [{"cell_type": "code", "source": ["a = 1\n"], "outputs": [], "metadata": {}, "id": "a"}] * 2,
    "metadata": {"kernelspec": {"name": "python3"}},
    "nbformat": 4,
    "nbformat_minor": 5,
}


def test_no_notebook_of_strangers_is_more_than_refused(folder: Path) -> None:
    path, sample = folder / "decision.ipynb", json.dumps(NOTEBOOK).encode()
    seen: Counter[str] = Counter()
    for data in [sample, *bent([sample])]:
        path.write_bytes(data)
        try:
            content = notebook_runner.without_leftovers(notebook_runner.read_notebook(path))
            notebook_runner.named_kernel(content)
            notebook_runner.validated(content)
            seen["read"] += 1
        except notebook_runner.Unusable:
            seen["refused"] += 1
    assert seen.total() == 1 + CASES
    assert seen["read"], "what nobody bent is read"
    assert seen["refused"]


def tables() -> list[bytes]:
    """Tables of several kinds, as writers write them."""
    rows = 50
    plain = pa.table(
        {"id": range(rows), "name": [f"n{n % 7}" for n in range(rows)], "price": [Decimal(n) / 2 for n in range(rows)]}
    ).cast(SCHEMA)
    odd = pa.table({"id": [[1], [2, 3]], "name": [{"a": 1}, None]})
    kinds = [("zstd", True, "2.6"), ("snappy", False, "1.0"), ("none", True, "2.6"), ("gzip", False, "2.4")]
    found = [
        _parquet(plain, compression=compression, use_dictionary=dictionary, version=version, row_group_size=20)
        for compression, dictionary, version in kinds
    ]
    return [*found, _parquet(odd), _parquet(plain, data_page_version="2.0", write_page_index=True)]


def _parquet(table: pa.Table, **options: object) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def answers() -> list[bytes]:
    """What the throwaway process writes."""
    sink = io.BytesIO()
    sink.write(json.dumps({"deviations": []}).encode() + b"\n")
    table = pa.table({"id": [1, 2], "name": ["a", None], "price": [Decimal(1), None]}).cast(SCHEMA)
    with pa.ipc.new_stream(sink, SCHEMA) as stream:
        stream.write_table(table)
    return [sink.getvalue(), json.dumps({"reason": "format", "message": "is no table."}).encode() + b"\n"]


def as_table(data: bytes) -> bytes:
    """Give bent bytes the ends of a table, so that readers look further than at them."""
    return b"PAR1" + data[4:-4] + b"PAR1"


def _said(kind: str, samples: list[bytes]) -> Counter[str]:
    reader, seen = Reader(kind), Counter[str]()
    try:
        for data in bent(samples):
            said = reader.read(as_table(data) if kind == "table" else data)
            seen[said.partition(":")[0]] += 1
            assert not said.startswith("raised"), said
    finally:
        reader.close()
    return seen


def test_no_table_of_strangers_raises_in_its_reader() -> None:
    """A reader that is ended by a signal is a throwaway process: its check fails, and nothing else."""
    seen = _said("table", tables())
    assert seen.total() == CASES
    assert seen["refused"]
    assert seen["read"]
    assert seen["ended"] <= CASES // 100, "so many would be worth a look"


def test_no_answer_of_a_bent_reader_ends_the_checker() -> None:
    seen = _said("answer", answers())
    assert seen.total() == CASES
    assert seen["refused"]
    assert not seen["ended"]


def test_bending_changes_what_it_bends() -> None:
    assert DECODED > 0
    assert sum(data not in FRAMES for data in bent(FRAMES, 100)) > 90

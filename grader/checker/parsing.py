"""Parsing of a candidate's tables in a throwaway process.

A parser that is crashed or made to eat memory takes only that process with it: a failed check,
not a lost run. What comes back is Arrow data of the expected schema and nothing else, and is
validated in full before use. The process is a new interpreter, not a fork: a fork of a process
that already used pyarrow was seen to abort under a memory limit.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.agent.processes import offer_to_oom_killer
from grader.checker.api import SubmissionFailed
from grader.frames import BrokenFrame, strict_json
from grader.model.reasons import Reason

if TYPE_CHECKING:
    import pyarrow as pa

PARSE_SECONDS = 60
CHILD = Path(__file__).with_name("parse_child.py")


@dataclass(frozen=True, slots=True)
class TableRead:
    """A table of the expected schema, and how the file differed from it."""

    table: pa.Table
    deviations: tuple[str, ...]


def read_table(path: Path, schema: pa.Schema, *, name: str, decoded_bytes: int) -> TableRead:
    """Read a Parquet file that a candidate's program wrote.

    Args:
        path: The file, in the checker box.
        schema: Names, order and types of the table that comes back.
        name: What to call the file in messages.
        decoded_bytes: Most that the table may take in memory.

    Raises:
        SubmissionFailed: Not Parquet, damaged, too many columns or row groups, or too large.
    """
    request = {
        "schema": base64.b64encode(schema.serialize().to_pybytes()).decode(),
        "decoded_bytes": decoded_bytes,
    }
    with path.open("rb") as content:
        try:
            done = subprocess.run(  # noqa: S603 - fixed program, no shell
                [sys.executable, "-I", str(CHILD), json.dumps(request)],
                stdin=content,
                capture_output=True,
                env={},
                preexec_fn=offer_to_oom_killer,  # where memory runs out, a check is lost and not this box
                timeout=PARSE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise SubmissionFailed(Reason.INVALID, f"{name} takes too long to read.") from error
    return _answer(done, schema, name)


def _answer(done: subprocess.CompletedProcess[bytes], schema: pa.Schema, name: str) -> TableRead:
    """Read what the process wrote. A file may have made it its own, so this too is a stranger's."""
    import pyarrow as pa

    try:
        return _believed(done, schema, name)
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, MemoryError) as error:
        raise SubmissionFailed(Reason.INVALID, f"{name} cannot be read.") from error


def _believed(done: subprocess.CompletedProcess[bytes], schema: pa.Schema, name: str) -> TableRead:
    import pyarrow as pa

    end = done.stdout.find(b"\n")
    try:
        header = strict_json(done.stdout[:end]) if end >= 0 else None
    except BrokenFrame:
        header = None
    if done.returncode != 0 or not isinstance(header, dict):
        raise SubmissionFailed(Reason.INVALID, f"{name} cannot be read: it is damaged, or needs too much memory.")
    if "reason" in header:
        raise SubmissionFailed(Reason(header["reason"]), f"{name} {str(header['message'])[:400]}")
    # A view and no copy: together with the other tables of a run it would be too much for this box.
    with pa.ipc.open_stream(memoryview(done.stdout)[end + 1 :]) as stream:
        table = stream.read_all()
    table.validate(full=True)
    if not table.schema.equals(schema, check_metadata=False):
        raise SubmissionFailed(Reason.INVALID, f"{name} cannot be read.")
    return TableRead(table, tuple(str(each)[:400] for each in header["deviations"]))

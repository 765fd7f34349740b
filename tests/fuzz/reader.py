"""A process that reads bent bytes with the parsers of `grader.checker`, piece by piece, and says how it went.

A new interpreter for every piece, as in grading, would cost half a second each. Here many pieces share one, under
the same limits; the test starts another one when it ends.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import BinaryIO

import pyarrow as pa

from grader.checker import parse_child
from grader.checker.api import SubmissionFailed
from grader.checker.parsing import _answer

SCHEMA = pa.schema([("id", pa.int64()), ("name", pa.string()), ("price", pa.decimal128(12, 2))])
MEMORY = 4 * 1024**3
DECODED = 16 * 1024**2


def read_table(content: bytes) -> str:
    """Read bytes as the throwaway process does."""
    try:
        _, deviations = parse_child.convert(parse_child.read(content, DECODED), SCHEMA)
    except parse_child.Unreadable as refused:
        return f"refused: {refused.args[0]}"
    except (pa.ArrowException, OSError, MemoryError, ValueError) as error:
        return f"refused: {type(error).__name__}"
    return f"read: {len(deviations)}"


def read_answer(content: bytes) -> str:
    """Read bytes as if the throwaway process had written them."""
    done = subprocess.CompletedProcess([], 0, stdout=content, stderr=b"")
    try:
        return f"read: {_answer(done, SCHEMA, 'x').table.num_rows}"
    except SubmissionFailed as failed:
        return f"refused: {failed.reason}"


READERS = {"table": read_table, "answer": read_answer}


def main() -> None:
    """Serve until stdin ends: a length, that many bytes; a line of JSON comes back."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    pa.set_cpu_count(1)
    read, stdin = READERS[sys.argv[1]], sys.stdin.buffer
    while size := stdin.read(4):
        content = stdin.read(int.from_bytes(size, "big"))
        try:
            said = read(content)
        except Exception as error:
            said = f"raised: {type(error).__name__}: {error}"
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


class Reader:
    """The other side: sends pieces, starts another process where one has ended."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, content: bytes) -> str:
        """Return what the process said, or how it ended."""
        if self._process is None:
            command = [sys.executable, "-m", "tests.fuzz.reader", self._kind]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        stdin, stdout = _pipes(self._process)
        try:
            stdin.write(len(content).to_bytes(4, "big") + content)
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if line:
            return str(json.loads(line))
        return f"ended: {self.close()}"

    def close(self) -> int:
        """End the process; return its exit status."""
        process, self._process = self._process, None
        if process is None:
            return 0
        for pipe in _pipes(process):
            pipe.close()
        return process.wait(30)


def _pipes(process: subprocess.Popen[bytes]) -> tuple[BinaryIO, BinaryIO]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout  # type: ignore[return-value]


if __name__ == "__main__":
    main()

"""Scoring processes: python -m risk.worker FOLDER VERSION FD... makes one for each descriptor.

Each serves one job after the other until the front is gone. The libraries are imported once, and before the processes
part, which halves the work of a start.
"""

from __future__ import annotations

import json
import marshal
import os
import signal
import socket
import sys
import warnings
from pathlib import Path
from typing import Any

from risk.frames import HEAD, pack


def read(connection: socket.socket, size: int) -> bytes | None:
    """Exactly so many bytes; None at the end."""
    parts = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Worker:
    """Holds the versions that were loaded in this process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shared: Any = None
        self.versions: dict[str, Any] = {}

    def load(self, name: str) -> tuple[Any, ...]:
        """Verify and load a version; the rates and the customers come with the first one."""
        from risk.scoring import Corrupt, Shared, Version

        try:
            if self.shared is None:
                self.shared = Shared(self.folder)
            if name not in self.versions:
                self.versions[name] = Version(self.folder, name, self.shared)
        except Corrupt as error:
            return "corrupt", str(error)
        return ("ok",)

    def rows(self, version: str, rows: list[Any]) -> tuple[Any, ...]:
        """Score single rows that the front has checked, gathered from several requests."""
        return "ok", self.versions[version].score(rows)

    def batch(self, version: str, raw: bytes) -> tuple[Any, ...]:
        """Check and score the body of a batch."""
        from risk.validate import Refusal, check_batch

        try:
            checked = check_batch(raw)
        except Refusal as refusal:
            return "bad", json.dumps({"detail": refusal.problems}).encode()
        scored = self.versions[version].score([row[2] for row in checked])
        return "ok", [(row[0], row[1], *each) for row, each in zip(checked, scored, strict=True)]


def prepare(folder: Path, version: str) -> None:
    """Import what the version to serve first will need; what is wrong with it is told when it is loaded."""
    import joblib  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    import risk.scoring  # noqa: F401

    try:
        kind = json.loads((folder / version / "meta.json").read_text(encoding="utf-8"))["format"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if kind == "xgboost-ubj":
        import xgboost  # noqa: F401
    else:
        import sklearn.ensemble  # noqa: F401


def main(folder: Path, version: str, descriptors: list[int]) -> None:
    """Serve until the front closes its end, whatever signals come: the front decides when all jobs are done."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    prepare(folder, version)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # The one thread there may be is that of Arrow's allocator (jemalloc), which knows how to be forked.
    warnings.simplefilter("ignore", DeprecationWarning)
    mine, *others = descriptors
    for each in others:
        if os.fork() == 0:
            mine = each
            break
    for each in descriptors:  # a descriptor that is open in two processes would hide that one of them ended
        if each != mine:
            os.close(each)
    serve(socket.socket(fileno=mine), Worker(folder))


def serve(connection: socket.socket, worker: Worker) -> None:
    """One job after the other."""
    jobs = {"load": worker.load, "rows": worker.rows, "batch": worker.batch}
    while (head := read(connection, HEAD.size)) and (content := read(connection, HEAD.unpack(head)[0])):
        kind, *given = marshal.loads(content)
        try:
            answer = jobs[kind](*given)
        except Exception as error:
            print(f"worker: {kind}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            answer = ("error", f"{type(error).__name__}: {error}")
        connection.sendall(pack(answer))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], [int(each) for each in sys.argv[3:]])
    except OSError:
        pass
    os._exit(0)

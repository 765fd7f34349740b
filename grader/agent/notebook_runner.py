"""Runs a notebook from top to bottom in a fresh kernel, and says what became of every cell.

A program of its own inside the submission box, started like any other and belonging to the candidate.
Stored outputs, tags and the kernel that the notebook names are ignored: it is always python3, an error
always ends it, nothing is asked on stdin. What cells print is counted and dropped.

    python -I notebook_runner.py NOTEBOOK SECONDS REPORT

The report is JSON and written anew after every cell, so that it is there when the program is killed.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import stat
import sys
import time
import warnings
from pathlib import Path
from typing import Any

FILE_CAP = 16 * 1024 * 1024
CELLS_CAP = 200
PRINTED_CAP = 64 * 1024 * 1024
TEXT_CAP = 300
KERNEL = "python3"
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_SHOWN = frozenset({"stream", "display_data", "execute_result", "update_display_data", "error"})
_IGNORED = frozenset({"clear_output"})
# IPython wants a pseudo-terminal for `!ls`, and boxes have none; a plain child process does as well.
_SHELL = (
    "__import__('ipykernel.zmqshell').zmqshell.system = "
    "lambda command: __import__('subprocess').call(command, shell=True, stdin=-3)"
)


class Unusable(Exception):
    """The file is not a notebook that can be run."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code beside the message."""
        super().__init__(message)
        self.code = code


class Report:
    """What is known so far, kept in a file.

    Args:
        path: The file; written whole each time.
    """

    def __init__(self, path: Path) -> None:
        """Nothing has run yet."""
        self._path = path
        self._content: dict[str, Any] = {"problem": "", "message": "", "kernel": "", "total": 0, "cells": []}

    @property
    def reported(self) -> int:
        """How many cells were reported so far."""
        return len(self._content["cells"])

    def begin(self, kernel: str, total: int) -> None:
        """Know which kernel the notebook names, and how many code cells there are."""
        self._content |= {"kernel": kernel, "total": total}
        self.write()

    def cell(self, number: int, status: str, seconds: float, error: str = "", message: str = "") -> None:
        """Add a code cell, counted from 1."""
        self._content["cells"].append(
            {"number": number, "status": status, "seconds": round(seconds, 3), "error": error, "message": message}
        )
        self.write()

    def problem(self, code: str, message: str) -> None:
        """Say why the notebook as a whole could not be run, or not to its end."""
        self._content |= {"problem": code, "message": plain(message)}
        self.write()

    def write(self) -> None:
        """Put the file in its place in one step."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_name(self._path.name + ".part")
        draft.write_text(json.dumps(self._content), encoding="ascii")
        draft.replace(self._path)


def plain(text: object, cap: int = TEXT_CAP) -> str:
    """Return the first line of a text, without colours and control characters."""
    lines = [line for line in _ANSI.sub("", str(text)).splitlines() if line.strip()]
    line = "".join(each if each.isprintable() else " " for each in (lines[0] if lines else "").strip())
    whole = line.encode("utf-8", "backslashreplace").decode()
    return whole if len(whole) <= cap else whole[: cap - 1] + "…"


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook's file as JSON.

    Raises:
        Unusable: It is missing, no regular file, too large, not JSON, or not of format 4.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise Unusable("missing", f"{path.name} cannot be opened: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unusable("format", f"{path.name} is not a regular file")
        data = file.read(FILE_CAP + 1)
    if len(data) > FILE_CAP:
        raise Unusable("too_large", f"{path.name} holds more than {FILE_CAP // 2**20} MiB; clear its outputs")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unusable("format", f"{path.name} is not JSON: {plain(error, 120)}") from error
    if not isinstance(content, dict) or not isinstance(content.get("nbformat"), int):
        raise Unusable("format", f"{path.name} is not a notebook: it has no nbformat number")
    if content["nbformat"] != 4:
        raise Unusable("format", f"{path.name} is of notebook format {content['nbformat']}; save it in format 4")
    return content


def without_leftovers(content: dict[str, Any]) -> dict[str, Any]:
    """Return the notebook without what an earlier run or an editor left in it.

    Raises:
        Unusable: Its cells are not a list of cells, or too many.
    """
    cells = content.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise Unusable("format", "the notebook has no list of cells")
    kept = [_bare(cell) for cell in cells if cell.get("cell_type") == "code"]
    if len(kept) > CELLS_CAP:
        raise Unusable("too_large", f"the notebook has {len(kept)} code cells; at most {CELLS_CAP} are run")
    return {
        "nbformat": 4,
        "nbformat_minor": 4,
        "metadata": {},
        "cells": [cell for cell in kept if cell["source"].strip()],
    }


def _bare(cell: dict[str, Any]) -> dict[str, Any]:
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Unusable("format", "a code cell has a source that is not text")
    return {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": [], "source": source}


def named_kernel(content: dict[str, Any]) -> str:
    """Return the kernel, and the language where that is not Python, that the notebook was written for."""
    metadata = content.get("metadata")
    specification = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    if not isinstance(specification, dict):
        return ""
    language = plain(specification.get("language", ""), 40)
    return " ".join(filter(None, (plain(specification.get("name", ""), 60), f"({language})" if language else "")))


def validated(content: dict[str, Any]) -> Any:
    """Return the notebook as nbformat sees it.

    Raises:
        Unusable: It does not keep the format.
    """
    import nbformat

    try:
        notebook = nbformat.from_dict(content)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
    except Exception as error:  # whatever a stranger's file makes the library raise
        raise Unusable("format", f"not a valid notebook of format 4: {plain(error, 160)}") from error
    return notebook


def new_client(notebook: Any, seconds: float) -> Any:
    """Return a client that drops what cells print, and stops one that prints without end."""
    from nbclient import NotebookClient

    class Client(NotebookClient):
        printed = 0
        flooded = False

        def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
            kind = msg["msg_type"]
            if kind in _SHOWN:
                self.printed += len(repr(msg["content"]))
                if self.printed > PRINTED_CAP and self.task_poll_for_reply is not None:
                    self.flooded = True
                    self.task_poll_for_reply.cancel()  # as if the kernel had died: nobody waits for the reply
            if kind in _SHOWN or kind in _IGNORED or kind.startswith("comm"):
                return None
            return super().process_message(msg, cell, cell_index)

    client = Client(
        notebook,
        kernel_name=KERNEL,
        startup_timeout=60,
        allow_errors=False,
        force_raise_errors=True,
        store_widget_state=False,
        record_timing=False,
        shutdown_kernel="immediate",
        extra_arguments=[f"--InteractiveShellApp.exec_lines={_SHELL}"],
        resources={"metadata": {"path": str(Path.cwd())}},
    )
    end = time.monotonic() + seconds
    client.timeout_func = lambda _cell: max(1, math.ceil(end - time.monotonic()))
    # Sockets in a folder of this box instead of ports: nothing else can take them.
    client.create_kernel_manager().transport = "ipc"
    return client


def execute(notebook: Any, seconds: float, report: Report) -> None:
    """Run all cells, and report each; end at the first that fails.

    Raises:
        Unusable: The kernel did not start.
    """
    client = new_client(notebook, seconds)
    try:
        with client.setup_kernel():
            for number, cell in enumerate(notebook.cells, start=1):
                if not _run_cell(client, cell, number, report):
                    return
    except Exception as error:
        # A kernel that has answered everything may still fail to end by itself; that is nobody's loss.
        if report.reported < len(notebook.cells):
            raise Unusable("kernel", f"the kernel failed: {type(error).__name__}: {plain(error, 160)}") from error


def _run_cell(client: Any, cell: Any, number: int, report: Report) -> bool:
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    start = time.monotonic()
    status, error, message = "ok", "", ""
    try:
        client.execute_cell(cell, number - 1)
    except CellExecutionError as failure:
        status, error, message = "error", plain(failure.ename, 80), plain(failure.evalue)
    except CellTimeoutError:
        status = "timeout"
    except DeadKernelError:
        status = "flooded" if client.flooded else "died"
    report.cell(number, status, time.monotonic() - start, error, message)
    return status == "ok"


def main() -> None:
    """Run the notebook that the command line names."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    path, seconds, report = Path(sys.argv[1]), float(sys.argv[2]), Report(Path(sys.argv[3]))
    report.write()
    try:
        content = read_notebook(path)
        notebook = validated(without_leftovers(content))
        report.begin(named_kernel(content), len(notebook.cells))
        execute(notebook, seconds, report)
    except Unusable as error:
        report.problem(error.code, str(error))


if __name__ == "__main__":
    main()

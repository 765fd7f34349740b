"""Writing what a command makes to files that people name."""

from __future__ import annotations

import os
from pathlib import Path

from grader.errors import UsageError


def write_text(path: Path, content: str) -> None:
    """Write a file in one step; see `write_bytes`."""
    write_bytes(path, content.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file in one step, in place of an older one of its name.

    Raises:
        UsageError: It cannot be written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}", hint="Choose another name.") from error

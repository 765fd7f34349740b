"""A digest for what could not be read as a submission, so that it can be recognised nevertheless."""

from __future__ import annotations

import hashlib
from pathlib import Path

from grader.errors import SubmissionRejected

READ_CAP = 256 * 1024**2


def unread_digest(path: Path, rejection: SubmissionRejected) -> str:
    """Return a digest of the bytes of an archive, or of a folder's path, together with why it was refused."""
    total = hashlib.sha256(f"{rejection.reason.value}\n{rejection.message}\n".encode("utf-8", "surrogateescape"))
    try:
        with path.open("rb") as file:
            left = READ_CAP
            while left > 0 and (piece := file.read(min(left, 1024**2))):
                total.update(piece)
                left -= len(piece)
    except OSError:  # a folder, or nothing that can be opened
        total.update(str(path.absolute()).encode("utf-8", "surrogateescape"))
    return f"unread {total.hexdigest()}"

"""What readers of folders and archives say when they refuse."""

from __future__ import annotations

import stat

from grader.errors import SubmissionRejected
from grader.intake.paths import shown
from grader.model.reasons import Rejection

PACK_AGAIN = "Pack the folder again into a new archive, and check that the upload was complete."
LEAVE_OUT = "Data that came with the kit need not be handed in; leave out what the program does not need to run."


def bad_archive(what: str, hint: str = PACK_AGAIN) -> SubmissionRejected:
    """Say what is wrong with an archive."""
    return SubmissionRejected(Rejection.BAD_ARCHIVE, what, hint=hint)


def not_an_archive(what: str) -> SubmissionRejected:
    """Say that a file is no archive."""
    return SubmissionRejected(
        Rejection.NOT_ARCHIVE, what, hint="Hand in the folder that holds the program, or a .zip or .tar.gz of it."
    )


def link(path: str) -> SubmissionRejected:
    """Say that an entry is a link."""
    return SubmissionRejected(
        Rejection.LINK,
        f"{shown(path)} is a link.",
        hint="Put the file itself in its place, or leave it out; the folder of a virtual environment is not needed.",
    )


def wrong_kind(path: str, mode: int) -> SubmissionRejected:
    """Say why an entry with this file mode is refused."""
    if stat.S_ISLNK(mode):
        return link(path)
    return SubmissionRejected(
        Rejection.SPECIAL,
        f"{shown(path)} is neither a file nor a folder.",
        hint="Leave it out; pipes, sockets and devices are not accepted.",
    )


def unreadable(path: str, error: OSError) -> SubmissionRejected:
    """Say that the operating system would not let us read something."""
    return SubmissionRejected(
        Rejection.UNREADABLE,
        f"{shown(path)} cannot be read: {error.strerror}.",
        hint="Make everything in the submission readable, for example with: chmod -R u+rX FOLDER",
    )

"""Reading a folder that a stranger filled, and that may change while it is read.

Every step goes through the descriptor of the folder above and refuses links, so no name is looked
up twice and nothing outside the folder can be reached. Each file is opened and read once; bytes
are counted as they arrive, because the size in a file's metadata proves nothing (sparse files,
files that grow). Hard links cannot be told from ordinary files; whoever gives grader a folder
decides what is in it.
"""

from __future__ import annotations

import errno
import os
import stat

from grader.intake.gathering import Gathering
from grader.intake.limits import MIB
from grader.intake.paths import Parts
from grader.intake.refusals import link, unreadable, wrong_kind

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a FIFO must not make us wait


def gather_folder(descriptor: int, gathering: Gathering, above: Parts = ()) -> None:
    """Collect everything below an open folder.

    Args:
        descriptor: The open folder; it stays open.
        gathering: Takes the files and holds the limits.
        above: Where this folder lies in the submission.

    Raises:
        SubmissionRejected: Something in it cannot be accepted.
    """
    for name, mode in _entries(descriptor, gathering, above):
        path = "/".join((*above, name))
        parts = (*above, name)
        if stat.S_ISDIR(mode):
            gathering.folder(parts)
            below = _open(name, _FOLDER, descriptor, path)
            try:
                gather_folder(below, gathering, parts)
            finally:
                os.close(below)
        elif stat.S_ISREG(mode):
            gathering.expect(parts)
            gathering.fill(parts, _read(name, descriptor, gathering, parts))
        else:
            raise wrong_kind(path, mode)


def _entries(descriptor: int, gathering: Gathering, above: Parts) -> list[tuple[str, int]]:
    """List what is kept, by name, so that every run meets the same fault first."""
    found = []
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if gathering.admit("/".join((*above, entry.name))) is not None:
                    found.append((entry.name, entry.stat(follow_symlinks=False).st_mode))
    except OSError as error:
        raise unreadable("/".join(above) or ".", error) from error
    return sorted(found)


def _open(name: str, flags: int, folder: int, path: str) -> int:
    try:
        return os.open(name, flags, dir_fd=folder)
    except OSError as error:
        # Only a swap after the listing can bring a link or a socket here.
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
            raise link(path) from error
        if error.errno in (errno.ENXIO, errno.EOPNOTSUPP):
            raise wrong_kind(path, stat.S_IFSOCK) from error
        raise unreadable(path, error) from error


def _read(name: str, folder: int, gathering: Gathering, parts: Parts) -> bytes:
    path = "/".join(parts)
    descriptor = _open(name, _FILE, folder, path)
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise wrong_kind(path, mode)
        chunks = []
        while chunk := os.read(descriptor, MIB):
            gathering.charge(parts, len(chunk))
            chunks.append(chunk)
        return b"".join(chunks)
    except OSError as error:
        raise unreadable(path, error) from error
    finally:
        os.close(descriptor)

"""From a path on this machine to a `Submission` in memory.

Nothing is unpacked to disk, no other program is started and nothing is fetched. What kind of
archive a file is, its content decides; its name proves nothing.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from grader.errors import SubmissionRejected, UsageError
from grader.intake.folders import gather_folder
from grader.intake.gathering import Gathering
from grader.intake.limits import MIB, IntakeLimits, readable
from grader.intake.paths import shown, visible
from grader.intake.refusals import LEAVE_OUT, bad_archive, not_an_archive, unreadable
from grader.intake.streams import UNPACKERS, Plain, Unpacked
from grader.intake.tars import gather_tar, looks_like_tar
from grader.intake.zips import gather_zip, has_end
from grader.model.reasons import Rejection
from grader.model.submission import Submission

_LIMITS = IntakeLimits()
_ADDRESS = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://|[A-Za-z][A-Za-z0-9+.-]*::|(?:file|ssh|git|https?|ftp|data):"
    r"|[^/\s]+@[^/\s:]+:|(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}:|(?:www|github|gitlab|bitbucket)\.[A-Za-z.]+/",
    re.IGNORECASE,
)
_OTHER_FORMATS = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x28\xb5\x2f\xfd": "a Zstandard file",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
}
_ENDING = re.compile(r"\.(zip|tgz|tbz2?|txz|tar(\.(gz|bz2|xz))?)$", re.IGNORECASE)


def refuse_address(text: str) -> None:
    """Refuse what is an address and not a path; anything else passes.

    Args:
        text: What was given in place of a path.

    Raises:
        SubmissionRejected: `url`. The message leaves out passwords and tokens.
    """
    if _ADDRESS.match(text):
        public = re.sub(r"(?<=//)[^/@\s]*@", "", text).partition("?")[0]
        raise SubmissionRejected(
            Rejection.URL,
            f"{shown(public)} is an address, not files.",
            hint="Download it, look at it, and give the folder or archive to grader.",
        )


def receive(path: Path, limits: IntakeLimits = _LIMITS) -> Submission:
    """Take in a folder, a .zip or a .tar (plain, .gz, .bz2 or .xz).

    Args:
        path: Given by the operator; a link here, and only here, is followed.
        limits: Caps.

    Raises:
        UsageError: The path itself does not exist or cannot be opened.
        SubmissionRejected: What is there cannot be accepted.
    """
    gathering = Gathering(limits)
    descriptor = _open(path)
    label = label_of(path)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            gather_folder(descriptor, gathering)
        elif stat.S_ISREG(mode):
            _gather_archive(_read(descriptor, label, limits.archive), label, gathering)
        else:
            raise UsageError(f"{shown(str(path))} is neither a folder nor an archive.", hint=_GIVE)
    finally:
        os.close(descriptor)
    return gathering.finish(label)


_GIVE = "Give the folder that holds the submission, or a .zip or .tar.gz of it."


def plain_name(name: str) -> str:
    """Return what a submission is called without the ending of its archive: `ada.tar.gz` is ada's."""
    return _ENDING.sub("", name) or name


def is_archive_name(name: str) -> bool:
    """Whether a file is called as archives are."""
    return _ENDING.search(name) is not None


def label_of(path: Path) -> str:
    """Return what a submission is called on sheets: its folder or file, whatever a stranger named that."""
    name = path.name if path.name not in ("", "..") else path.resolve().name
    return visible(name) or "submission"


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise UsageError(f"{shown(str(path))} does not exist.", hint=_GIVE) from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(
            f"{shown(str(path))} cannot be opened: {why}.", hint="Check its permissions, and that it is the right path."
        ) from error


def _read(descriptor: int, label: str, most: int) -> bytes:
    chunks: list[bytes] = []
    total = 0
    try:
        while chunk := os.read(descriptor, MIB):
            total += len(chunk)
            if total > most:
                raise SubmissionRejected(
                    Rejection.TOO_LARGE,
                    f"{shown(label)} is larger than the {readable(most)} that an archive may have.",
                    hint=f"{LEAVE_OUT} Virtual environments and .git folders need not be handed in either.",
                )
            chunks.append(chunk)
    except OSError as error:
        raise unreadable(label, error) from error
    return b"".join(chunks)


def _gather_archive(data: bytes, label: str, gathering: Gathering) -> None:
    if not data:
        raise SubmissionRejected(
            Rejection.EMPTY, f"{shown(label)} is an empty file.", hint="Check that the upload was complete."
        )
    unpacker = next((make for magic, make in UNPACKERS.items() if data.startswith(magic)), None)
    if unpacker is not None:
        gather_tar(Unpacked(data, unpacker, gathering), gathering)
    elif data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        gather_zip(data, gathering)
    elif looks_like_tar(data[:512]):
        gather_tar(Plain(data), gathering)
    else:
        raise _not_recognised(data, label)


def _not_recognised(data: bytes, label: str) -> SubmissionRejected:
    if has_end(data):
        return bad_archive("The file does not begin with the zip archive: something was put in front of it.")
    other = next((name for magic, name in _OTHER_FORMATS.items() if data.startswith(magic)), "")
    if other:
        return not_an_archive(f"{shown(label)} is {other}, which is not accepted.")
    return not_an_archive(f"{shown(label)} is neither a folder nor a zip or tar archive.")

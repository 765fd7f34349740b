"""Files by the digest of their content: submissions as they were graded, and the logs of boxes.

Equal content is kept once. A file that is not what its name says is reported, never handed out.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import tarfile
import tempfile
from pathlib import Path
from typing import Protocol

from grader.errors import StoreFailed
from grader.intake.paths import has_no_effect
from grader.model.submission import Submission, SubmissionFile, digest_files


class Artefacts(Protocol):
    """Content by its digest, wherever it lies."""

    def put(self, content: bytes) -> str:
        """Keep content, and return its digest.

        Raises:
            StoreFailed: It cannot be written.
        """
        ...

    def get(self, digest: str) -> bytes:
        """Return content.

        Raises:
            StoreFailed: It is not there, or not what was kept.
        """
        ...

    def remove(self, digest: str) -> None:
        """Remove content; whether nobody needs it any more is the caller's to know.

        Raises:
            StoreFailed: It is there and cannot be removed.
        """
        ...


class ArtefactFolder:
    """A folder of files that are named by the SHA-256 of their content.

    Args:
        folder: Made on first use, readable by the owner only.
    """

    def __init__(self, folder: Path) -> None:
        """Nothing is made yet."""
        self.folder = folder

    def put(self, content: bytes) -> str:
        """Keep content, and return its digest.

        Raises:
            StoreFailed: The disk is full or the folder cannot be written.
        """
        digest = hashlib.sha256(content).hexdigest()
        target = self._place(digest)
        if target.exists():
            return digest
        draft: Path | None = None
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=".draft-", dir=target.parent)
            draft = Path(name)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except OSError as error:
            if draft is not None:
                with contextlib.suppress(OSError):
                    draft.unlink(missing_ok=True)
            raise StoreFailed(
                f"Nothing can be kept in {self.folder}: {error.strerror or error}",
                hint="Free some space, or name another place with GRADER_DATA_DIR. What is finished is kept.",
            ) from error
        return digest

    def get(self, digest: str) -> bytes:
        """Return content.

        Raises:
            StoreFailed: It is not there, or not what was kept.
        """
        target = self._place(digest)
        try:
            content = target.read_bytes()
        except OSError as error:
            raise StoreFailed(
                f"The artefact {target} cannot be read: {error.strerror}", hint="Restore it from a backup."
            ) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise StoreFailed(
                f"The artefact {target} was changed or damaged since it was kept.", hint="Restore it from a backup."
            )
        return content

    def remove(self, digest: str) -> None:
        """Remove content; whether nobody needs it any more is the caller's to know.

        Raises:
            StoreFailed: It is there and cannot be removed.
        """
        target = self._place(digest)
        try:
            target.unlink(missing_ok=True)
        except OSError as error:
            raise StoreFailed(
                f"The artefact {target} cannot be removed: {error.strerror}.",
                hint="Make its folder writable, then type the same command again: it does the rest.",
            ) from error

    def _place(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest


def pack(submission: Submission) -> bytes:
    """Return a submission's files as a .tar.gz: the same bytes for the same files, whoever packs them."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=6, mtime=0) as squeezed,
        tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in submission.files:
            entry = tarfile.TarInfo(file.path)
            entry.size = len(file.content)
            archive.addfile(entry, io.BytesIO(file.content))
    return buffer.getvalue()


def unpack(content: bytes, label: str) -> Submission:
    """Return the submission that `pack` packed; what its reader observed of the archive is not known any more."""
    files = []
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        for entry in archive:
            source = archive.extractfile(entry)
            assert source is not None  # `pack` writes plain files only
            files.append(SubmissionFile(path=entry.name, content=source.read()))
    steering = tuple(file.path for file in files if has_no_effect(tuple(file.path.split("/"))))
    return Submission(label=label, files=tuple(files), digest=digest_files(files), steering=steering)

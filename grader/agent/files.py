"""Files that travel as frames: written in pieces, listed without following links, read in pieces."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from grader.agent.stream import Answer, Refused

LIST_CAP = 10_000


def checked_path(root: Path, name: object) -> Path:
    """Return `root / name`, refusing names that could lead out of `root`."""
    text = str(name)
    parts = text.split("/")
    if not text or "\0" in text or text.startswith("/") or any(part in ("", ".", "..") for part in parts):
        raise Refused("path", f"not a path inside the box: {text[:200]!r}")
    return root.joinpath(*parts)


class FileStore:
    """The file operations of a box below one folder.

    Args:
        root: Folder that all paths are relative to.
    """

    def __init__(self, root: Path) -> None:
        """Remember the folder; it need not exist yet."""
        self.root = root

    def put(self, header: dict[str, Any], body: bytes) -> Answer:
        """Append a piece to a file; offset 0 creates it, and it must not exist then."""
        path = checked_path(self.root, header["path"])
        offset = int(header.get("offset", 0))
        if offset == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC | (os.O_CREAT | os.O_EXCL if offset == 0 else 0)
        descriptor = os.open(path, flags, 0o644)
        with os.fdopen(descriptor, "wb") as file:
            file.seek(offset)
            file.write(body)
        return {}, b""

    def make_folder(self, header: dict[str, Any], body: bytes) -> Answer:
        """Create a folder and its parents."""
        checked_path(self.root, header["path"]).mkdir(parents=True, exist_ok=True)
        return {}, b""

    def list(self, header: dict[str, Any], body: bytes) -> Answer:
        """List everything below a folder: path, kind (file, folder, link, other) and size in bytes."""
        top = checked_path(self.root, header["path"])
        entries: list[list[Any]] = []
        pending = [(str(top), "")]
        while pending:
            folder, prefix = pending.pop()
            for entry in _scan(folder):
                if len(entries) >= LIST_CAP:
                    return {"entries": entries, "complete": False}, b""
                kind, size = _kind(entry)
                entries.append([prefix + _printable(entry.name), kind, size])
                if kind == "folder" and prefix.count("/") < 20:
                    pending.append((entry.path, f"{prefix}{_printable(entry.name)}/"))
        return {"entries": sorted(entries), "complete": True}, b""

    def get(self, header: dict[str, Any], body: bytes) -> Answer:
        """Read a piece of a regular file. The reply says whether the end was reached."""
        path = checked_path(self.root, header["path"])
        length = min(int(header["length"]), 1024 * 1024)
        # O_NONBLOCK: opening a planted FIFO must not hang
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Refused("format", f"{path.name!r} is not a regular file")
            file.seek(int(header["offset"]))
            data = file.read(length) or b""
        return {"end": len(data) < length}, data


def _scan(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (NotADirectoryError, FileNotFoundError, PermissionError):
        return []


def _kind(entry: os.DirEntry[str]) -> tuple[str, int]:
    if entry.is_symlink():
        return "link", 0
    if entry.is_dir(follow_symlinks=False):
        return "folder", 0
    if entry.is_file(follow_symlinks=False):
        return "file", entry.stat(follow_symlinks=False).st_size
    return "other", 0


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()

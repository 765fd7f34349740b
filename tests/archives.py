"""Submissions as folders and archives, honest and not, built in memory."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

Tree = Mapping[str, bytes]
HONEST: dict[str, bytes] = {
    "submission.toml": b'[command]\nargv = ["python", "clean.py"]\n',
    "clean.py": b"print('clean')\n",
    "lib/rules.py": b"RULES = 3\n",
}


def write_folder(at: Path, tree: Tree) -> Path:
    at.mkdir(parents=True, exist_ok=True)
    for path, content in tree.items():
        (at / path).parent.mkdir(parents=True, exist_ok=True)
        (at / path).write_bytes(content)
    return at


def zipped(tree: Tree, *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for path, content in tree.items():
            archive.writestr(path, content)
    return buffer.getvalue()


def zipped_mode(path: str, mode: int, content: bytes = b"") -> bytes:
    """A zip with one honest file and one of this Unix file mode."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("clean.py", b"")
        info = zipfile.ZipInfo(path)
        info.create_system = 3
        info.external_attr = mode << 16
        archive.writestr(info, content)
    return buffer.getvalue()


def tarred(tree: Tree, *, compression: str = "", form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{compression}", format=form) as archive:
        for path, content in tree.items():
            info = tarfile.TarInfo(path)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def tarred_kind(path: str, kind: bytes, target: str = "") -> bytes:
    """A tar with one honest file and one entry of this kind."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("clean.py"))
        info = tarfile.TarInfo(path)
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return buffer.getvalue()


SYMLINK = stat.S_IFLNK | 0o777

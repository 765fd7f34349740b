"""Write submission.zip: your own files, without the kit's data, caches and environments.

    python tools/pack.py

Refuses an archive that would not be accepted when you hand it in, for the same reasons, so that you find out now.
Needs Python 3.11 or newer and nothing else. What is left out, and every limit, comes from kit.toml.
"""

from __future__ import annotations

import os
import re
import stat
import sys
import tomllib
import unicodedata
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from program import Refused, check_program

KIT = Path(__file__).resolve().parent.parent
TARGET = "submission.zip"
RENAME = "Rename it. Letters A-Z and a-z, digits, and . _ - are fine in names."
LEAVE_OUT = "Take away what the program does not need to run; the kit's own data are left out already."
Files = dict[str, bytes]


class Tree:
    """The files below a folder that would be handed in.

    Args:
        root: The folder.
        rules: kit.toml, as it was read.
    """

    def __init__(self, root: Path, rules: dict[str, Any]) -> None:
        self.root = root
        self.limits: dict[str, int] = rules["limits"]
        self.kits_own: list[str] = rules["pack"]["left_out"]
        self.tools_make: list[str] = rules["pack"]["made_by_tools"]
        self.files: Files = {}
        self.left_out: set[str] = set()
        self._seen = 0
        self._bytes = 0
        self._places: dict[tuple[str, ...], str] = {}

    def read(self) -> Files:
        """Read every file that is handed in.

        Raises:
            Refused: Something in the folder would not be accepted.
        """
        self._folder(self.root, ())
        if not self.files:
            raise Refused("empty", "There are no files to hand in.", "Put your program into this folder.")
        around = _common_folders([path.split("/") for path in self.files])
        unwrapped = {"/".join(path.split("/")[around:]): content for path, content in self.files.items()}
        for path in unwrapped:
            self._check_name(path)
        return unwrapped

    def _folder(self, folder: Path, above: tuple[str, ...]) -> None:
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise _unreadable("/".join(above) or ".", error) from error
        for entry in found:
            parts = (*above, entry.name)
            if parts == (TARGET,) or not self._admit(parts):
                continue
            path = "/".join(parts)
            mode = entry.stat(follow_symlinks=False).st_mode
            if entry.is_symlink() or getattr(entry, "is_junction", bool)():
                raise Refused("link", f"{path} is a link.", "Put the file itself in its place, or take it away.")
            if stat.S_ISDIR(mode):
                self._place(parts)
                self._folder(Path(entry.path), parts)
            elif stat.S_ISREG(mode):
                self._file(Path(entry.path), parts)
            else:
                raise Refused("special", f"{path} is neither a file nor a folder.", "Take it away.")

    def _admit(self, parts: tuple[str, ...]) -> bool:
        """Judge a path before anything behind it is opened; False means that it is left out."""
        self._seen += 1
        if self._seen > self.limits["seen"]:
            raise Refused("count", f"There are more than {self.limits['seen']} files and folders.", LEAVE_OUT)
        path, name = "/".join(parts), parts[-1]
        _check_safe(path, name)
        own = [each for each in self.kits_own if path == each]
        made = [pattern for pattern in self.tools_make if fnmatchcase(name, pattern)]
        if own or made:
            self.left_out.update(own + made)
            return False
        if not path.isprintable():
            raise Refused("name", f"{path!a} has characters in its name that cannot be seen.", RENAME)
        if len(parts) > self.limits["depth"]:
            most = self.limits["depth"]
            raise Refused(
                "name", f"{path} lies {len(parts)} levels deep; at most {most} are accepted.", "Use fewer folders."
            )
        return True

    def _place(self, parts: tuple[str, ...]) -> None:
        """Refuse two names that macOS and Windows may take for one."""
        key = tuple(_folded(part) for part in parts)
        path = "/".join(parts)
        known = self._places.setdefault(key, path)
        if known != path:
            raise Refused(
                "duplicate",
                f"{known} and {path} are the same name to some systems.",
                "Rename one of them so that they differ in more than capitals or accents.",
            )

    def _file(self, source: Path, parts: tuple[str, ...]) -> None:
        path = "/".join(parts)
        self._place(parts)
        self.files[path] = b""
        if len(self.files) > self.limits["files"]:
            raise Refused("count", f"There are more than {self.limits['files']} files.", LEAVE_OUT)
        try:
            size = source.stat().st_size
            self._bytes += size
            if self._bytes > self.limits["unpacked"]:
                most = self.limits["unpacked"] // 2**20
                raise Refused("too_large", f"With {path}, your files are more than {most} MiB.", LEAVE_OUT)
            self.files[path] = source.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from error

    def _check_name(self, path: str) -> None:
        most = self.limits["name"]
        for part in path.split("/"):
            if len(part) > most:
                raise Refused(
                    "name", f"{path}: a name has {len(part)} characters; at most {most} are accepted.", RENAME
                )
            if not re.fullmatch(r"[A-Za-z0-9._-]+", part):
                raise Refused("name", f"{path!a} has characters in its name that are not accepted.", RENAME)


def _unreadable(path: str, error: OSError) -> Refused:
    return Refused("unreadable", f"{path} cannot be read: {error.strerror}.", "Make it readable, or take it away.")


def _check_safe(path: str, name: str) -> None:
    if "\\" in path or re.match(r"[A-Za-z]:", path):
        raise Refused("path", f"{path!a} has a backslash in its name, or begins like a drive.", RENAME)
    if name[-1] in ". ":
        raise Refused("path", f"{path!a} ends with a dot or a space, which some systems drop.", RENAME)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _common_folders(paths: list[list[str]]) -> int:
    """Count the folders around everything: they are taken away, here as when you hand in."""
    level = 0
    while all(len(parts) > level + 1 and parts[level] == paths[0][level] for parts in paths):
        level += 1
    return level


def write(files: Files, target: Path, limits: dict[str, int]) -> int:
    """Write the archive; returns its size. It appears whole or not at all.

    Raises:
        Refused: It is larger than is accepted, or unpacks to far more than its size.
    """
    draft = target.with_name(f".{target.name}")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in sorted(files.items()):
                entry = zipfile.ZipInfo(path)  # without times: the same files give the same archive
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
                archive.writestr(entry, content)
        size, unpacked = draft.stat().st_size, sum(map(len, files.values()))
        if size > limits["archive"]:
            most = limits["archive"] // 2**20
            raise Refused("too_large", f"{target.name} would be larger than {most} MiB.", LEAVE_OUT)
        if unpacked > limits["ratio_floor"] and unpacked > limits["ratio"] * size:
            raise Refused(
                "bomb",
                f"{target.name} would unpack to more than {limits['ratio']} times its size.",
                "Take away files that repeat one thing over and over.",
            )
        draft.replace(target)
        return size
    finally:
        draft.unlink(missing_ok=True)


def pack(root: Path) -> Iterator[str]:
    """Pack a folder; yields what to tell about it.

    Raises:
        Refused: It would not be accepted.
    """
    with (root / "kit.toml").open("rb") as file:
        rules = tomllib.load(file)
    tree = Tree(root, rules)
    files = tree.read()
    yield from check_program(files, rules["submission"])
    size = write(files, root / TARGET, rules["limits"])
    yield f"{TARGET}: {len(files)} file{'s' if len(files) > 1 else ''}, {size:,} bytes"
    yield from (f"  {path}" for path in sorted(files)[:30])
    if len(files) > 30:
        yield f"  and {len(files) - 30} more"
    yield f"Left out: {', '.join(sorted(tree.left_out)) or 'nothing'}."


def main() -> int:
    """Pack the kit that this file lies in."""
    try:
        for line in pack(KIT):
            print(line)
    except Refused as refusal:
        print(f"Not packed: {refusal.message}\n{refusal.hint}\n({refusal.reason})", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

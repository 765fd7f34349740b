"""Earlier versions of an exercise, from the history that its folder is kept in."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Iterator
from pathlib import Path

from grader.catalog.manifest import FILE, read_manifest
from grader.errors import UsageError


def folder_of_version(source: Path, version: str, workshop: Path) -> Path:
    """Return a folder that holds an exercise at a version.

    The present version is the folder itself. Another is what git has last seen of it: the state after the newest
    commit at which the manifest named this version.

    Args:
        source: The exercise's folder.
        version: Such as "1.0.0".
        workshop: Where to write files of an earlier version.

    Raises:
        UsageError: There is no such version, or no history.
        ExerciseDefect: The present manifest is wrong.
    """
    manifest = read_manifest(source)
    if manifest.version == version:
        return source
    seen: list[str] = [manifest.version]
    for commit, found in _versions(source):
        if found == version:
            return _unpack(source, commit, workshop / version / source.resolve().name)
        if found not in seen:
            seen.append(found)
    raise UsageError(
        f"There is no version {version} of {manifest.id} in its history.", hint=f"There are: {', '.join(seen)}."
    )


def _versions(source: Path) -> Iterator[tuple[str, str]]:
    """Yield commit and version, newest first, for each commit that touched the folder."""
    for commit in _git(source, "log", "--format=%H", "--", ".").decode().split():
        try:
            values = tomllib.loads(_git(source, "show", f"{commit}:./{FILE}").decode())
        except (UsageError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue  # not there yet, or broken: no version that anybody was graded with
        yield commit, str(values.get("version", ""))


def _unpack(source: Path, commit: str, target: Path) -> Path:
    target.mkdir(parents=True)
    root, prefix = _git(source, "rev-parse", "--show-toplevel", "--show-prefix").decode().split("\n")[:2]
    content = _git(Path(root), "archive", "--format=tar", f"{commit}:{prefix.rstrip('/')}")
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(target, filter="data")
    return target


def _git(folder: Path, *arguments: str) -> bytes:
    program = shutil.which("git")
    if program is None:
        raise UsageError("git is not installed; earlier versions are in its history.", hint="Install git.")
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, check=False)  # noqa: S603
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError(
            f"git {arguments[0]} failed in {folder}: {said[0] if said else done.returncode}",
            hint="Earlier versions come from the git history of the exercise's folder.",
        )
    return done.stdout

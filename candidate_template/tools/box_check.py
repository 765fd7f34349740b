"""Run the public checks in the image and behind the walls that are used for grading.

    python tools/box_check.py

Needs Docker, and the image that kit.toml names; the company sends it where you do not have it.
Start it with the Python that has the packages of requirements.txt: pytest travels from there into
the box, because the image has only what programs may use while grading.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

KIT = Path(__file__).resolve().parent.parent
SECONDS = 900
NOT_SENT = {".git", ".venv", "venv", "node_modules", "__pycache__", ".pytest_cache", "submission.zip"}
NOBODY = "65534:65534"
# Runs in the box. What the checks need is a folder of its own, for the processes that they start too: only
# packages that the image has not, so that nothing of the image's is replaced. In grading they are not there.
INSIDE = """
import os, sys, tarfile
tarfile.open(fileobj=sys.stdin.buffer, mode="r|").extractall("/work", filter="data")
os.mkdir("/work/home")
os.chdir("/work/submission")
sys.stdin = open(os.devnull)
sys.path.insert(0, os.getcwd())
sys.path.append("/work/checks-need")
os.environ["PYTHONPATH"] = "/work/checks-need"
import pytest
sys.exit(pytest.main(["checks", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


class Unavailable(Exception):
    """The checks cannot be run here; the text says why and what to do."""


def main(arguments: list[str]) -> int:
    """Run the checks; the exit status is pytest's, or 2 when they could not be run."""
    with (KIT / "kit.toml").open("rb") as file:
        box: dict[str, Any] = tomllib.load(file)["box"]
    name = f"kit-check-{uuid.uuid4().hex[:12]}"
    try:
        docker = find_docker()
        there = find_image(docker, box)
        with tempfile.TemporaryFile() as parcel:
            send(parcel, needed(box["checks_need"], there))
            command = [docker, "run", "--rm", "--interactive", f"--name={name}", *walls(box, processors(docker))]
            command += ["--entrypoint=/opt/venv/bin/python", box["image"], "-I", "-c", INSIDE, *arguments]
            return run(docker, command, parcel, name, box)
    except Unavailable as reason:
        print(reason, file=sys.stderr)
        return 2


def find_docker() -> str:
    """Return Docker's command line, whose engine must answer."""
    docker = shutil.which("docker")
    if docker is None:
        raise Unavailable("Docker is not installed here. `make check` runs the same checks without it.")
    asked = ask(docker, "version", "--format", "{{.Server.Os}}")
    if asked.returncode:
        raise Unavailable(f"Docker does not answer: {asked.stderr.strip()[-300:]}\nStart it, then try again.")
    return docker


def ask(docker: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask Docker something short."""
    return subprocess.run([docker, *arguments], capture_output=True, text=True, timeout=60, check=False)


def find_image(docker: str, box: dict[str, Any]) -> set[str]:
    """Make sure that the image is here; returns the names of the packages in it."""
    asked = ask(docker, "image", "inspect", "--format", "{{json .}}", box["image"])
    if asked.returncode:
        raise Unavailable(
            f"The image {box['image']} is not on this machine. No registry has it: ask the company that sent you\n"
            f"the kit for a file of it (they make one with `docker save --output image.tar {box['image']}`), and type\n"
            f"    docker load --input image.tar\n"
            f"Then try again. `make check` runs the same checks without it."
        )
    found = json.loads(asked.stdout)
    if found["Id"] != box["digest"]:
        # Some engines name an image that was loaded from a file by another digest, so this is no error.
        print(f"Note: {box['image']} is another build than the one named in kit.toml, of the same recipe.")
    return set(json.loads(found["Config"]["Labels"].get("grader.image.packages", "{}")))


def processors(docker: str) -> int:
    """Return how many processors Docker has; it refuses to promise more."""
    asked = ask(docker, "info", "--format", "{{.NCPU}}")
    return int(asked.stdout) if asked.stdout.strip().isdigit() else 1


def walls(box: dict[str, Any], cpus: int) -> list[str]:
    """Return Docker's options: the limits and the isolation of grading."""
    size = box["workspace"]
    disk = f"size={size},nr_inodes={box['files']},mode=1777,nosuid,nodev,noexec"
    user, group = NOBODY.split(":")
    return [
        "--pull=never",
        "--network=none",
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        f"--security-opt=seccomp={KIT / 'tools' / 'seccomp.json'}",
        "--ipc=private",
        "--cgroupns=private",
        "--log-driver=none",
        "--no-healthcheck",
        f"--user={NOBODY}",
        "--workdir=/work",
        "--hostname=box",
        f"--tmpfs=/work:{disk},uid={user},gid={group}",
        f"--tmpfs=/tmp:{disk}",
        "--shm-size=64m",
        f"--memory={box['memory']}",
        f"--memory-swap={box['memory']}",
        f"--cpus={min(box['cpus'], cpus)}",
        f"--pids-limit={box['pids']}",
        "--oom-score-adj=500",
        "--ulimit=nofile=1024:1024",
        f"--ulimit=fsize={size}:{size}",
        "--ulimit=core=0:0",
        "--ulimit=msgqueue=0:0",
        "--env=HOME=/work/home",
        "--env=TMPDIR=/tmp",
        "--env=LANG=C.UTF-8",
        "--env=PYTHONUNBUFFERED=1",
        "--env=PYTHONDONTWRITEBYTECODE=1",
    ]


def needed(names: list[str], there: set[str]) -> dict[str, Path]:
    """Return the files of packages that checks need and the image has not: path in the box to path here."""
    files: dict[str, Path] = {}
    pending, done = list(names), {_plain(name) for name in there}
    while pending:
        name = pending.pop()
        if _plain(name) in done:
            continue
        done.add(_plain(name))
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            if name in names:
                raise Unavailable(
                    f"{name} is not installed for {sys.executable}. Use the Python of your virtual environment,\n"
                    "with the packages of requirements.txt in it."
                ) from None
            continue  # for another system, or for an option that is not used
        needs = [each for each in package.requires or [] if "extra ==" not in each]
        pending += [found[0] for each in needs if (found := re.match(r"[A-Za-z0-9._-]+", each))]
        files |= {path.as_posix(): Path(str(package.locate_file(path))) for path in package.files or [] if _goes(path)}
    return files


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _goes(path: importlib.metadata.PackagePath) -> bool:
    return ".." not in path.parts and "__pycache__" not in path.parts and path.suffix not in (".so", ".pyd", ".exe")


def send(parcel: BinaryIO, packages: dict[str, Path]) -> None:
    """Write the kit and the packages as one archive, without owners and times."""
    with tarfile.open(fileobj=parcel, mode="w") as archive:
        for path in kit_files(KIT):
            _add(archive, f"submission/{path.relative_to(KIT).as_posix()}", path)
        for name, path in packages.items():
            if path.is_file():
                _add(archive, f"checks-need/{name}", path)
    parcel.seek(0, io.SEEK_SET)


def kit_files(folder: Path) -> Iterator[Path]:
    """Yield the files of the kit, without environments and caches."""
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        if entry.name in NOT_SENT or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from kit_files(Path(entry.path))
        elif entry.is_file():
            yield Path(entry.path)


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = path.stat().st_size, 0o644
    with path.open("rb") as content:
        archive.addfile(entry, content)


def run(docker: str, command: list[str], parcel: BinaryIO, name: str, box: dict[str, Any]) -> int:
    """Run the box to its end; whatever happens, it is gone afterwards."""
    gib = box["memory"] / 2**30
    print(f"Checks in {box['image']}: {box['cpus']:g} CPUs, {gib:g} GiB, no network.", flush=True)
    try:
        status = subprocess.run(command, stdin=parcel, timeout=SECONDS, check=False).returncode
    except subprocess.TimeoutExpired:
        raise Unavailable(f"The checks took longer than {SECONDS // 60} minutes and were stopped.") from None
    finally:
        ask(docker, "rm", "--force", name)  # does nothing where --rm was quicker
    if status == 137:
        raise Unavailable(f"The box was stopped from outside: your program may have needed more than {gib:g} GiB.")
    if status in (125, 126, 127):
        raise Unavailable("Docker could not start the box; it says why above.")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

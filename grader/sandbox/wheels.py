"""Wheels for the images, fetched on the host with the host's own pip settings and certificates.

So a build needs no network, and works behind a company's proxy or package mirror. pip checks every
hash here, and again inside the build.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from grader.errors import ImageMissing, InfrastructureFault
from grader.sandbox.machine import Report, run_tool

PYTHON = "3.13"
DOWNLOAD_SECONDS = 1800.0

# Go's names of architectures, as an engine tells them, and the ones wheels are named with.
ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}
_GLIBC = ("2_28", "2_27", "2_26", "2_24", "2_17", "2014", "2_12", "2010", "2_5", "1")
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)")


def pins(lock: str) -> dict[str, str]:
    """Return package → version of a compiled requirements file."""
    return {match[1]: match[2] for line in lock.splitlines() if (match := _PIN.match(line))}


def only_new(lock: str, below: str) -> str:
    """Return the entries of a compiled requirements file whose packages another one does not have."""
    entries = re.split(r"(?m)^(?=\S)", lock)
    return "".join(entry for entry in entries if not pins(entry).keys() & pins(below).keys())


def platforms(architecture: str) -> list[str]:
    """Return the platform tags of wheels that run on Debian 13 on `architecture` (Go's name), newest first.

    Raises:
        ImageMissing: There are no wheels for such a machine.
    """
    machine = ARCHITECTURES.get(architecture)
    if machine is None:
        raise ImageMissing(
            f"the Docker engine runs on {architecture or 'an unknown architecture'}, for which there are no wheels",
            hint=f"Use an engine on one of: {', '.join(ARCHITECTURES)}.",
        )
    return [f"manylinux{'' if glibc.isdigit() else '_'}{glibc}_{machine}" for glibc in _GLIBC]


def fetch_wheels(lock: bytes, folder: Path, architecture: str, report: Report) -> list[Path]:
    """Return the wheels that a compiled requirements file names, from the cache or fetched now.

    Args:
        lock: Pinned, hashed requirements without markers.
        folder: Where they are kept; named for the lock file's content. May be deleted at any time.
        architecture: The engine's, which need not be this machine's.
        report: Takes one line when something has to be fetched.

    Raises:
        ImageMissing: pip could not get them.
    """
    tags = platforms(architecture)
    done = folder / ".complete"
    if not done.exists():
        folder.mkdir(parents=True, exist_ok=True)
        requirements = folder / "requirements.txt"
        requirements.write_bytes(lock)
        report(f"fetching {len(pins(lock.decode()))} packages")
        _download(requirements, tags, folder)
        done.touch()
    return sorted(folder.glob("*.whl"))


def _download(lock: Path, tags: list[str], folder: Path) -> None:
    options = ["--only-binary=:all:", "--no-deps", "--require-hashes", "--disable-pip-version-check", "--quiet"]
    target = ["--implementation=cp", f"--python-version={PYTHON}"]
    abis = [f"--abi={abi}" for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none")]
    where = [*(f"--platform={tag}" for tag in tags), "--requirement", str(lock), "--dest", str(folder)]
    try:
        command = [sys.executable, "-m", "pip", "download", *options, *target, *abis, *where]
        run_tool(command, "fetching packages", seconds=DOWNLOAD_SECONDS)
    except InfrastructureFault as error:
        raise ImageMissing(
            error.message, hint="pip must reach a package index; 'pip config list' shows the settings it uses."
        ) from error

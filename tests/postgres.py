"""A throw-away PostgreSQL from the distribution's package; installed where it is missing, never left out."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.sandbox.machine import apt_install

PACKAGE = "postgresql"
PROGRAMS = Path("/usr/lib/postgresql")


def programs() -> Path:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parents[1].name))
    if not found:
        apt_install([PACKAGE], hint=f"Type: apt-get install {PACKAGE}")
        found = sorted(PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parents[1].name))
    return found[-1].parent


@contextmanager
def server() -> Iterator[str]:
    """Start a server on a socket of its own; yields the start of URLs, which lack the name of a database."""
    bin_folder = programs()
    folder = Path(tempfile.mkdtemp(prefix="grader-pg-", dir="/tmp"))
    # It refuses to run as root; its package brings a user for it.
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(name: str, *arguments: str) -> None:
        command = [str(bin_folder / name), *arguments]
        done = subprocess.run(command, user=user, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    data, options = str(folder / "data"), f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=30"
    try:
        run("initdb", "-D", data, "-U", "grader", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://grader@/{{}}?host={folder}"
        finally:
            run("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)

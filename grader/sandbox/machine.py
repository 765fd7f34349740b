"""Running the tools of this machine: apt, pip, mmdebstrap, systemctl."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from grader.errors import InfrastructureFault

Report = Callable[[str], None]
"""Takes one line about something that takes long."""


def apt_install(packages: list[str], *, hint: str) -> None:
    """Install Debian packages, as root.

    Raises:
        InfrastructureFault: apt failed; the message ends with what it printed last.
    """
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *packages]
    try:
        run_tool(command, f"installing {' '.join(packages)}", environment=environment)
    except InfrastructureFault:
        # Most often the package lists are old or were never fetched, as in fresh containers.
        run_tool(["apt-get", "update", "--quiet"], "fetching apt's package lists", environment=environment, hint=hint)
        run_tool(command, f"installing {' '.join(packages)}", environment=environment, hint=hint)


def run_tool(
    command: list[str],
    doing: str,
    *,
    given: str = "",
    seconds: float = 600.0,
    environment: dict[str, str] | None = None,
    hint: str = "",
) -> str:
    """Run one of the machine's own tools and return what it printed.

    Raises:
        InfrastructureFault: It failed or took longer than `seconds`.
    """
    try:
        done = subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=seconds, env=environment, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise InfrastructureFault(f"{doing}: not finished after {seconds:.0f} s", hint=hint) from error
    except OSError as error:
        raise InfrastructureFault(f"{doing}: {command[0]} cannot be run: {error.strerror}", hint=hint) from error
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise InfrastructureFault(f"{doing}: {Path(command[0]).name} ended with {done.returncode}\n{last}", hint=hint)
    return done.stdout

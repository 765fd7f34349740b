"""A kit as a git repository: one root commit that says nothing about who made it, where, or at what hour."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, date, datetime, time
from pathlib import Path

from grader.errors import InfrastructureFault

NAME, EMAIL, MESSAGE = "grader", "grader@localhost", "The kit as it was handed out"


def midnight(day: date) -> datetime:
    """Return the moment that files and commit of a kit made on this day carry."""
    return datetime.combine(day, time(), tzinfo=UTC)


def commit(folder: Path, day: date) -> None:
    """Make a folder a repository with one commit, the same whenever its content and the day are the same.

    Raises:
        InfrastructureFault: git is not installed, or failed.
    """
    for arguments in (
        ("init", "--quiet", "--template=", "--initial-branch=main"),
        ("add", "--all"),
        ("commit", "--quiet", "--message", MESSAGE),
        ("read-tree", "HEAD"),  # writes the index anew, without inodes, owners and times of this machine
    ):
        git(folder, *arguments, day=day)


def git(folder: Path, *arguments: str, day: date | None = None) -> str:
    """Run git as if this machine had no settings and no user; returns what it printed.

    Raises:
        InfrastructureFault: git is not installed, or failed.
    """
    program = shutil.which("git")
    if program is None:
        raise InfrastructureFault(
            "git is not installed; a kit is a git repository", hint="Install git, then try again."
        )
    done = subprocess.run(  # noqa: S603
        [program, *arguments], cwd=folder, env=_environment(day), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise InfrastructureFault(f"git {arguments[0]} failed in the kit: {done.stderr.strip()[-300:]}")
    return done.stdout


def _environment(day: date | None) -> dict[str, str]:
    moment = f"{midnight(day):%Y-%m-%dT%H:%M:%S}+0000" if day else ""
    times = {"GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment} if day else {}
    names = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _IDENTITY.items()}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    return {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC", **own, **names, **times}


_IDENTITY = {"NAME": NAME, "EMAIL": EMAIL}

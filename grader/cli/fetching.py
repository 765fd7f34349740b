"""Repositories that a list of candidates names: fetched as git keeps them, never checked out.

A commit becomes a tar archive, byte for byte, which intake reads with the same suspicion as any other: no hook,
submodule or link of a stranger's repository does anything on this machine, and no filter of this machine (such as
git-lfs) works on its files.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from grader.errors import InfrastructureFault, UsageError
from grader.intake.addresses import Address
from grader.intake.limits import IntakeLimits, readable

FETCH_SECONDS = 300.0
FILE_CAP = 16 * IntakeLimits().archive
"""Bytes of one file that git may write: of the pack of one commit, and of the archive."""

# Files in units of 512 bytes, as POSIX has it; memory in KiB, where a shell can limit that.
_LIMITED = 'ulimit -f "$0" && { ulimit -v "$1" 2>/dev/null || true; } && shift && exec "$@"'
MEMORY_CAP, PIECE_CAP = 4 * 1024**3, FILE_CAP
"""Bytes that git may hold in all, and in one piece: a pack of kilobytes can describe files of gigabytes."""

# Whoever calls grader may have keys and a credential helper, which are used; nothing asks them anything.
_SETTINGS = (
    "protocol.allow=never", "protocol.https.allow=always", "protocol.ssh.allow=always", "protocol.file.allow=always",
    "fetch.recurseSubmodules=no", "transfer.fsckObjects=true", "http.followRedirects=initial", "gc.auto=0",
    "pack.threads=1",
)  # fmt: skip

# Goes before what a repository says of its files; an archive would otherwise be filtered as a checkout is.
_ATTRIBUTES = "* -filter -text -ident -working-tree-encoding -export-subst -export-ignore\n"


def fetch(address: Address, folder: Path) -> Path:
    """Fetch one commit of a repository and return it as a tar archive, named after repository and commit.

    Args:
        address: Where it is, and which commit is meant.
        folder: Where the archive goes.

    Raises:
        UsageError: There is no such repository or commit, or it may not be read; or it is too large, or too slow.
        InfrastructureFault: git is not installed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        _git(address, Path(scratch), "init", "--quiet", "--bare", "--template=")
        (Path(scratch) / "info").mkdir(exist_ok=True)
        (Path(scratch) / "info" / "attributes").write_text(_ATTRIBUTES, encoding="ascii")
        _git(address, Path(scratch), "fetch", "--quiet", "--no-tags", "--depth=1", "--", address.url, address.commit)
        commit = _git(address, Path(scratch), "rev-parse", "--verify", "FETCH_HEAD^{commit}").strip()
        target = Path(tempfile.mkdtemp(dir=folder)) / f"{address.name}-{commit[:12]}.tar.gz"
        _git(address, Path(scratch), "archive", "--format=tar.gz", f"--output={target}", commit)
    return target


def _git(address: Address, folder: Path, *arguments: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise InfrastructureFault("git is not installed; the list names repositories.", hint="Install git, try again.")
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    process = subprocess.Popen(  # noqa: S603 - our own arguments; the address stands behind --
        ["/bin/sh", "-c", _LIMITED, str(FILE_CAP // 512), str(MEMORY_CAP // 1024), program, *settings, *arguments],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, complaint = process.communicate(timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        raise UsageError(
            f"{address.shown} did not answer within {FETCH_SECONDS:.0f} s.", hint="Try again, or download it by hand."
        ) from None
    finally:
        _end(process)
    if process.returncode:
        raise _failure(address, process.returncode, complaint)
    return out


def _end(process: subprocess.Popen[str]) -> None:
    """End git with the programs that it started: ssh, or a helper for https."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _failure(address: Address, status: int, complaint: str) -> UsageError:
    too_large = int(signal.SIGXFSZ)
    said_so = (f"died of signal {too_large}", "File too large", "attempting to allocate", "Out of memory")
    if status == -too_large or any(words in complaint for words in said_so):
        return UsageError(
            f"{address.shown} holds more than {readable(FILE_CAP)} in one commit.",
            hint="Ask for the program without data, models and environments.",
        )
    lines = [line.strip() for line in complaint.splitlines() if line.strip()] or [f"status {status}"]
    said = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[0])
    return UsageError(
        f"{address.shown} cannot be fetched: {address.without_secrets(said)[:300]}",
        hint="Try 'git ls-remote' with it: address, rights and the name of the commit must be right.",
    )


def _environment() -> dict[str, str]:
    """What the caller has, without what points git to another repository; there is no terminal to ask anything."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
    kept["GIT_ALLOC_LIMIT"] = str(PIECE_CAP)
    return {**kept, "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "true", "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}


_KEPT = ("GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH")

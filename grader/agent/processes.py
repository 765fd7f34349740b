"""Running a candidate's program inside the box, and leaving nothing of it behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

PR_SET_DUMPABLE = 4
PR_SET_CHILD_SUBREAPER = 36
TAIL = 64 * 1024


def protect_this_process() -> None:
    """Close this process's memory, descriptors and life to the programs that it starts.

    Not dumpable means that /proc/<pid>/mem and /proc/<pid>/fd belong to root. As a
    subreaper it inherits orphans, also when it is not the first process of its box.
    The kernel drops signals to the first process that it has no handler for; Python has one for SIGINT.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_all_others() -> int:
    """Kill and reap every other process of this box; return how many there were."""
    ended = 0
    for _ in range(200):  # a fork bomb may outrun one round, but not the pids limit for long
        if os.getpid() == 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
        else:
            for pid in _descendants():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, 0)[0]:
                ended += 1
        except ChildProcessError:
            return ended
    raise OSError("processes of the submission do not end")


def _descendants() -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found, frontier = [], [os.getpid()]
    while frontier:
        children = [pid for pid, parent in parents.items() if parent in frontier]
        found += children
        frontier = children
    return found


@dataclass
class Printed:
    """What a program printed: the last part of it, and how much it was in all."""

    total: int = 0
    tail: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes) -> None:
        """Keep the last TAIL bytes."""
        self.total += len(data)
        self.tail += data
        del self.tail[:-TAIL]


@dataclass
class Ended:
    """How a program ended."""

    status: int = 0
    timed_out: bool = False
    interrupted: bool = False
    flooded: bool = False
    peak_memory: int = 0
    leftovers: int = 0
    stdout: Printed = field(default_factory=Printed)
    stderr: Printed = field(default_factory=Printed)


def run(
    argv: list[str],
    *,
    folder: Path,
    environment: dict[str, str],
    seconds: float,
    printed: int,
    until_filled: Path | None = None,
) -> Ended:
    """Run a program to its end, or to the end of its time or of what it may print.

    Args:
        argv: Program and arguments.
        folder: Working directory.
        environment: All of its environment.
        seconds: Wall time after which it is killed.
        printed: Bytes it may print on stdout and stderr together.
        until_filled: Kill it as soon as anything lies in this folder.

    Raises:
        OSError: The program could not be started.
    """
    child = subprocess.Popen(
        argv,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=offer_to_oom_killer,
    )
    ended = Ended()
    assert child.stdout is not None
    assert child.stderr is not None
    with child.stdout, child.stderr, selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ, ended.stdout)
        selector.register(child.stderr, selectors.EVENT_READ, ended.stderr)
        _watch(child, selector, ended, time.monotonic() + seconds, printed, until_filled)
        ended.leftovers = end_all_others()
        _drain((child.stdout, ended.stdout), (child.stderr, ended.stderr))
    return ended


def offer_to_oom_killer() -> None:
    """Make the kernel prefer this process to the agent."""
    # When memory runs out, the kernel should take the program and not the agent.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _watch(
    child: subprocess.Popen[bytes],
    selector: selectors.BaseSelector,
    ended: Ended,
    end: float,
    printed: int,
    until_filled: Path | None,
) -> None:
    pause = 0.05 if until_filled is None else 0.002
    while True:
        pid, status, usage = os.wait4(child.pid, os.WNOHANG)
        if pid:
            break
        ended.timed_out = time.monotonic() >= end
        ended.flooded = ended.stdout.total + ended.stderr.total > printed
        ended.interrupted = until_filled is not None and _holds_something(until_filled)
        if ended.timed_out or ended.flooded or ended.interrupted:
            os.kill(child.pid, signal.SIGKILL)
            _, status, usage = os.wait4(child.pid, 0)
            break
        if selector.get_map():
            _read_ready(selector, min(pause, max(0.0, end - time.monotonic())))
        else:
            time.sleep(0.002)  # both pipes are closed: it is about to exit
    child.returncode = ended.status = os.waitstatus_to_exitcode(status)
    ended.peak_memory = usage.ru_maxrss * 1024


def _holds_something(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except OSError:
        return False  # it is not there yet, or is no folder


def _read_ready(selector: selectors.BaseSelector, seconds: float) -> None:
    for key, _ in selector.select(seconds):
        data = os.read(key.fd, 65536)
        if data:
            key.data.add(data)
        else:
            selector.unregister(key.fileobj)


def _drain(*pairs: tuple[IO[bytes], Printed]) -> None:
    """Read what is left in the pipes; every writer is dead, so this ends."""
    for pipe, printed in pairs:
        os.set_blocking(pipe.fileno(), False)
        with contextlib.suppress(BlockingIOError):
            while data := os.read(pipe.fileno(), 65536):
                printed.add(data)

"""How many runs go on at once, and keeping those that measure time to themselves."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event
from typing import IO

from grader.errors import InfrastructureFault
from grader.model.exercise import Manifest

MEMORY_SHARE = 0.8
POLL_SECONDS = 0.1


def machine_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_memory() -> int:
    """Bytes of memory of this machine."""
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def default_jobs(manifest: Manifest, *, cores: int, memory: int) -> int:
    """How many runs of an exercise a machine carries at once.

    One for each core, as far as the boxes' memory limits fit into four fifths of the memory; one alone where the
    exercise measures time.

    Args:
        manifest: Says what a box may use.
        cores: Of the machine.
        memory: Of the machine, in bytes.
    """
    if manifest.timing == "exclusive":
        return 1
    limits = manifest.limits
    boxes = [limits.submission.memory, limits.checker.memory]
    if manifest.reference is not None:
        boxes.append(limits.submission.memory)
    return max(1, min(cores, int(memory * MEMORY_SHARE) // sum(boxes)))


class Hall:
    """Where runs take place: many at once, or one that needs the machine for itself.

    Holds for all processes on the machine that share the folder. Whoever wants to be alone keeps newcomers out while
    waiting, and so is not kept waiting for ever.

    Args:
        folder: Made when it is not there.
        stopped: When this is set, nobody waits any longer.
    """

    def __init__(self, folder: Path, stopped: Event) -> None:
        """Nobody is inside yet."""
        self._folder = folder
        self._stopped = stopped

    @contextmanager
    def place(self, *, alone: bool, waiting: Callable[[], None] = lambda: None) -> Iterator[bool]:
        """Wait for a place, and hold it for the block; yields False when there is no time left to wait.

        Args:
            alone: Nobody else may be inside.
            waiting: Told once, when it takes longer.
        """
        with ExitStack() as gate, ExitStack() as inside:
            entered = self._enter("gate", fcntl.LOCK_EX, gate, waiting)
            kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
            entered = entered and self._enter("hall", kind, inside, waiting)
            gate.close()
            yield entered

    def _enter(self, name: str, kind: int, stack: ExitStack, waiting: Callable[[], None]) -> bool:
        file: IO[bytes] = stack.enter_context(self._open(name))
        told = False
        while not self._stopped.is_set():
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    told = True
                    waiting()
                self._stopped.wait(POLL_SECONDS)
            else:
                return True
        return False

    def _open(self, name: str) -> IO[bytes]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return (self._folder / f".{name}.lock").open("ab")
        except OSError as error:
            raise InfrastructureFault(
                f"{self._folder} cannot be written: {error.strerror}", hint="Set GRADER_CACHE_DIR to another folder."
            ) from error

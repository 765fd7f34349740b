"""How many runs go on at once, and keeping what measures time to itself."""

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
POLL_SECONDS = 0.05
Waiting = Callable[[], None]


def machine_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine_memory() -> int:
    """Bytes of memory of this machine."""
    return int(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))


def machine_in_words() -> str:
    """What somebody who reads a measured time needs to know of this machine."""
    return f"a machine with {machine_cores()} cores and {machine_memory() / 1024**3:.0f} GiB"


def default_jobs(manifest: Manifest, *, cores: int, memory: int) -> int:
    """How many runs of an exercise a machine carries at once.

    One for each core, as far as the boxes' memory limits fit into four fifths of the memory; one alone where each run
    has the machine for itself.

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

    Holds for all processes on the machine that share the folder. Whoever wants to be alone to the end keeps newcomers
    out while those inside finish, and so is not kept waiting for ever, and interrupts nobody. Of those inside, one that
    measures time for a moment is let go first by the others between two of their checks.

    Args:
        folder: Made when it is not there.
        stopped: When this is set, nobody waits any longer.
    """

    def __init__(self, folder: Path, stopped: Event) -> None:
        """Nobody is inside yet."""
        self._folder = folder
        self._stopped = stopped

    @contextmanager
    def place(self, *, alone: bool, waiting: Waiting = lambda: None) -> Iterator[Place | None]:
        """Wait for a place, and hold it for the block; yields None when there is no time left to wait.

        Args:
            alone: Nobody else may be inside, from the beginning to the end.
            waiting: Told once, when it takes longer.
        """
        with ExitStack() as house, ExitStack() as inside:
            place = Place(self, house, inside, alone=alone)
            yield place if place.enter(waiting) else None

    def lock(self, name: str, kind: int, stack: ExitStack, waiting: Waiting | None) -> bool:
        """Lock a file of the hall until the stack ends.

        Args:
            name: Which: the door and the house, for whole runs; the gate and the hall in it, for checks.
            kind: As `fcntl.flock` takes it.
            stack: Gives the lock back.
            waiting: Told once, when it takes longer; None is for who does not wait.

        Returns:
            Whether it was locked.
        """
        file: IO[bytes] = stack.enter_context(self._open(name))
        told = False
        while not self._stopped.is_set():
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if waiting is None:
                    return False
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


class Place:
    """What one run holds of a hall. For one thread; `Hall.place` makes it and takes it back.

    Args:
        hall: The hall.
        house: What is held to the end; empty.
        inside: What is held until others are let go first; empty.
        alone: The run has the machine for itself from the beginning to the end.
    """

    def __init__(self, hall: Hall, house: ExitStack, inside: ExitStack, *, alone: bool) -> None:
        """Nothing is held yet."""
        self._hall = hall
        self._house = house
        self._inside = inside
        self._to_the_end = alone
        self._alone = False

    def enter(self, waiting: Waiting) -> bool:
        """Wait for the place; returns False when there is no time left to wait."""
        with ExitStack() as door:
            kind = fcntl.LOCK_EX if self._to_the_end else fcntl.LOCK_SH
            if not self._hall.lock("door", fcntl.LOCK_EX, door, waiting):
                return False
            if not self._hall.lock("house", kind, self._house, waiting):
                return False
        if self._to_the_end:
            return True
        with ExitStack() as gate:
            return self._hall.lock("gate", fcntl.LOCK_EX, gate, waiting) and self._enter_hall(waiting)

    def settle(self, *, alone: bool, waiting: Waiting) -> bool:
        """Between two checks: be alone from now on, or share the machine, and let go first who waits to be alone.

        What is held is given back before anything is waited for, so that two runs that both want to be alone get it
        one after the other. Who is alone and wants to stay so, stays.

        Args:
            alone: Nobody else may be inside.
            waiting: Told once when it takes longer, before anybody else can be alone.

        Returns:
            False when there is no time left to wait; nothing is held then.
        """
        if self._to_the_end or (alone and self._alone):
            return True
        with ExitStack() as gate:
            if self._hall.lock("gate", fcntl.LOCK_EX, gate, None):
                if alone == self._alone:
                    return True  # nobody waits
            else:
                waiting()
                waiting = _nothing
                self._inside.close()
                if not self._hall.lock("gate", fcntl.LOCK_EX, gate, waiting):
                    return False
            # Nobody enters while this run has the gate, not even between giving the old place back and the new one.
            self._inside.close()
            self._alone = alone
            return self._enter_hall(waiting)

    def _enter_hall(self, waiting: Waiting) -> bool:
        return self._hall.lock("hall", fcntl.LOCK_EX if self._alone else fcntl.LOCK_SH, self._inside, waiting)


def _nothing() -> None:
    """Tell nobody."""

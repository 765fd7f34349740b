"""Boxes that are child processes: for authors with a debugger, and for tests without Docker.

There are no walls. The program has this user's files, network and processes; it is only given a
folder, an environment and pipes like those of a real box. Never for a stranger's submission.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from grader.clock import Deadline
from grader.errors import InfrastructureFault
from grader.model.run import Isolation
from grader.sandbox.port import BoxSpec, Ending, Role, Usage
from grader.sandbox.stream import BoxStream, ChildPipes

PROGRAMS: Mapping[Role, tuple[str, ...]] = {
    Role.SUBMISSION: (sys.executable, "-I", "-m", "grader.agent.main"),
    Role.CHECKER: (sys.executable, "-I", "-m", "grader.checker.main"),
}
DRAIN_SECONDS = 0.5
SETTLE_SECONDS = 2.0
END_SECONDS = 10.0

_NO_WALLS = "There are no walls: the submission ran as an ordinary process of this user, without limits."


class ProcessSandbox:
    """Starts each box as a child of this process, in a folder of its own.

    Args:
        program: Runs in place of the agent or the checker; for tests.
        terminal: File descriptors that the checker takes for its stdin, stdout and stderr, beside its line to the host.
    """

    def __init__(self, *, program: tuple[str, ...] = (), terminal: tuple[int, int, int] | None = None) -> None:
        self._program = program
        self._terminal = terminal

    def open(self, spec: BoxSpec) -> ProcessBox:
        """Start a box; see `port.Sandbox`. Image and limits are not used.

        Raises:
            InfrastructureFault: The program could not be started.
        """
        folder = Path(tempfile.mkdtemp(prefix="grader-box-"))
        try:
            terminal = self._terminal if spec.role is Role.CHECKER else None
            return ProcessBox(_start(self._program or PROGRAMS[spec.role], folder, terminal), folder)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise InfrastructureFault(
                f"starting the {spec.role} program: {error}", hint="Is grader installed in this Python?"
            ) from error
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise


def _start(
    program: tuple[str, ...], folder: Path, terminal: tuple[int, int, int] | None = None
) -> subprocess.Popen[bytes]:
    work, scratch = folder / "work", folder / "tmp"
    work.mkdir()
    scratch.mkdir()
    beside = {} if terminal is None else {"GRADER_TERMINAL": ",".join(map(str, terminal))}
    return subprocess.Popen(  # noqa: S603 - our own program, or a test's
        program,
        cwd=work,
        env={
            # First the programs of this Python, so that `python` and `uvicorn` mean those with its packages.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
            "HOME": str(work),
            "LANG": "C.UTF-8",
            "TMPDIR": str(scratch),
            # The agent empties these folders; without them it would take the ones of a real box.
            "GRADER_WORK": str(work),
            "GRADER_SCRATCH": str(scratch),
            **beside,
        },
        pass_fds=terminal or (),
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


class ProcessBox:
    """One child process and its folder. See `port.Box`.

    Args:
        child: Started with three unbuffered pipes, as leader of its own session.
        folder: Removed on `close`.
    """

    def __init__(self, child: subprocess.Popen[bytes], folder: Path) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        self._child = child
        self._folder = folder
        self._stream = BoxStream(ChildPipes(child.stdin, child.stdout, child.stderr))
        self._peak = 0
        self._killed = False
        self._ending: Ending | None = None

    @property
    def isolation(self) -> Isolation:
        """Says that there are no walls."""
        return Isolation(
            engine="none (a child process)",
            runtime=f"Python {sys.version.split()[0]}",
            seccomp="none",
            security_module="none",
            cgroups="none",
            warnings=(_NO_WALLS,),
        )

    @property
    def folder(self) -> Path:
        """Where the box's files are, for authors who want to look."""
        return self._folder

    def write(self, data: bytes, deadline: Deadline) -> None:
        """Write to the program's stdin; see `port.Box`."""
        self._stream.write(data, deadline)

    def read_exactly(self, size: int, deadline: Deadline) -> bytes:
        """Read from the program's stdout; see `port.Box`."""
        return self._stream.read_exactly(size, deadline)

    def usage(self) -> Usage:
        """Add up what the processes of the box's session use; all zero on systems without /proc."""
        ticks = resident = 0
        for process in _session(self._child.pid):
            ticks += process.ticks
            resident += process.resident
        self._peak = max(self._peak, resident)
        return Usage(cpu_seconds=ticks / os.sysconf("SC_CLK_TCK"), memory=resident, peak_memory=self._peak)

    def pause(self) -> None:
        """Stop the program and all that descends from it; see `port.Box`."""
        self._signal_family(signal.SIGSTOP)

    def resume(self) -> None:
        """Let them go on; see `port.Box`."""
        self._signal_family(signal.SIGCONT)

    def _signal_family(self, number: signal.Signals) -> None:
        for pid in _family(self._child.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def kill(self) -> None:
        """End the program's session; a process that has left the session stays."""
        if self._ending is None and self._child.poll() is None:
            self._killed = True
            self._end_session()

    def close(self) -> Ending:
        """End the program and delete its folder; see `port.Box`."""
        if self._ending is None:
            if self._stream.ended:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._child.wait(SETTLE_SECONDS)  # it is about to exit
            self.kill()
            self._end_session()  # also what an ended program left running
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(END_SECONDS)
            self._await_session_end()
            self._stream.drain(Deadline(DRAIN_SECONDS), quiet=0.0)
            self._stream.close()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._ending = Ending(
                exit_status=_as_shell(self._child.returncode),
                oom=False,
                removed_by_us=self._killed,
                stderr=self._stream.stderr,
            )
        return self._ending

    def _await_session_end(self) -> None:
        """Wait for the children of the program, which are nobody's to wait for in the usual way."""
        deadline = Deadline(END_SECONDS)
        while any(not process.ended for process in _session(self._child.pid)) and not deadline.passed:
            time.sleep(0.005)

    def _end_session(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._child.pid, signal.SIGKILL)


def _as_shell(status: int | None) -> int | None:
    """Return an exit status as Docker gives it: 128 and the signal's number for a signal."""
    return 128 - status if status is not None and status < 0 else status


class _Process:
    """What /proc says about one process: CPU in ticks, memory in bytes."""

    def __init__(self, fields: list[str]) -> None:
        self.parent = int(fields[1])
        self.session = int(fields[3])
        self.ended = fields[0] in "ZX"
        self.ticks = sum(int(fields[index]) for index in (11, 12, 13, 14))
        self.resident = int(fields[21]) * os.sysconf("SC_PAGE_SIZE")


def _processes() -> dict[int, _Process]:
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            found[int(entry.parent.name)] = _Process(entry.read_text().rpartition(")")[2].split())
    return found


def _session(leader: int) -> list[_Process]:
    return [process for process in _processes().values() if process.session == leader]


def _family(ancestor: int) -> list[int]:
    """A process and its descendants, parents first."""
    processes = _processes()
    found = [ancestor] if ancestor in processes else []
    for pid in found:  # grows while it is walked
        found += [child for child, process in processes.items() if process.parent == pid and child not in found]
    return found

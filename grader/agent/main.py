"""The first process of a submission box: keeps the submission, runs it afresh when asked.

Everything in this box belongs to the candidate, this program included: it holds inputs,
and never an expected value, a threshold, a seed or a key.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from grader.agent import kernel, plants, processes
from grader.agent.files import FileStore, checked_path
from grader.agent.service import Service
from grader.agent.stream import Answer, Handler, Refused, Stream, serve
from grader.agent.workers import Workers

# Runs a script's top level under another name than __main__, so that guarded work does not start.
# Modules are looked for beside it, as when it is started.
PROBE = (
    "import os, runpy, sys; sys.argv = sys.argv[1:]; sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0])); "
    "runpy.run_path(sys.argv[0], run_name='__preflight__')"
)
# Imports it as a worker does: from the submission's folder, which `-c` puts first on the path.
PROBE_ATTRIBUTE = "import importlib, sys; m, _, a = sys.argv[1].partition(':'); getattr(importlib.import_module(m), a)"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "PYTHON_CPU_COUNT")
NOTEBOOK_GRACE = 8.0  # for the runner to start a kernel and to say what became of the cells
SUBMISSION_CAP = 128 * 1024 * 1024


class Agent:
    """The operations of a submission box.

    Args:
        work: Folder for sessions; wiped whenever one is opened.
        scratch: Further folders that a program can write to; wiped as well.
    """

    def __init__(self, work: Path, scratch: tuple[Path, ...]) -> None:
        """Start without a submission and without a session."""
        self.work = work
        self.scratch = scratch
        self.files = FileStore(work)
        self.submission: dict[str, bytearray] = {}
        self.threads = 1
        folder = work / "submission"
        self.workers = Workers(folder, work / "output", self._environment)
        self.service = Service(folder, work / "in", self._environment)

    def put_submission(self, header: dict[str, Any], body: bytes) -> Answer:
        """Take a piece of a submission file. Kept in memory: no program can change it there."""
        path = str(header["path"])
        checked_path(self.work, path)
        self.submission.setdefault(path, bytearray()).extend(body)
        if sum(map(len, self.submission.values())) > SUBMISSION_CAP:
            raise Refused("too_large", "the submission is larger than the box accepts")
        return {}, b""

    def open_session(self, header: dict[str, Any], body: bytes) -> Answer:
        """End whatever still runs, wipe all folders, lay the submission out anew."""
        self.workers.close()
        self.service.end()
        leftovers = processes.end_all_others()
        self.threads = int(header.get("threads", 1))
        for folder in (self.work, *self.scratch):
            self._wipe(folder)
        for name in ("submission", "in", "output", "home"):
            (self.work / name).mkdir()
        for path, content in self.submission.items():
            target = checked_path(self.work / "submission", path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return {"leftovers": leftovers}, b""

    def _wipe(self, folder: Path) -> None:
        try:
            for entry in os.scandir(folder):
                if entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path)
                else:
                    Path(entry.path).unlink()
        except (OSError, RecursionError) as error:
            raise Refused("dirty", f"{folder} cannot be emptied: {str(error)[:200]}") from error

    def run_command(
        self, header: dict[str, Any], body: bytes, variables: Mapping[str, str] = MappingProxyType({})
    ) -> Answer:
        """Run argv in the submission's folder; reply how it ended and what it printed last.

        In `arguments`, `{name}` stands for the folder of the input of that name and `{out}`
        for the output folder; the candidate's own argv is taken as it is. With `until_output`, it is
        killed as soon as something lies in the output folder.
        """
        folders = {"{" + name + "}": str(self.work / "in" / name) for name in header.get("inputs", [])}
        folders["{out}"] = str(self.work / "output" / "out")
        argv = header["argv"] + [folders.get(word, word) for word in header.get("arguments", [])]
        before = kernel.oom_kills(), kernel.refused_processes()
        try:
            ended = processes.run(
                [str(word) for word in argv],
                folder=self.work / "submission",
                environment={**self._environment(), **variables},
                seconds=float(header["seconds"]),
                printed=int(header["printed"]),
                until_filled=Path(folders["{out}"]) if header.get("until_output") else None,
            )
        except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
            raise Refused("start", f"cannot start {argv[0]!r}: {error.strerror}") from error
        stdout = bytes(ended.stdout.tail)
        reply = {
            "status": ended.status,
            "timed_out": ended.timed_out,
            "interrupted": ended.interrupted,
            "flooded": ended.flooded,
            "oom": kernel.oom_kills() > before[0],
            "refused_processes": kernel.refused_processes() > before[1],
            "full": any(kernel.is_full(folder) for folder in (self.work, *self.scratch)),
            "peak_memory": ended.peak_memory,
            "leftovers": ended.leftovers,
            "planted": self._planted(),
            "stdout": len(stdout),
        }
        return reply, stdout + bytes(ended.stderr.tail)

    def _planted(self) -> list[str]:
        """Files among those that checks do not ask for; what is written as output is theirs to judge."""
        folders = [self.work / name for name in ("submission", "home", "output", ".")]
        return plants.planted([*folders, *self.scratch], (name.rpartition("/")[2] for name in self.submission))

    def run_notebook(self, header: dict[str, Any], body: bytes) -> Answer:
        """Execute a notebook of the submission, with `DATA_DIR` naming the input `data`; see `notebook_runner`.

        A `decision.json` that was handed in is taken away first: only one that is written by the run counts.
        """
        planted = self.work / "submission" / "decision.json"
        if planted.is_file():
            planted.unlink()
        seconds = float(header["seconds"])
        program = str(Path(__file__).with_name("notebook_runner.py"))
        report = str(self.work / "output" / "report.json")
        # Options of the runner's own interpreter only; the kernel is started with the usual environment.
        argv = [sys.executable, "-I", program, str(header["path"]), str(seconds), report]
        variables = {"DATA_DIR": str(self.work / "in" / "data")}
        return self.run_command({**header, "argv": argv, "seconds": seconds + NOTEBOOK_GRACE}, body, variables)

    def look_at(self, header: dict[str, Any], body: bytes) -> Answer:
        """Look at the Python of the submission without running it; see `grader.agent.look`."""
        argv = [sys.executable, "-I", str(Path(__file__).with_name("look.py")), str(self.work / "submission")]
        return self.run_command({**header, "argv": [*argv, header["entry"]]}, body)

    def probe_import(self, header: dict[str, Any], body: bytes) -> Answer:
        """Import the entry point in a process of its own: a file, or a `module:attribute`."""
        entry = str(header["entry"])
        code = PROBE_ATTRIBUTE if ":" in entry else PROBE
        return self.run_command({**header, "argv": [sys.executable, "-c", code, entry]}, body)

    def _environment(self, programs: int = 1) -> dict[str, str]:
        """What a program finds in its environment; `programs` of them share the box's cores."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.work / "home"),
            "TMPDIR": str(self.scratch[0]) if self.scratch else str(self.work / "home"),
            "LANG": "C.UTF-8",
            "PYTHONUNBUFFERED": "1",  # what a killed program printed must not be lost
            **dict.fromkeys(THREAD_VARIABLES, str(max(1, self.threads // programs))),
        }


def _told(handler: Handler) -> Handler:
    """Make replies tell what the kernel has counted in this box so far."""

    def handle(header: dict[str, Any], body: bytes) -> Answer:
        reply, data = handler(header, body)
        return {**reply, "unreachable": kernel.unreachable()}, data

    return handle


def main() -> None:
    """Serve until the host closes the stream."""
    processes.protect_this_process()
    stream = Stream.from_standard_streams()
    work = Path(os.environ.get("GRADER_WORK", "/work"))
    scratch = tuple(Path(name) for name in os.environ.get("GRADER_SCRATCH", "/tmp:/dev/shm").split(":") if name)  # noqa: S108
    agent = Agent(work, scratch)
    serve(
        stream,
        {
            "hello": lambda header, body: ({"python": sys.version.split()[0]}, b""),
            "submission.put": agent.put_submission,
            "session.open": _told(agent.open_session),
            "file.put": agent.files.put,
            "folder.make": agent.files.make_folder,
            "command.run": _told(agent.run_command),
            "notebook.run": _told(agent.run_notebook),
            "look": agent.look_at,
            "probe": agent.probe_import,
            "file.list": agent.files.list,
            "file.get": agent.files.get,
            "calls.open": agent.workers.open,
            "calls.stage": agent.workers.stage,
            "calls.everywhere": _told(agent.workers.everywhere),
            "calls.map": _told(agent.workers.map),
            "service.start": agent.service.start,
            "service.state": _told(agent.service.state),
            "service.stop": _told(agent.service.stop),
            "http.request": agent.service.request,
        },
        side_by_side=frozenset({"http.request"}),
    )


if __name__ == "__main__":
    main()

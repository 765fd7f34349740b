"""The `command` fixture: runs the submission's program in a fresh session and judges what it leaves."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from grader.checker import parsing
from grader.checker.api import SubmissionFailed
from grader.checker.link import Link
from grader.frames import BrokenFrame, strict_json
from grader.model.reasons import Reason

if TYPE_CHECKING:
    import pyarrow as pa

MIB = 1024 * 1024
FETCHED_FILES, FETCHED_SHARE = 100, 4  # what one run may bring here: files, and bytes as a multiple of the file limit
KEPT_SHARE = 8  # what all runs together may keep here: bytes as a multiple of the file limit
# A decoded table is small beside a checker's memory: as Python values distinct texts take many times as much, and a
# check that counts them must not burst its box, which would fault the run in place of costing points.

# Why one file may not be opened while the box is well: no permission, or a name that is no UTF-8 and came as another.
UNOPENED = (Reason.CRASHED, Reason.MISSING_OUTPUT, Reason.FORMAT)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLimits:
    """Limits that apply to every run of the program: seconds of wall time, bytes printed, bytes a file."""

    seconds: float
    printed: int
    file: int


@dataclass(slots=True, kw_only=True, weakref_slot=True, eq=False)
class CommandRun:
    """One run of the submission's program; copies of its files are there as long as this object is.

    Attributes:
        exit_status: Exit status, or None when a signal ended it.
        signal: The signal that ended it, or None.
        timed_out: It was killed at the end of its time.
        interrupted: It was killed when something lay in its output folder, as was asked for.
        oom: Something in its box was killed for memory.
        flooded: It was killed because it printed too much.
        full: It left no room in its writable folders.
        refused_processes: It was refused processes or threads.
        leftovers: Processes that were still running when it had ended.
        seconds: Wall time, measured outside the box.
        cpu_seconds: CPU time of the box meanwhile, measured outside.
        peak_memory: Bytes; the larger of the outside samples and the kernel's own maximum.
        stdout: The end of what it printed.
        stderr: The end of what it printed on stderr.
        files: What lies in its output folder: path to bytes.
        odd: What lies there and is no file that can be read: links, pipes, files that cannot be opened.
    """

    exit_status: int | None
    signal: int | None
    timed_out: bool
    interrupted: bool
    oom: bool
    flooded: bool
    full: bool
    refused_processes: bool
    leftovers: int
    seconds: float
    cpu_seconds: float
    peak_memory: int
    stdout: str
    stderr: str
    files: dict[str, int]
    odd: tuple[str, ...]
    _fetched: dict[str, Path] = field(default_factory=dict)

    def require_exit(self, *statuses: int) -> None:
        """Fail unless the program ended by itself with one of these exit statuses.

        Raises:
            SubmissionFailed: With the reason that fits how it ended.
        """
        reason = self._violent_end()
        if reason is None and self.exit_status in statuses:
            return
        expected = " or ".join(map(str, statuses))
        because = f"It ended with {self._ending()}; expected is exit status {expected}."
        tail = self.stderr.strip().splitlines()[-1:] or ["(nothing)"]
        evidence = {"how it ended": self._ending(), "last line on stderr": tail[0][:500]}
        raise SubmissionFailed(reason or Reason.EXIT_STATUS, because, evidence=evidence)

    def _violent_end(self) -> Reason | None:
        ends = [
            (self.timed_out, Reason.TIMEOUT),
            (self.flooded, Reason.OUTPUT_CAP),
            (self.oom, Reason.OOM),
            (self.full and self.exit_status != 0, Reason.DISK),
            (self.refused_processes and self.exit_status != 0, Reason.PIDS),
            (self.signal is not None, Reason.CRASHED),
        ]
        return next((reason for happened, reason in ends if happened), None)

    def _ending(self) -> str:
        if self.timed_out:
            return f"a time-out after {self.seconds:.0f} s"
        if self.flooded:
            return "more printed than accepted"
        return f"exit status {self.exit_status}" if self.signal is None else f"signal {self.signal}"

    def path(self, name: str) -> Path:
        """Return a copy of an output file, in the checker box.

        Raises:
            SubmissionFailed: The file is missing, not a regular file that can be read, or too large.
        """
        if name not in self._fetched:
            if name in self.odd:
                raise SubmissionFailed(Reason.FORMAT, f"{name} is not a regular file that can be read.")
            if name in self.files:
                raise SubmissionFailed(Reason.TOO_LARGE, f"{name} holds {self.files[name]:,} bytes.")
            raise SubmissionFailed(Reason.MISSING_OUTPUT, f"{name} was not written.")
        return self._fetched[name]

    def bytes(self, name: str, *, max_bytes: int = 8 * MIB) -> bytes:
        """Return an output file's bytes.

        Raises:
            SubmissionFailed: As `path`; or it holds more than `max_bytes`.
        """
        path = self.path(name)
        if path.stat().st_size > max_bytes:
            raise SubmissionFailed(Reason.TOO_LARGE, f"{name} holds more than {max_bytes:,} bytes.")
        return path.read_bytes()

    def text(self, name: str, *, max_bytes: int = MIB) -> str:
        """Return an output file as UTF-8 text.

        Raises:
            SubmissionFailed: As `bytes`; or it is not UTF-8.
        """
        try:
            return self.bytes(name, max_bytes=max_bytes).decode()
        except UnicodeDecodeError as error:
            raise SubmissionFailed(Reason.FORMAT, f"{name} is not UTF-8 text.") from error

    def json(self, name: str, *, max_bytes: int = MIB) -> object:
        """Return an output file as strict JSON: no NaN, no duplicate keys, bounded depth.

        Raises:
            SubmissionFailed: As `bytes`; or it is not strict JSON.
        """
        try:
            return strict_json(self.bytes(name, max_bytes=max_bytes))
        except BrokenFrame as error:
            raise SubmissionFailed(Reason.FORMAT, f"{name}: {error}.") from error

    def table(
        self,
        name: str,
        schema: pa.Schema,
        *,
        max_bytes: int = 64 * MIB,
        decoded_bytes: int = 192 * MIB,
        min_rows: int = 0,
    ) -> pa.Table:
        """Return a Parquet output as a table that has just this schema.

        Text columns may be stored as any of Arrow's text types; all else must be exact.

        Raises:
            SubmissionFailed: As `path`; or the file is damaged, too large, has another schema,
                or fewer than `min_rows` rows.
        """
        read = self.lenient_table(name, schema, max_bytes=max_bytes, decoded_bytes=decoded_bytes)
        if read.deviations:
            raise SubmissionFailed(Reason.SCHEMA, f"{name}: {'; '.join(read.deviations)}.")
        if read.table.num_rows < min_rows:
            raise SubmissionFailed(Reason.ROW_COVERAGE, f"{name} holds {read.table.num_rows} rows.")
        return read.table

    def lenient_table(
        self, name: str, schema: pa.Schema, *, max_bytes: int = 64 * MIB, decoded_bytes: int = 192 * MIB
    ) -> parsing.TableRead:
        """Return a Parquet output brought to this schema where that loses nothing.

        A column that is missing or cannot be converted is all null; what differs is listed in
        `deviations`. So that one wrong type costs the check about types, and not every check.

        Raises:
            SubmissionFailed: As `path`; or the file is damaged or too large.
        """
        path = self.path(name)
        if path.stat().st_size > max_bytes:
            raise SubmissionFailed(Reason.TOO_LARGE, f"{name} holds more than {max_bytes:,} bytes.")
        return parsing.read_table(path, schema, name=name, decoded_bytes=decoded_bytes)


class Command:
    """Runs the submission's program; every run is a fresh session in a clean box.

    Args:
        link: The line to the host.
        argv: The submission's command line.
        limits: Limits of every run.
        folder: Where copies of output files are kept.
    """

    def __init__(self, link: Link, argv: Sequence[str], limits: CommandLimits, folder: Path) -> None:
        """Remember what to run."""
        self._link = link
        self._argv = list(argv)
        self._limits = limits
        self._folder = folder
        self._runs: weakref.WeakSet[CommandRun] = weakref.WeakSet()

    def run(
        self,
        arguments: Sequence[str],
        inputs: Mapping[str, Path],
        *,
        seconds: float | None = None,
        fetch: Sequence[str] | None = None,
        until_output: bool = False,
    ) -> CommandRun:
        """Run the program once, and copy what it wrote before the next run wipes it.

        Args:
            arguments: Appended to the submission's argv; `{name}` stands for the folder of the
                input of that name, `{out}` for a folder that does not exist yet.
            inputs: Folders or files of the checker box, by name.
            seconds: Wall time; the exercise's own limit when left out, and never more than that.
            fetch: Output files to copy; all of them when left out.
            until_output: Kill the program as soon as something lies in its output folder: what it leaves then shows
                whether its output appears in one step.

        Raises:
            SubmissionFailed: The box itself was broken by the program.
        """
        self._link.ask("session.open")
        for name, source in inputs.items():
            self._link.put_tree(source, f"in/{name}")
        reply = self._link.ask(
            "command.run",
            {
                "argv": self._argv,
                "arguments": list(arguments),
                "inputs": sorted(inputs),
                "seconds": min(seconds or self._limits.seconds, self._limits.seconds),
                "printed": self._limits.printed,
                "until_output": until_output,
            },
        )
        files, odd = self._list()
        run = _command_run(reply.header, reply.body, files, odd)
        # What is written without end, run after run, must not fill the checker's box.
        weakref.finalize(run, _delete, run._fetched)
        wanted = sorted(files)[:FETCHED_FILES] if fetch is None else [name for name in fetch if name in files]
        self._copy(run, wanted)
        return run

    def _copy(self, run: CommandRun, wanted: Sequence[str]) -> None:
        """Copy files here as far as the limits go; one that cannot be opened costs only the checks that need it."""
        kept = sum(path.stat().st_size for each in self._runs for path in each._fetched.values())
        self._runs.add(run)
        left = min(FETCHED_SHARE * self._limits.file, KEPT_SHARE * self._limits.file - kept)
        for name in wanted:
            cap = min(left, self._limits.file)
            if run.files[name] > cap:
                continue
            try:
                run._fetched[name] = self._fetch(name, cap)
            except SubmissionFailed as failed:
                if failed.reason not in UNOPENED:
                    raise
                run.odd += (name,)
            else:
                left -= run._fetched[name].stat().st_size  # what was listed is only what the box claims

    def _list(self) -> tuple[dict[str, int], tuple[str, ...]]:
        try:
            reply = self._link.ask("file.list", {"path": "output/out"})
        except SubmissionFailed:
            return {}, ()
        entries = [entry for entry in reply.header.get("entries", []) if _is_entry(entry)]
        files = {path: size for path, kind, size in entries if kind == "file"}
        return files, tuple(path for path, kind, _ in entries if kind in ("link", "other"))

    def _fetch(self, name: str, cap: int) -> Path:
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            target = Path(file.name)
        try:
            self._link.get_file(f"output/out/{name}", target, cap)
        except BaseException:
            target.unlink()
            raise
        return target


def _delete(fetched: Mapping[str, Path]) -> None:
    for path in fetched.values():
        path.unlink(missing_ok=True)


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, list)
        and len(entry) == 3
        and isinstance(entry[0], str)
        and isinstance(entry[1], str)
        and isinstance(entry[2], int)
    )


def _command_run(header: Mapping[str, object], body: bytes, files: dict[str, int], odd: tuple[str, ...]) -> CommandRun:
    def number(name: str) -> int:
        value = header.get(name)
        return value if isinstance(value, int) else 0

    status = number("status")
    split = number("stdout")
    measured = cast("dict[str, float]", header.get("measured"))  # added by the host
    return CommandRun(
        exit_status=status if status >= 0 else None,
        signal=-status if status < 0 else None,
        timed_out=header.get("timed_out") is True,
        interrupted=header.get("interrupted") is True,
        oom=header.get("oom") is True,
        flooded=header.get("flooded") is True,
        full=header.get("full") is True,
        refused_processes=header.get("refused_processes") is True,
        leftovers=number("leftovers"),
        seconds=measured["seconds"],
        cpu_seconds=measured["cpu_seconds"],
        peak_memory=int(measured["peak_memory"]),
        stdout=body[:split].decode("utf-8", "replace"),
        stderr=body[split:].decode("utf-8", "replace"),
        files=files,
        odd=odd,
    )

"""Scale: changing schemas, unreadable files, atomic output, memory and time."""

from __future__ import annotations

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from measure import CLASS_HI, CLASS_LO, accuracy, gate_note, recall_gate, shown, thousands
from pictures import GB, memory_bar
from runs import ARGUMENTS, OUTPUTS, SECONDS, read_written
from tables import LINEAGE, ORDERS, read_json, read_truth
from volume import DONE_HI, DONE_LO, read_volume, share_done

from grader.checker.api import Reason, SubmissionFailed, linear, yardstick

STOPPED, MIDDLE = 0.75, 0.55  # what being stopped is worth in G3, beside a failure; part of its time when it is
FULL_MEMORY, NO_MEMORY = 1.0e9, 2.5e9
FULL_TIME, NO_TIME = 60.0, 225.0  # processor time, in units of the yardstick; the reference needs about 15


@pytest.mark.check(
    id="G1",
    points=4,
    competency="data-pipelines",
    title="Follows renamed, missing and nested columns from file to file",
    requirement="R5",
    question="A shop renames a column again next month. What happens on that day, and who notices first?",
    feedback="Look again at files with other column names, without some columns, or with nested lines (RULES.md 2.2).",
)
def test_schema_drift(standing, award):
    found = accuracy(standing, "moved", drifted=True)
    award(
        found.credit, found.because("values in renamed, missing or nested columns"), metrics={"accuracy": found.value}
    )


@pytest.mark.check(
    id="G2",
    points=3,
    competency="operations",
    title="Goes on without unreadable files, names them, and says so by exit status 3",
    requirement="R1",
    question=(
        "A file opens, but breaks in the middle. What did your program already do with its first rows, and "
        "how is that undone?"
    ),
    feedback=(
        "With unreadable files among the input, the others are not complete, the list is wrong, or the exit "
        "status is not 3 (RULES.md 1)."
    ),
)
def test_unreadable_files(command, variant, award):
    folder = variant.path / "corrupt"
    run = command.run(ARGUMENTS, {"raw": folder / "raw"}, seconds=SECONDS)
    if run.exit_status != 3:
        run.require_exit(0, 3)
    standing = read_written(run).beside(read_truth(folder / "truth"))
    expected = read_json(folder / "truth" / "report.json")["unreadable"]
    foreign = int((standing.order_places < 0).sum())
    listed = reported_unreadable(run)
    complete = linear(standing.recall - foreign / max(standing.orders.num_rows, 1), CLASS_LO, CLASS_HI)
    share = (1 + (run.exit_status == 3) + (listed == expected)) / 3
    evidence = {
        "rows of readable files kept": f"{standing.recall:.1%}",
        "output rows from elsewhere": thousands(foreign),
    }
    evidence |= {
        "exit status": run.exit_status,
        "unreadable, reported": shown(str(listed)),
        "unreadable, really": expected,
    }
    because = (
        "All else was processed." if complete == 1 else "Rows of readable files are missing, or others were added."
    )
    award(complete * share, because, evidence=evidence, metrics={"complete": complete})


def reported_unreadable(run) -> object:
    """Return the list of unreadable files in a run's report; None when there is none."""
    try:
        report = run.json("report.json")
    except SubmissionFailed:
        return None
    return report.get("unreadable") if isinstance(report, dict) else None


@pytest.mark.check(
    id="G3",
    points=2,
    competency="operations",
    title="Leaves complete output or none, even when it is stopped",
    requirement="R2",
    question="Your program is killed between two of its three files. What does the next program in the chain see?",
    feedback="When the program failed or was stopped, it left part of its output behind (RULES.md 1).",
)
def test_atomic_output(main_run, main_raw, standing, command, variant, award):
    failed = command.run(ARGUMENTS, {"raw": variant.path / "crash" / "raw"}, seconds=SECONDS)
    refused = not failed.timed_out and failed.exit_status not in (0, 3) and not failed.files
    evidence = {} if refused else {"customers.parquet cut short": ending(failed)}
    stops = {
        "stopped at half of its time": stopped_half_way(command, main_run, main_raw),
        "stopped when its first file was there": command.run(
            ARGUMENTS, {"raw": main_raw}, seconds=SECONDS, until_output=True
        ),
    }
    torn = {name: ending(run) for name, run in stops.items() if run.files and not complete(main_run, run)}
    because = "It left complete output or none, and reported the failure."
    if evidence | torn:
        because = "After a failure or a stop, part of the output was there, or the failure was not reported."
    share = (1 - STOPPED) * refused + STOPPED * (not torn)
    award(share * recall_gate(standing), because + gate_note(standing), evidence=evidence | torn)


def stopped_half_way(command, main_run, main_raw):
    """Run the program, and stop it at half of its time."""
    stopped = command.run(ARGUMENTS, {"raw": main_raw}, seconds=max(0.2, MIDDLE * main_run.seconds))
    if stopped.timed_out or stopped.exit_status != main_run.exit_status:
        return stopped
    # It was done before it was to be stopped: the main run had to share the machine, and this one had not.
    return command.run(ARGUMENTS, {"raw": main_raw}, seconds=max(0.2, MIDDLE * stopped.seconds))


def ending(run) -> str:
    """Say how a run ended and what it left."""
    left = ", ".join(f"{name} ({size:,} bytes)" for name, size in sorted(run.files.items())[:6]) or "nothing"
    return f"exit status {run.exit_status}, time-out: {run.timed_out}, left {left}"


def complete(whole, stopped) -> bool:
    """Tell whether a stopped run left all files as a whole run does."""
    return all(name in stopped.files and stopped.files[name] == whole.files.get(name) for name in OUTPUTS)


@pytest.fixture(scope="module")
def history_raw(variant):
    """The data set of 3 million rows."""
    return variant.path / "history" / "raw"


@pytest.fixture(scope="module")
def history_run(command, history_raw):
    """The run on it."""
    run = command.run(ARGUMENTS, {"raw": history_raw}, fetch=["orders.parquet", "quarantine.parquet"])
    run.require_exit(0)
    return run


@pytest.fixture(scope="module")
def history_share(history_run, variant) -> float:
    """How much of its result is there and right."""
    orders = history_run.lenient_table("orders.parquet", ORDERS).table
    try:
        quarantine = history_run.lenient_table("quarantine.parquet", LINEAGE).table
    except SubmissionFailed:  # not there, or very large: the newest states may still show what was read
        quarantine = LINEAGE.empty_table()
    return share_done(orders, quarantine, read_volume(variant.path / "history" / "truth"))


@pytest.mark.check(
    id="G4",
    points=4,
    competency="performance",
    title="Stays within memory at 3 million rows",
    requirement="R4",
    question="Input grows to ten times this size. Which part of your program breaks first, and what would you change?",
    feedback=(
        "The program needs much memory for 3 million rows, does not finish, or its result is not right there "
        "(RULES.md 1)."
    ),
)
def test_memory(history_run, history_share, award, plot):
    gate = linear(history_share, DONE_LO, DONE_HI)
    credit = linear(history_run.peak_memory, NO_MEMORY, FULL_MEMORY)
    because = f"Peak memory was {history_run.peak_memory / GB:.2f} GB at 3 million rows."
    because += "" if gate == 1 else f" Only {history_share:.0%} of the result was there and right."
    picture = memory_bar(history_run.peak_memory, FULL_MEMORY, NO_MEMORY)
    plot(picture, "Peak memory at 3 million rows")
    metrics = {"peak bytes": float(history_run.peak_memory), "done": history_share}
    award(credit * gate, because, reason=Reason.MEMORY if gate else Reason.INACTIVE, metrics=metrics)


def read_and_sort(path) -> None:
    """Do a fixed piece of work in one thread: read two columns of the data and sort one."""
    table = pq.read_table(path, columns=["ingested_at", "amount"], use_threads=False)
    pc.sort_indices(table["ingested_at"])


@pytest.mark.check(
    id="G5",
    points=1,
    competency="performance",
    title="Takes reasonable time at 3 million rows",
    requirement="R4",
    question="Where does your program spend its time, and how do you know?",
    feedback="The program is slow at 3 million rows, does not finish, or its result is not right there.",
)
def test_time(history_run, history_share, history_raw, award):
    unit = yardstick(lambda: read_and_sort(history_raw / "orders" / "part-00.parquet"))
    gate = linear(history_share, DONE_LO, DONE_HI)
    took = history_run.cpu_seconds
    credit = linear(took / unit, NO_TIME, FULL_TIME)
    because = (
        f"It took {took:.1f} s of processor time at 3 million rows, {took / unit:.0f} times a fixed piece of work."
    )
    metrics = {"processor seconds": took, "yardsticks": took / unit}
    award(credit * gate, because, reason=Reason.SLOW if gate else Reason.INACTIVE, metrics=metrics)

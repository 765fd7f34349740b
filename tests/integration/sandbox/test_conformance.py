"""What both kinds of boxes do alike. Where they differ is listed, and the list is tested too."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from grader.clock import Deadline
from grader.errors import InfrastructureFault
from grader.sandbox.hardening import GVISOR
from grader.sandbox.port import Box
from grader.sandbox.stream import READ_AHEAD, STDERR_KEPT
from tests.integration.sandbox import programs
from tests.integration.sandbox.conftest import Boxes, answer, containers_of, soon

# What a child process cannot do; for each there is a test that fails on the day it can.
KNOWN_DIFFERENCES = {
    "process": {
        "walls": "an ordinary process of this user",
        "limits": "none are set",
        "sees only itself": "it sees this machine's processes",
    }
}


def started(box: Box) -> Box:
    assert box.read_exactly(5, soon()) == b"ready"
    return box


@pytest.mark.parametrize("size", [1, 100, 65_536, 1024 * 1024, READ_AHEAD + 1])
def test_bytes_come_back_as_they_were_sent(boxes: Boxes, size: int) -> None:
    box = boxes(programs.ECHO)
    data = os.urandom(size)
    box.write(data, soon())
    assert box.read_exactly(size, soon()) == data


def test_reads_cut_the_stream_where_they_are_told_to(boxes: Boxes) -> None:
    box = boxes(programs.ECHO)
    box.write(b"abcdefgh", soon())
    assert [box.read_exactly(3, soon()), box.read_exactly(5, soon())] == [b"abc", b"defgh"]


def test_a_read_ends_at_its_deadline_and_the_stream_goes_on(boxes: Boxes) -> None:
    box = started(boxes(programs.LATE))
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        box.read_exactly(4, Deadline(0.2))
    assert time.monotonic() - start < 5
    box.write(b"!", soon())
    assert box.read_exactly(4, soon()) == b"late"


def test_a_write_to_a_box_that_never_reads_ends_at_its_deadline(boxes: Boxes) -> None:
    box = started(boxes(programs.SILENT))
    with pytest.raises(TimeoutError):
        box.write(bytes(64 * 1024 * 1024), Deadline(1))


def test_reading_from_a_box_that_ended_meets_the_end(boxes: Boxes) -> None:
    box = started(boxes(programs.LAST_WORDS))
    with pytest.raises(EOFError):
        box.read_exactly(1, soon())


def test_writing_to_a_box_that_ended_meets_the_end(boxes: Boxes) -> None:
    box = started(boxes(programs.LAST_WORDS))
    with pytest.raises(EOFError):
        box.write(bytes(64 * 1024 * 1024), soon())


def test_both_sides_can_write_at_once(boxes: Boxes) -> None:
    box = boxes(programs.FLOOD_THEN_READ)
    box.write(b"32\n", soon())
    box.write(bytes(3 * 1024 * 1024), soon())
    assert box.read_exactly(32 * 65536, soon()).count(b"x") == 32 * 65536
    assert box.read_exactly(4, soon()) == b"done"


def test_a_flood_stops_at_the_box_and_not_in_our_memory(boxes: Boxes) -> None:
    box = started(boxes(programs.FLOOD))
    before = _resident()
    with pytest.raises(TimeoutError):
        box.write(bytes(64 * 1024 * 1024), Deadline(2))
    assert _resident() - before < 3 * READ_AHEAD + 64 * 1024 * 1024


def test_stderr_is_drained_on_the_side_and_its_end_is_kept(boxes: Boxes) -> None:
    box = started(boxes(programs.STDERR_FLOOD))
    assert box.read_exactly(5, soon()) == b"after"
    with pytest.raises(EOFError):  # the two streams are copied side by side: both are complete once the box ended
        box.read_exactly(1, soon())
    ending = box.close()
    assert len(ending.stderr) == STDERR_KEPT
    assert ending.stderr.endswith(b"3" * 65536)


def test_endless_stderr_is_cut_off(boxes: Boxes) -> None:
    box = started(boxes(programs.ENDLESS_STDERR))
    with pytest.raises(EOFError):
        box.read_exactly(1, soon())
    assert box.close().removed_by_us


def test_how_a_box_ended_by_itself_is_known(boxes: Boxes) -> None:
    box = started(boxes(programs.LAST_WORDS))
    with pytest.raises(EOFError):
        box.read_exactly(1, soon())
    ending = box.close()
    assert (ending.exit_status, ending.oom, ending.removed_by_us, ending.stderr) == (3, False, False, b"last words")


def test_a_box_that_still_runs_is_ended_by_close(boxes: Boxes) -> None:
    ending = started(boxes(programs.SILENT)).close()
    assert (ending.exit_status, ending.removed_by_us) == (137, True)


def test_close_says_the_same_twice(boxes: Boxes) -> None:
    box = started(boxes(programs.SILENT))
    assert box.close() is box.close()


def test_kill_ends_the_stream_and_may_be_repeated(boxes: Boxes) -> None:
    box = started(boxes(programs.SILENT))
    box.kill()
    box.kill()
    with pytest.raises(EOFError):
        box.read_exactly(1, soon())
    assert box.close().removed_by_us
    box.kill()


def test_a_paused_box_uses_no_time_and_goes_on_where_it_was(boxes: Boxes) -> None:
    box = started(boxes(programs.BUSY_ECHO))
    box.pause()
    before = box.usage().cpu_seconds
    box.write(b"x", soon())
    with pytest.raises(TimeoutError):
        box.read_exactly(1, Deadline(0.5))
    idle = box.usage().cpu_seconds - before
    box.resume()
    assert box.read_exactly(1, soon()) == b"x"
    assert idle < 0.1


def test_nothing_is_left_of_a_paused_box(boxes: Boxes) -> None:
    box = started(boxes(programs.GRANDCHILD))
    traces = _traces(boxes, box)
    box.pause()
    box.close()
    assert not traces()


def test_nothing_is_left_of_a_box(boxes: Boxes, tmp_path: Path) -> None:
    box = started(boxes(programs.GRANDCHILD))
    traces = _traces(boxes, box)
    assert traces()
    box.close()
    assert not traces()


def test_use_of_cpu_and_memory_is_seen_from_outside(boxes: Boxes) -> None:
    box = started(boxes(programs.WORK))
    assert box.read_exactly(6, soon()) == b"worked"
    usage = box.usage()
    assert 0.25 < usage.cpu_seconds < 10
    assert 64 * 1024 * 1024 < usage.memory <= usage.peak_memory < 256 * 1024 * 1024


def test_use_is_still_known_after_the_end(boxes: Boxes) -> None:
    box = started(boxes(programs.WORK))
    box.read_exactly(6, soon())
    peak = box.usage().peak_memory
    box.close()
    assert box.usage().peak_memory == peak


def test_the_environment_is_empty_but_for_what_is_said(boxes: Boxes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_TOKEN", "secret")
    box = boxes(programs.EVALUATE)
    names = set(answer(box, "','.join(os.environ)").split(","))
    assert {"PATH", "HOME", "LANG"} <= names <= _NAMES


_NAMES = {"PATH", "HOME", "LANG", "TMPDIR", "GRADER_WORK", "GRADER_SCRATCH", "LC_CTYPE", "HOSTNAME"}


def test_it_starts_in_an_empty_folder_that_it_may_write_to(boxes: Boxes) -> None:
    box = boxes(programs.EVALUATE)
    assert answer(box, "os.listdir('.')") == "[]"
    assert answer(box, "Path('file').write_text('x')") == "1"


def test_boxes_do_not_share_files(boxes: Boxes) -> None:
    first, second = boxes(programs.EVALUATE), boxes(programs.EVALUATE)
    answer(first, "Path('file').write_text('x')")
    assert answer(second, "os.listdir('.')") == "[]"


def test_no_descriptor_is_inherited(boxes: Boxes) -> None:
    with Path("/etc/hostname").open() as file:
        os.set_inheritable(file.fileno(), True)
        box = boxes(programs.EVALUATE)
        names = answer(box, "sorted(int(name) for name in os.listdir('/proc/self/fd'))")
    assert names == "[0, 1, 2, 3]"  # 3 is the listing itself


def test_a_program_that_is_not_there_is_a_fault(boxes: Boxes) -> None:
    sandbox = boxes.sandbox("")
    sandbox._program = ("/no/such/program",)
    with pytest.raises(InfrastructureFault):
        sandbox.open(boxes.spec())


def test_limits_hold(boxes: Boxes) -> None:
    limited = answer(boxes(programs.EVALUATE), "resource.getrlimit(resource.RLIMIT_NOFILE)[1]") == "1024"
    assert limited is _alike(boxes, "limits")


def test_a_box_sees_only_itself(boxes: Boxes) -> None:
    box = boxes(programs.EVALUATE)
    alone = answer(box, "[name for name in os.listdir('/proc') if name.isdigit()]") == "['1']"
    assert alone is _alike(boxes, "sees only itself")


def test_walls_are_told_as_they_are(boxes: Boxes) -> None:
    isolation = boxes(programs.ECHO).isolation
    ours = "none (gVisor's own)" if isolation.runtime == GVISOR else "grader "
    assert (isolation.seccomp.startswith(ours)) is _alike(boxes, "walls")
    assert ("There are no walls" in " ".join(isolation.warnings)) is not _alike(boxes, "walls")


def _alike(boxes: Boxes, what: str) -> bool:
    return what not in KNOWN_DIFFERENCES.get(boxes.adapter, {})


def _traces(boxes: Boxes, box: Box) -> object:
    if boxes.engine is not None:
        engine, run = boxes.engine, _label(boxes, box)
        return lambda: containers_of(engine, run)
    pid = int(box.read_exactly(8, soon()))
    return lambda: box.folder.exists() or _session(pid)  # type: ignore[attr-defined]


def _label(boxes: Boxes, box: Box) -> str:
    inspected = boxes.engine.api.inspect_container(box.container)  # type: ignore[union-attr, attr-defined]
    return str(inspected["Config"]["Labels"]["grader.run"])


def _session(leader: int) -> list[str]:
    """Processes of a session that are not dead yet."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(entry.parent.name)
    return found


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

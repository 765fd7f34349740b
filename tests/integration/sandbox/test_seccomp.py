"""docker/seccomp.json, tried from inside: what it refuses, and that honest programs do not notice it."""

from __future__ import annotations

import contextlib
import platform
import signal
from collections.abc import Iterator

import pytest

from grader.clock import Deadline
from grader.sandbox.docker_engine import Engine
from grader.sandbox.port import Box
from tests.integration.sandbox import honest, programs
from tests.integration.sandbox.conftest import Boxes, answer

pytestmark = pytest.mark.docker

# Name → number on x86_64, on aarch64; None where that architecture never had it.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_settime": (227, 112),
    "fanotify_init": (300, 262),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "inotify_init1": (294, 26),
    "io_setup": (206, 0),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "landlock_create_ruleset": (444, 444),
    "memfd_secret": (447, 447),
    "mknodat": (259, 33),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "seccomp": (317, 277),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "splice": (275, 76),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
}
CLONE = (56, 220)
CLONE3 = (435, 435)
IOCTL = (16, 29)
PRLIMIT = (302, 261)
NEW_USER, NEW_NET, NEW_PID = 0x10000000, 0x40000000, 0x20000000
TIOCSTI, TIOCSETD = 0x5412, 0x5423


def here(numbers: tuple[int | None, int | None]) -> int:
    number = numbers[platform.machine() == "aarch64"]
    if number is None:
        pytest.skip("this architecture never had it")
    return number


@pytest.fixture(scope="module")
def box(engine: Engine, runtime_image: str) -> Iterator[Box]:
    with contextlib.closing(Boxes("docker", runtime_image, engine)(programs.EVALUATE)) as box:
        yield box


@pytest.mark.parametrize("name", REFUSED)
def test_a_system_call_is_refused(box: Box, name: str) -> None:
    # Newer than every listed one, runc answers ENOSYS of its own accord.
    assert answer(box, f"syscall({here(REFUSED[name])}, 0, 0, 0, 0, 0)") in ("EPERM", "ENOSYS")


@pytest.mark.parametrize("flag", [NEW_USER, NEW_NET, NEW_PID, 0x00020000, 0x02000000, 0x04000000, 0x08000000])
def test_no_namespace_can_be_made(box: Box, flag: int) -> None:
    assert answer(box, f"syscall({here(CLONE)}, {flag | 17}, 0, 0, 0, 0)") == "EPERM"


def test_clone3_seems_not_to_exist(box: Box) -> None:
    assert answer(box, f"syscall({here(CLONE3)}, 0, 0)") == "ENOSYS"


def test_threads_and_processes_start_all_the_same(box: Box) -> None:
    assert answer(box, "subprocess.run(['true']).returncode") == "0"
    assert answer(box, "(lambda t: (t.start(), t.join()))(threading.Thread(target=print)) and 1") == "1"


def test_limits_are_set_for_oneself_alone(box: Box) -> None:
    # By its number, as a program sets the first process's: the kernel looks at the lower half only.
    assert answer(box, "refused(lambda: resource.prlimit(1, resource.RLIMIT_CPU, (0, 0)))") == "EPERM"
    assert answer(box, f"syscall({here(PRLIMIT)}, {1 << 32 | 1}, 0, 0, 0)") == "EPERM"
    assert answer(box, "refused(lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))") == "allowed: None"
    assert answer(box, "refused(lambda: len(resource.prlimit(0, resource.RLIMIT_CPU)))") == "allowed: 2"


def test_only_three_families_of_sockets_can_be_made(box: Box) -> None:
    kinds = "(socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET)"
    makeable = f"sorted({{f for f in range(64) for k in {kinds} if refused(lambda: socket.socket(f, k))[0] == 'a'}})"
    assert answer(box, makeable) == "[1, 2, 10]"


@pytest.mark.parametrize("family", [3, 15, 17, 29, 31, 38, 40, 44], ids=str)
def test_a_family_is_refused_by_the_filter_and_not_for_want_of_a_module(box: Box, family: int) -> None:
    assert answer(box, f"refused(lambda: socket.socket({family}, socket.SOCK_RAW))") == "EPERM"


def test_netlink_seems_not_to_exist(box: Box) -> None:
    assert (
        answer(box, "refused(lambda: socket.socket(16, socket.SOCK_RAW, 0))") == "ENOTSUP"
    )  # the same number as EOPNOTSUPP


@pytest.mark.parametrize(("kind", "protocol"), [(1, 132), (1, 262), (2, 136), (2, 33), (2, 1), (3, 1), (5, 0)])
def test_of_the_internet_only_tcp_and_udp(box: Box, kind: int, protocol: int) -> None:
    assert answer(box, f"refused(lambda: socket.socket(2, {kind}, {protocol}))") == "EPERM"


@pytest.mark.parametrize("request_code", [TIOCSTI, TIOCSETD, 1 << 32 | TIOCSTI, 1 << 32 | TIOCSETD])
def test_terminals_cannot_be_meddled_with(box: Box, request_code: int) -> None:
    # The kernel looks at the lower half only, the filter at all of it.
    assert answer(box, f"syscall({here(IOCTL)}, 0, {request_code}, 0)") == "EPERM"


GETPID_BY_INT80 = """
import ctypes, mmap
code = mmap.mmap(-1, 4096, prot=7)
code.write(bytes.fromhex('b814000000cd80c3'))
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))())
"""
GETPID_AS_X32 = "import ctypes; print(ctypes.CDLL(None).syscall(0x40000000 + 39))"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86_64 has other ways in")
@pytest.mark.parametrize("program", [GETPID_BY_INT80, GETPID_AS_X32], ids=["int80", "x32"])
def test_calls_of_other_architectures_are_refused(box: Box, program: str) -> None:
    run = f"subprocess.run(['python', '-c', {program!r}], stdout=-1)"
    status, printed = eval(answer(box, f"(lambda r: (r.returncode, r.stdout))({run})"))
    assert status == -signal.SIGSYS or int(printed) < 0


@pytest.mark.slow
@pytest.mark.parametrize("name", honest.NAMES)
def test_an_honest_program_works(docker_boxes: Boxes, name: str) -> None:
    box = docker_boxes(programs.EVALUATE)
    command = ["python", "-c", honest.source(name)]
    # A pipe, because the box's own stdin and stdout carry this very conversation.
    ran = f"(lambda r: (r.returncode, r.stdout[-2000:]))(subprocess.run({command!r}, stdin=-3, stdout=-1, stderr=-2))"
    assert answer(box, ran, Deadline(120)) == "(0, b'worked\\n')"

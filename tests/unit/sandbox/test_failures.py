from __future__ import annotations

import pytest

from grader.errors import EngineUnavailable, ImageMissing, InfrastructureFault
from grader.model.reasons import Reason
from grader.model.run import Party
from grader.sandbox.failures import blame_for, start_fault
from grader.sandbox.port import Ending, Role


def ending(status: int | None, *, oom: bool = False, ours: bool = False, stderr: bytes = b"") -> Ending:
    return Ending(exit_status=status, oom=oom, removed_by_us=ours, stderr=stderr)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (ending(0), Reason.NO_RESPONSE),
        (ending(1), Reason.CRASHED),
        (ending(139), Reason.CRASHED),
        (ending(134), Reason.CRASHED),
        (ending(255), Reason.CRASHED),
        (ending(137, oom=True), Reason.OOM),
        (ending(0, oom=True), Reason.OOM),  # a child was killed for memory, and the parent left politely
        (ending(137, oom=True, ours=True), Reason.OOM),
    ],
)
def test_the_submission_is_to_blame(how: Ending, reason: Reason) -> None:
    blame = blame_for(Role.SUBMISSION, how)
    assert blame is not None
    assert (blame.party, blame.reason) == (Party.CANDIDATE, reason)


@pytest.mark.parametrize("how", [ending(137), ending(143), ending(None)])
@pytest.mark.parametrize("role", list(Role))
def test_the_machine_is_to_blame(role: Role, how: Ending) -> None:
    blame = blame_for(role, how)
    assert blame is not None
    assert (blame.party, blame.reason) == (Party.INFRASTRUCTURE, None)
    assert blame.hint


def test_on_gvisor_the_program_itself_may_have_ended_its_box_and_does_not_pay_for_it() -> None:
    blame = blame_for(Role.SUBMISSION, ending(137), "runsc")
    assert blame is not None
    assert (blame.party, blame.reason) == (Party.INFRASTRUCTURE, None)
    assert "its own program" in blame.message
    assert "runc" in blame.hint
    assert blame_for(Role.CHECKER, ending(137), "runsc") == blame_for(Role.CHECKER, ending(137), "runc")
    assert blame_for(Role.SUBMISSION, ending(139), "runsc") == blame_for(Role.SUBMISSION, ending(139))


@pytest.mark.parametrize("status", [0, 1, 2, 139])
def test_a_checker_that_ends_is_never_the_candidates_fault(status: int) -> None:
    blame = blame_for(Role.CHECKER, ending(status))
    assert blame is not None
    assert blame.party is Party.INFRASTRUCTURE


def test_a_checker_out_of_memory_is_for_the_author() -> None:
    blame = blame_for(Role.CHECKER, ending(137, oom=True))
    assert blame is not None
    assert (blame.party, blame.reason) == (Party.AUTHOR, None)
    assert "limits.checker.memory" in blame.hint


@pytest.mark.parametrize("status", [0, 137, None])
def test_nobody_is_to_blame_for_what_we_did(status: int | None) -> None:
    assert blame_for(Role.SUBMISSION, ending(status, ours=True)) is None


LIES = [
    b"Cannot connect to the Docker daemon at unix:///var/run/docker.sock",
    b"write /var/lib/docker: no space left on device",
    b"OCI runtime create failed: runc create failed",
    b"oom-kill: Killed process 1",
]


@pytest.mark.parametrize("text", LIES)
def test_what_a_submission_prints_moves_no_blame(text: bytes) -> None:
    assert blame_for(Role.SUBMISSION, ending(1, stderr=text)) == blame_for(Role.SUBMISSION, ending(1))


# Captured from Docker 20.10.24 with runc 1.1.5, but for the last two, which are a full disk's and a rootless engine's.
RUNC = "failed to create shim task: OCI runtime create failed: runc create failed: "
NO_FILE = RUNC + 'unable to start container process: exec: "/nope": stat /nope: no such file or directory: unknown'
NOT_IN_PATH = RUNC + 'unable to start container process: exec: "nope": executable file not found in $PATH: unknown'
NOT_EXECUTABLE = RUNC + 'unable to start container process: exec: "/etc/passwd": permission denied: unknown'
NO_RIGHT_TO_LIMIT = RUNC + (
    "unable to start container process: error during container init: error setting rlimits for ready process: "
    "error setting rlimit type 7: operation not permitted: unknown"
)
BAD_PROFILE = RUNC + "string SCMP_ACT_NOPE is not a valid action for seccomp: unknown"
CAPTURED = [
    ("No such image: sha256:0000", ImageMissing, "grader setup"),
    ("No command specified", ImageMissing, "grader setup"),
    (NO_FILE, ImageMissing, "grader setup"),
    (NOT_IN_PATH, ImageMissing, "grader setup"),
    (NOT_EXECUTABLE, ImageMissing, "grader setup"),
    ("Unknown runtime specified runsc", InfrastructureFault, "GRADER_RUNTIME"),
    (BAD_PROFILE, InfrastructureFault, "seccomp.json"),
    ("cannot start a stopped process: unknown", InfrastructureFault, "limit"),
    ("Minimum memory limit allowed is 6MB", InfrastructureFault, "memory limit"),
    (NO_RIGHT_TO_LIMIT, InfrastructureFault, "rootless"),
    ("mkdir /var/lib/docker/overlay2/x: no space left on device", InfrastructureFault, "disk space"),
    (RUNC + "unable to apply cgroup configuration: permission denied", InfrastructureFault, "delegation"),
]


@pytest.mark.parametrize(("words", "kind", "hint"), CAPTURED, ids=[words[-40:] for words, _, _ in CAPTURED])
def test_the_engines_words_get_a_hint_that_helps(words: str, kind: type, hint: str) -> None:
    fault = start_fault(InfrastructureFault(f"starting the submission box: {words}", hint="Try again."))
    assert type(fault) is kind
    assert hint in fault.hint
    assert words in fault.message


# Captured from Podman 4.3.1.
PODMAN = [
    ('container create: opening seccomp profile failed: open {"archMap":[{...: file name too long', "seccomp profile"),
    ('container create: unknown mount option "nr_inodes=20000": invalid mount option', "how many files"),
]


@pytest.mark.parametrize(("words", "says"), PODMAN)
def test_podmans_refusals_are_said_in_words_that_help(words: str, says: str) -> None:
    fault = start_fault(InfrastructureFault(f"starting the submission box: {words}", hint="Try again."))
    assert says in fault.message
    assert "archMap" not in fault.message
    assert "Podman" in fault.hint


@pytest.mark.parametrize("words", ["removal of container x is already in progress", "Conflict. The name is in use"])
def test_unknown_words_keep_their_fault(words: str) -> None:
    fault = InfrastructureFault(words, hint="Try again.")
    assert start_fault(fault) is fault


def test_an_engine_that_is_gone_stays_that_whatever_its_words() -> None:
    fault = EngineUnavailable("no such image server: seccomp", hint="Start it.")
    assert start_fault(fault) is fault

"""Who is to blame for how a box ended, or for a box that did not start. Pure.

Two questions, two tables of facts. What the engine says is trusted. What came out of a submission
box is not: neither its stderr nor its exit status can turn a candidate's failure into a fault of
ours, but for the one status that its program cannot reach while the engine says otherwise.

Blind spots, known: a program that makes the agent exit with 137 looks like a kill from outside the
box, which gives a fault and a second try, never points. And when the whole machine runs out of
memory, the kernel may take any process of the box; inside it that looks like a crash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.errors import EngineUnavailable, ImageMissing, InfrastructureFault
from grader.model.reasons import Reason
from grader.model.run import Party
from grader.sandbox.hardening import GVISOR
from grader.sandbox.port import Ending, Role

KILLED = 128 + 9
ENDED = 128 + 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Blame:
    """Who has to answer for the end of a box.

    Attributes:
        party: The one who must act.
        reason: Code for the check that was running; only where the candidate is to blame.
        message: What happened, in our own words.
        hint: What to do next.
    """

    party: Party
    reason: Reason | None = None
    message: str
    hint: str = ""


def blame_for(role: Role, ending: Ending, runtime: str = "") -> Blame | None:
    """Return who is to blame for a box that ended while it was needed, or None if we ended it.

    Args:
        role: What the box was for.
        ending: From `Box.close`; its stderr is not looked at.
        runtime: OCI runtime of the box. It moves no blame, but what can have happened differs.
    """
    if ending.oom:
        return _out_of_memory(role)
    if ending.removed_by_us:
        return None
    if ending.exit_status is None:
        return _infrastructure(f"The {role} box is gone, and the engine does not know how it ended.")
    if ending.exit_status in (KILLED, ENDED):
        if role is Role.SUBMISSION and runtime == GVISOR:
            return _stopped_on_gvisor()
        # From inside, nothing can signal the first process of a box; docs/decisions/2026-11-23-agent-is-pid-1.md.
        return _infrastructure(f"The {role} box was stopped from outside, by a person or by a machine out of memory.")
    if role is Role.CHECKER:
        return _infrastructure(f"The checker ended by itself with status {ending.exit_status}.")
    if ending.exit_status == 0:
        return _candidate(Reason.NO_RESPONSE, "The program ended its box without giving an answer.")
    return _candidate(Reason.CRASHED, f"The program ended its box; status {ending.exit_status}.")


def _stopped_on_gvisor() -> Blame:
    """There the first process can be killed from inside, and ends as if the engine or the kernel had killed it.

    A submission must not pay for what may be the machine's doing, so a person decides.
    """
    return Blame(
        party=Party.INFRASTRUCTURE,
        message="The submission box was stopped: from outside, by a machine out of memory, or by its own program.",
        hint=(
            "Grade again, also on runc, where no program can do that to its box. If only this submission ends so, and "
            "always on gVisor, read what it does."
        ),
    )


def _out_of_memory(role: Role) -> Blame:
    if role is Role.SUBMISSION:
        return _candidate(Reason.OOM, "The box ran out of the memory that it may use.")
    return Blame(
        party=Party.AUTHOR,
        message="The checker ran out of the memory that it may use.",
        hint="Raise limits.checker.memory in exercise.toml, or let the check read less at once.",
    )


def _candidate(reason: Reason, message: str) -> Blame:
    return Blame(party=Party.CANDIDATE, reason=reason, message=message)


def _infrastructure(message: str) -> Blame:
    return Blame(
        party=Party.INFRASTRUCTURE,
        message=message,
        hint="Grade again; 'grader doctor' tells what the engine says about itself.",
    )


@dataclass(frozen=True, slots=True)
class _Signature:
    """A sentence of the engine's, and what it means for whoever reads it."""

    pattern: re.Pattern[str]
    kind: type[InfrastructureFault]
    hint: str
    says: str = ""  # in place of the engine's words, where these are of no help


def _signature(pattern: str, kind: type[InfrastructureFault], hint: str, says: str = "") -> _Signature:
    return _Signature(re.compile(pattern), kind, hint, says)


_PODMAN = (
    "Nothing was run. Podman's Docker-compatible API cannot build these boxes; use Docker's engine. Why: "
    "docs/decisions/2026-11-28-other-engines.md."
)
_BROKEN_IMAGE = "The image is damaged or not grader's; build it again with 'grader setup'."

# The engine's own words, captured from Docker 20.10 with runc 1.1 and from Podman 4.3; the tests hold them. The first
# match counts.
_SIGNATURES = (
    _signature(
        r"opening seccomp profile failed",
        InfrastructureFault,
        _PODMAN,
        "the engine takes the name of a file in place of a seccomp profile",
    ),
    _signature(
        r"unknown mount option \"(nr_inodes|uid|gid)=",
        InfrastructureFault,
        _PODMAN,
        "the engine cannot limit how many files a box has, nor say whose its folder is",
    ),
    _signature(r"No such image", ImageMissing, "Build the images with 'grader setup'."),
    _signature(r"No command specified", ImageMissing, _BROKEN_IMAGE),
    _signature(r"exec: .*(no such file|not found|permission denied|exec format error)", ImageMissing, _BROKEN_IMAGE),
    _signature(
        r"[Uu]nknown( or invalid)? runtime( name)?",
        InfrastructureFault,
        "The engine does not have this runtime; install it, or take GRADER_RUNTIME=runc.",
    ),
    _signature(
        r"seccomp",
        InfrastructureFault,
        "The engine cannot use docker/seccomp.json; its kernel or its runc may be built without seccomp.",
    ),
    _signature(
        r"Minimum memory limit",
        InfrastructureFault,
        "Raise the memory limit in exercise.toml.",
    ),
    _signature(
        r"no space left on device|disk quota exceeded",
        InfrastructureFault,
        "Free some disk space ('grader doctor --clean' removes what grader left), then try again.",
    ),
    _signature(
        r"cannot start a stopped process|cgroup|rlimit",
        InfrastructureFault,
        "The engine could not apply a limit; a rootless engine needs cgroup v2 with delegation ('grader doctor').",
    ),
)


def start_fault(fault: InfrastructureFault) -> InfrastructureFault:
    """Return a fault met while a box was being made, with a better hint where its words are known.

    Args:
        fault: As the engine's connection translated it; nothing in it comes from a submission,
            since none has been sent yet.
    """
    if isinstance(fault, EngineUnavailable):
        return fault
    for signature in _SIGNATURES:
        if signature.pattern.search(fault.message):
            return signature.kind(signature.says or fault.message, hint=signature.hint)
    return fault

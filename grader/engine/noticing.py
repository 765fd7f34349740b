"""Facts about a submission that meddles, collected while it is graded. They go on the sheet and change no points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grader.frames import Frame
from grader.model.reasons import Reason
from grader.model.result import CheckResult
from grader.model.run import Noticed, Sign

KIT_CHECKS = "checks/"  # the kit's own, which candidates may change and hand in
WHERE_CAP = 8
TIMES_CAP = 1_000_000
_REASONS = {Reason.PROTOCOL: Sign.PROTOCOL, Reason.OUTPUT_CAP: Sign.FLOOD}


class Notices:
    """What has been noticed so far."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._times: dict[Sign, int] = {}
        self._where: dict[Sign, dict[str, None]] = {}
        self._unreachable = 0

    def see(self, sign: Sign, times: int = 1, where: Iterable[str] = ()) -> None:
        """Add to what was noticed."""
        self._times[sign] = min(TIMES_CAP, self._times.get(sign, 0) + times)
        self._where.setdefault(sign, {}).update((name, None) for name in map(_line, where) if name)

    def see_handed_in(self, steering: Iterable[str]) -> None:
        """Notice files of a submission, but for those among the kit's own checks."""
        found = [path for path in steering if not path.startswith(KIT_CHECKS)]
        if found:
            self.see(Sign.STEERING, len(found), found)

    def see_reply(self, reply: Frame) -> None:
        """Notice what the agent of a box tells of a run. The box is the candidate's, so it may also tell nothing."""
        header = reply.header
        if header.get("flooded") is True:
            self.see(Sign.FLOOD)
        elif header.get("timed_out") is not True and _count(header, "leftovers"):
            # What is stopped from outside leaves its processes behind through no doing of its own.
            self.see(Sign.LEFT_OVER, _count(header, "leftovers"))
        planted = header.get("planted")
        if isinstance(planted, list) and planted:
            self.see(Sign.PLANTED, 1, [name for name in planted[:WHERE_CAP] if isinstance(name, str)])
        unreachable = _count(header, "unreachable")  # in this box so far
        if unreachable > self._unreachable:
            self.see(Sign.NETWORK, unreachable - self._unreachable)
            self._unreachable = unreachable

    def forget_box(self) -> None:
        """Begin to count anew: the next reply comes from another box."""
        self._unreachable = 0

    def see_results(self, results: Iterable[CheckResult]) -> None:
        """Notice what checks say about how their answers came."""
        for result in results:
            sign = _REASONS.get(result.reason) if result.reason else None
            if sign is not None:
                self.see(sign, 1, [result.check])

    def all(self) -> tuple[Noticed, ...]:
        """Return what was noticed, always in the same order."""
        return tuple(
            Noticed(sign=sign, times=self._times[sign], where=tuple(self._where[sign])[:WHERE_CAP])
            for sign in Sign
            if sign in self._times
        )


def _count(header: Mapping[str, Any], key: str) -> int:
    value = header.get(key)
    return min(value, TIMES_CAP) if type(value) is int and value > 0 else 0


def _line(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text[:160])

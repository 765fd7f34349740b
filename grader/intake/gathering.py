"""Collecting the files of one submission under its limits, wherever they come from."""

from __future__ import annotations

from collections import Counter

from grader.errors import SubmissionRejected
from grader.intake.limits import IntakeLimits, counted, readable
from grader.intake.paths import (
    Parts,
    check_depth,
    check_length,
    check_name,
    check_visible,
    common_folders,
    folded,
    has_no_effect,
    left_out,
    shown,
    split,
)
from grader.intake.refusals import LEAVE_OUT
from grader.model.reasons import Rejection
from grader.model.submission import Submission, SubmissionFile, digest_files


class Gathering:
    """The files seen so far, with running totals that are checked as bytes arrive.

    A reader calls `admit` for every entry, `folder` or `expect` for what is kept, `charge`
    for bytes before it stores them, `fill` for a whole file, and `finish` at the end.

    Args:
        limits: What may not be exceeded.
    """

    def __init__(self, limits: IntakeLimits) -> None:
        """Start empty."""
        self.limits = limits
        self._seen = 0
        self._bytes = 0
        self._sizes: dict[Parts, int] = {}
        self._files: dict[Parts, bytes] = {}
        self._left_out: set[str] = set()
        self._places: dict[Parts, tuple[Parts, bool]] = {}

    def glance(self) -> None:
        """Count one entry that was looked at, kept or not.

        Raises:
            SubmissionRejected: `count`.
        """
        self._seen += 1
        if self._seen > self.limits.seen:
            raise SubmissionRejected(
                Rejection.COUNT,
                f"The submission holds more than {self.limits.seen} entries.",
                hint=f"Hand in only what you wrote. {LEAVE_OUT}",
            )

    def admit(self, raw: str) -> Parts | None:
        """Judge one path; None means that it is left out.

        Raises:
            SubmissionRejected: The path is not safe, invisible in part, or too deep.
        """
        self.glance()
        parts = split(raw)
        pattern = left_out(parts)
        if pattern:
            self._left_out.add(pattern)
            return None
        check_length(parts)
        check_visible(parts)
        check_depth(parts, self.limits.depth)
        return parts

    def folder(self, parts: Parts) -> None:
        """Remember a folder, so that no file can take its place.

        Raises:
            SubmissionRejected: `duplicate`.
        """
        for level in range(1, len(parts) + 1):
            self._place(parts[:level], is_file=False)

    def expect(self, parts: Parts) -> None:
        """Remember a file before its content is read.

        Raises:
            SubmissionRejected: `duplicate`, or `count`.
        """
        if parts in self._sizes:
            raise SubmissionRejected(
                Rejection.DUPLICATE,
                f"{shown('/'.join(parts))} is in the archive twice.",
                hint="It is not clear which one counts. Pack the folder again into a new archive.",
            )
        self.folder(parts[:-1])
        self._place(parts, is_file=True)
        self._sizes[parts] = 0
        if len(self._sizes) > self.limits.files:
            raise SubmissionRejected(
                Rejection.COUNT,
                f"The submission holds more than {self.limits.files} files; most are in {self._largest(count=True)}.",
                hint=LEAVE_OUT,
            )

    def charge(self, parts: Parts, size: int) -> None:
        """Count `size` bytes that are about to be kept for a file.

        Raises:
            SubmissionRejected: `too_large`.
        """
        self._bytes += size
        self._sizes[parts] += size
        if self._bytes > self.limits.unpacked:
            raise SubmissionRejected(
                Rejection.TOO_LARGE,
                f"The submission holds more than {readable(self.limits.unpacked)} of files; "
                f"the most in {self._largest(count=False)}.",
                hint=LEAVE_OUT,
            )

    def weigh(self, unpacked: int, packed: int) -> None:
        """Refuse an archive of `packed` bytes that unpacks to far more than it weighs.

        Raises:
            SubmissionRejected: `bomb`.
        """
        if unpacked > self.limits.ratio_floor and unpacked > self.limits.ratio * packed:
            raise SubmissionRejected(
                Rejection.BOMB,
                f"The archive of {readable(packed)} unpacks to {readable(unpacked)} or more; "
                f"at most {self.limits.ratio} times its size is accepted.",
                hint="Leave out files that repeat one thing over and over, or hand in the folder itself.",
            )

    def fill(self, parts: Parts, content: bytes) -> None:
        """Store the content of an expected file."""
        self._files[parts] = content

    def finish(self, label: str) -> Submission:
        """Return the submission: unwrapped, names checked, sorted.

        Raises:
            SubmissionRejected: `empty`, or `name`.
        """
        if not self._files:
            besides = f" besides {', '.join(sorted(self._left_out))}" if self._left_out else ""
            raise SubmissionRejected(
                Rejection.EMPTY,
                f"{shown(label)} holds no files{besides}.",
                hint="Hand in the folder that holds your program.",
            )
        around = common_folders(list(self._files))
        wrapping = next(iter(self._files))[:around]
        for parts in self._files:
            check_name(parts[around:], self.limits.name)
        files = tuple(
            SubmissionFile(path=path, content=content)
            for path, content in sorted(("/".join(parts[around:]), each) for parts, each in self._files.items())
        )
        return Submission(
            label=label,
            files=files,
            digest=digest_files(files),
            observations=self._observations(wrapping),
            steering=tuple(file.path for file in files if has_no_effect(tuple(file.path.split("/")))),
        )

    def _observations(self, wrapping: Parts) -> tuple[str, ...]:
        facts = []
        if wrapping:
            facts.append(f"Everything lay in the folder {shown('/'.join(wrapping))}; paths are given from inside it.")
        if self._left_out:
            facts.append(f"Left out, as tools make it: {', '.join(sorted(self._left_out))}.")
        return tuple(facts)

    def _place(self, parts: Parts, *, is_file: bool) -> None:
        key = tuple(folded(part) for part in parts)
        known, was_file = self._places.setdefault(key, (parts, is_file))
        if known != parts:
            raise SubmissionRejected(
                Rejection.DUPLICATE,
                f"{shown('/'.join(known))} and {shown('/'.join(parts))} are the same name to some systems.",
                hint="Rename one of them so that they differ in more than capitals or accents.",
            )
        if is_file or was_file:
            self._one_kind(parts, is_file=is_file, was_file=was_file)

    def _one_kind(self, parts: Parts, *, is_file: bool, was_file: bool) -> None:
        if is_file != was_file:
            raise SubmissionRejected(
                Rejection.DUPLICATE,
                f"{shown('/'.join(parts))} is a file and a folder at once.",
                hint="Pack the folder again into a new archive.",
            )

    def _largest(self, *, count: bool) -> str:
        around = common_folders(list(self._sizes))
        totals: Counter[str] = Counter()
        for parts, size in self._sizes.items():
            place = (parts[:-1] if count else parts)[: around + 1] or parts
            totals["/".join(place) + ("/" if place != parts else "")] += 1 if count else size
        tenth = sum(totals.values()) / 10
        return ", ".join(
            f"{shown(name)} ({counted(amount, 'file') if count else readable(amount)})"
            for name, amount in totals.most_common(3)
            if amount >= tenth
        )

"""What `grader preflight` answers: whether a submission can be graded, what was seen, and no score.

Made only of the submission's own words and of what the brief says anyway: it is given the exercise's manifest, not
its checks.
"""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from grader.errors import SubmissionRejected
from grader.intake.limits import counted, readable
from grader.intake.manifest import FILE
from grader.intake.notebook import find_notebook
from grader.intake.programs import started_by
from grader.model.exercise import Manifest
from grader.model.reasons import REJECTION_WORDS
from grader.model.submission import Submission, SubmissionManifest

_LISTED = 20
NO_SCORE = "This is a receipt, not a score: none of the hidden checks has been run."


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to one preflight.

    Attributes:
        exercise: The exercise's manifest.
        label: What the submission is called.
        received: When it was looked at.
        rejection: Why it cannot be graded; None when it can.
        submission: What was read; None when it could not be.
        manifest: What `submission.toml` says, filled in; None when it could not be used.
        observations: Facts for people to read.
    """

    exercise: Manifest
    label: str
    received: datetime
    rejection: SubmissionRejected | None = None
    submission: Submission | None = None
    manifest: SubmissionManifest | None = None
    observations: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        """A short name for this receipt: day, and a digest of what was received when."""
        what = (self.exercise.id, self.exercise.version, self.label, self.digest or "", self.received.isoformat())
        total = hashlib.sha256("\n".join(what).encode()).digest()
        return f"{self.received:%Y%m%d}-{base64.b32encode(total).decode()[:8]}"

    @property
    def digest(self) -> str | None:
        """Digest of the submission; None when it could not be read."""
        return self.submission.digest if self.submission else None

    @property
    def notebook(self) -> str | None:
        """Path of the notebook in the submission, where there is one."""
        if self.submission is None or self.manifest is None:
            return None
        return find_notebook(self.submission, self.manifest, self.exercise.notebook_path)[0]

    @property
    def declared(self) -> bool:
        """Whether something is said about the use of AI."""
        return self.manifest is not None and bool(self.manifest.declaration.ai_use.strip())

    @property
    def runs(self) -> str | None:
        """What will be run, in words."""
        if self.manifest is None:
            return None
        if self.manifest.callable is not None:
            module, _, attribute = self.manifest.callable.entry.partition(":")
            return f"{attribute}, imported from {module}"
        if not started_by(self.manifest):
            return f"{self.notebook}, from top to bottom"
        line = " ".join(started_by(self.manifest))
        return f"{line}, with $PORT set" if self.manifest.service is not None else f"{line}, and what the brief appends"

    @property
    def hints(self) -> tuple[str, ...]:
        """What the candidate may want to do before the deadline."""
        if self.rejection is not None:
            return (self.rejection.hint,) if self.rejection.hint else ()
        found = []
        if self.manifest is not None and self.manifest.service is not None:
            found.append("The service was not started. Whether it starts is found out when it is graded: `make check`.")
        if self.exercise.notebook is not None and self.notebook is None:
            path = self.exercise.notebook.path
            found.append(f"Without the decision notebook ({path}) its own points are lost; the rest is unharmed.")
        if not self.declared:
            found.append(f"Say in {FILE}, under [declaration], which AI tools you used, or that you used none.")
        return tuple(found)

    def as_json(self) -> dict[str, object]:
        """For machines."""
        paths = list(self.submission.paths) if self.submission else []
        rejected = self.rejection
        return {
            "receipt": self.number,
            "gradable": rejected is None,
            "reason": rejected.reason.value if rejected else None,
            "message": rejected.message if rejected else None,
            "hint": rejected.hint if rejected else None,
            "exercise": self.exercise.id,
            "version": self.exercise.version,
            "submission": self.label,
            "received": self.received.isoformat(),
            "digest": self.digest,
            "files": len(paths),
            "paths": paths,
            "runs": self.runs,
            "notebook": self.notebook,
            "ai_declared": self.declared,
            "observations": list(self.observations),
            "hints": list(self.hints),
        }

    def lines(self) -> Iterator[tuple[str, str]]:
        """For people: what each line is about, and what it says."""
        if self.rejection is not None:
            yield "why", REJECTION_WORDS[self.rejection.reason]
            yield "", self.rejection.message
        yield "receipt", self.number
        yield "exercise", f"{self.exercise.title} ({self.exercise.id} {self.exercise.version})"
        yield "received", f"{self.label}, {self.received:%Y-%m-%d %H:%M:%S} UTC"
        if self.submission is not None:
            yield "digest", self.submission.digest
            yield "files", self._seen(self.submission)
        if self.runs is not None:
            yield "will be run", self.runs
            if self.exercise.notebook is not None:
                yield "notebook", self.notebook or "not there"
            yield "AI use", "declared" if self.declared else "nothing is said about it"
        yield from (("seen", each) for each in self.observations)
        yield from (("hint", each) for each in self.hints)

    def _seen(self, submission: Submission) -> str:
        size = sum(len(file.content) for file in submission.files)
        names = Counter(path.partition("/")[0] + ("/" if "/" in path else "") for path in submission.paths)
        listed = [f"{name} ({counted(count, 'file')})" if name.endswith("/") else name for name, count in names.items()]
        more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
        return f"{counted(len(submission.files), 'file')}, {readable(size)}: {', '.join(listed[:_LISTED])}{more}"

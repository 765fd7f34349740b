"""One grading run, from a path to a signed score sheet. Knows ports only."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from grader import clock
from grader.catalog.calibration import read_calibration
from grader.catalog.ladder import rung_named
from grader.catalog.seeds import variant_for
from grader.clock import Deadline
from grader.engine.boxes import Boxes
from grader.engine.jobs import Place
from grader.engine.noticing import Notices
from grader.engine.preflight import preflight
from grader.engine.relay import Relay
from grader.engine.submission_box import SubmissionBox, words
from grader.engine.turns import Turns
from grader.engine.variants import VariantStore
from grader.errors import BoxLost, ExerciseDefect, FrameError, GraderError, InfrastructureFault, SubmissionRejected
from grader.intake.manifest import read_manifest
from grader.intake.notebook import find_notebook
from grader.intake.programs import entry_of_program, started_by
from grader.intake.receive import label_of, plain_name, receive
from grader.keys import Keyring
from grader.model.exercise import Exercise, Variant
from grader.model.result import CheckResult
from grader.model.run import Fault, Noticed, Party, RunRecord
from grader.model.sheet import Provenance, ScoreSheet
from grader.model.submission import Submission, SubmissionFile, SubmissionManifest, digest_files
from grader.sandbox.channel import Channel, Refusal
from grader.sandbox.port import Box, Role, Sandbox
from grader.scoring.fold import fold
from grader.scoring.signing import sign

SETUP_SECONDS = 120.0
NOT_READ = "not read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """What every run of an installation shares.

    Attributes:
        sandbox: Where boxes come from.
        images: The image of each role, by digest.
        packages: Names of what is installed in the runtime image.
        keyring: Server key and signing key.
        cache: Folder for generated data.
        version: Version of grader.
        digest: Digest of grader's own sources.
    """

    sandbox: Sandbox
    images: Mapping[Role, str]
    packages: tuple[str, ...]
    keyring: Keyring
    cache: Path
    version: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Told how a run goes: `step` about what happens now, `check` when a check begins and ends."""

    step: Callable[[str], None] = lambda _: None
    check: Callable[[str, CheckResult | None], None] = lambda _check, _result: None


@dataclass(slots=True, kw_only=True)
class Findings:
    """What a run has found so far; whatever interrupts it, nothing of this is lost."""

    started: datetime
    submission: Submission | None = None
    manifest: SubmissionManifest = field(default_factory=SubmissionManifest)
    notebook: str | None = None
    rejection: SubmissionRejected | None = None
    faults: list[Fault] = field(default_factory=list)
    relay: Relay | None = None
    box: SubmissionBox | None = None
    observations: list[str] = field(default_factory=list)
    logs: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """A finished run: its signed sheet for authors, exact shares by check, and logs for whoever must debug it."""

    sheet: ScoreSheet
    logs: Mapping[str, bytes]
    fractions: Mapping[str, float] = field(default_factory=dict)


class GradingRun:
    """Grades one submission.

    Args:
        harness: What every run shares.
        exercise: The exercise.
        source: The exercise's folder.
        candidate: Whose variant it is graded on; None for the variant shared by all.
        watcher: Told how it goes.
        who: Whose work the sheet says it is, where that is not the variant's candidate.
        options: pytest's options when checks are being debugged; the sheet then says that it is no graded result.
    """

    def __init__(
        self,
        harness: Harness,
        exercise: Exercise,
        source: Path,
        candidate: str | None,
        watcher: Watcher,
        who: str | None = None,
        options: Sequence[str] | None = None,
    ) -> None:
        """Nothing is opened or generated yet."""
        self._options = options
        self._harness = harness
        self._exercise = exercise
        self._source = source
        self._watcher = watcher
        self._who = who or candidate
        self.id = secrets.token_hex(16)
        self._boxes = Boxes(harness.sandbox, harness.images, self.id)
        self._calibration = read_calibration(source)  # now, since nothing is graded with one that cannot be read
        self.variant = variant_for(exercise, harness.keyring.server_key(), candidate)

    def grade(self, path: Path, submission: Submission | None = None, place: Place | None = None) -> Graded:
        """Carry the run out. Every ending but an interruption gives a sheet.

        Args:
            path: Where the submission is.
            submission: The submission, where somebody has read it already.
            place: Where the run takes place, which it changes for checks that measure time; None where it is the only
                one anyway.

        Raises:
            UsageError: The path itself is wrong.
        """
        findings = Findings(started=clock.now())
        try:
            self._receive(path, findings, submission)
            self._carry_out(findings, place)
        except SubmissionRejected as rejection:
            findings.rejection = rejection
        except ExerciseDefect as error:
            findings.faults.append(_fault(Party.AUTHOR, error))
        except (InfrastructureFault, FrameError) as error:
            findings.faults.append(_fault(Party.INFRASTRUCTURE, error))
        if self._options is not None:
            findings.faults.append(not_graded(self._options))
        sheet = self._fold(path, findings)
        relay = findings.relay
        return Graded(
            sheet=sign(sheet, self._harness.keyring.signing_key()),
            logs=findings.logs,
            fractions={check: result.fraction for check, result in relay.results.items()} if relay else {},
        )

    def preflight(self, path: Path) -> Submission:
        """Find out whether a submission could be graded, without any check.

        Raises:
            SubmissionRejected: It could not.
            InfrastructureFault: Nobody knows, since a box failed.
        """
        findings = Findings(started=clock.now())
        self._receive(path, findings)
        with ExitStack() as stack:
            self._open_submission(findings, stack)
        submission = findings.submission
        assert submission is not None
        return submission

    def _receive(self, path: Path, findings: Findings, given: Submission | None = None) -> None:
        self._watcher.step("reading the submission")
        submission = given or receive(path)
        findings.submission = submission
        findings.observations += submission.observations
        findings.manifest, notes = read_manifest(submission, self._exercise.manifest.part)
        findings.notebook, more = find_notebook(submission, findings.manifest, self._exercise.manifest.notebook_path)
        findings.observations += notes + more

    def _carry_out(self, findings: Findings, place: Place | None) -> None:
        store = VariantStore(self._harness.cache / "variants", self._boxes)
        limits = self._exercise.manifest.limits
        data = store.data(self._exercise, self._source, self.variant.number, "hidden", self._watcher.step)
        self._watcher.step("starting two boxes")
        with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
            # The checker box starts beside the submission's, not after it.
            checker = pool.submit(self._open_checker, data, stack)
            try:
                box = self._open_submission(findings, stack)
            finally:
                channel = checker.result()
            self._watcher.step("running the checks")
            expected = tuple(check.id for check in self._exercise.checks)
            reference = self._reference_box(stack)
            places = {check.id: (check.file, check.line) for check in self._exercise.checks}
            timed = frozenset(check.id for check in self._exercise.checks if check.timed)
            begin = Turns(place, timed, box, self._watcher.step).begin
            findings.relay = Relay(channel, box, expected, limits, self._watcher.check, reference, places, begin)
            findings.relay.some_may_be_missing = self._options is not None
            try:
                findings.relay.serve(self._request(findings), Deadline(limits.run_seconds))
                findings.faults += [_unmeasured(*each) for each in findings.relay.unmeasured.items()]
            finally:
                closing = pool.submit(box.close)  # each takes a quarter of a second
                findings.logs["checker.log"] = channel.box.close().stderr
                closing.result()

    def _open_submission(self, findings: Findings, stack: ExitStack) -> SubmissionBox:
        submission = findings.submission
        assert submission is not None
        limits = self._exercise.manifest.limits
        spec = self._boxes.spec(Role.SUBMISSION, limits, limits.run_seconds)
        box = SubmissionBox(self._harness.sandbox, spec, submission)
        findings.box = box
        stack.callback(box.close)
        preflight(box, entry_of_program(submission, findings.manifest), limits, self._harness.packages)
        return box

    def _reference_box(self, stack: ExitStack) -> SubmissionBox | None:
        """Prepare a box for the reference solution; it opens when a check first compares with it."""
        if self._reference is None:
            return None
        limits = self._exercise.manifest.limits
        spec = self._boxes.spec(Role.SUBMISSION, limits, limits.run_seconds)
        box = SubmissionBox(self._harness.sandbox, spec, self._reference)
        stack.callback(box.close)
        return box

    def _open_checker(self, data: Path, stack: ExitStack) -> Channel:
        limits = self._exercise.manifest.limits
        box: Box = stack.enter_context(self._boxes.open(Role.CHECKER, limits, limits.run_seconds))
        deadline = Deadline(SETUP_SECONDS)
        try:
            channel = Channel(box)
            channel.request("hello", {}, deadline)
            channel.put_tree(self._source / "checks", "checks", deadline)
            channel.put_tree(self._source / "data", "data", deadline)
            channel.put_tree(data, "variant", deadline)
        except (EOFError, TimeoutError, FrameError, Refusal) as error:
            said = box.close().stderr.decode("utf-8", "replace").strip()[-500:]
            raise BoxLost(
                f"The checker box did not start: {said or words(error)}",
                hint="Run `grader doctor`; then grade again.",
            ) from error
        return channel

    def _request(self, findings: Findings) -> dict[str, object]:
        limits = self._exercise.manifest.limits
        return {
            "seed": self.variant.number,
            "start": _start(findings.manifest),
            "reference": self._reference_start(),
            "notebook": findings.notebook,
            "checks": [check.id for check in self._exercise.checks],
            "options": list(self._options or ()),
            "limits": {
                "seconds": limits.command_seconds,
                "start": limits.start_seconds,
                "call": limits.call_seconds,
                "printed": int(limits.printed),
                "file": int(limits.file),
            },
        }

    def _reference_start(self) -> dict[str, object] | None:
        if self._reference is None:
            return None
        return _start(read_manifest(self._reference, self._exercise.manifest.part)[0])

    @cached_property
    def _reference(self) -> Submission | None:
        """The solution that checks compare with."""
        named = self._exercise.manifest.reference
        if named is None:
            return None
        content = rung_named(self._source, named.solution).files()
        files = tuple(SubmissionFile(path=path, content=content[path]) for path in sorted(content))
        return Submission(label=named.solution, files=files, digest=digest_files(files))

    def _fold(self, path: Path, findings: Findings) -> ScoreSheet:
        submission, box, relay = findings.submission, findings.box, findings.relay
        if box is not None:
            findings.logs["submission.log"] = box.last_words
        record = RunRecord(
            id=self.id,
            started=findings.started,
            finished=clock.now(),
            waited_seconds=round(relay.waited, 3) if relay else 0.0,
            results=tuple(relay.results.values()) if relay else (),
            defects=tuple(relay.defects.values()) if relay else (),
            faults=tuple(findings.faults),
            observations=tuple(dict.fromkeys(findings.observations)),
            noticed=_noticed(findings),
            **({"resources": box.resources, "isolation": box.isolation} if box else {}),
        )
        label = submission.label if submission else label_of(path)
        return fold(
            self._exercise,
            record,
            candidate=self._who or plain_name(label),
            submission=label,
            provenance=provenance(self._harness, self._exercise, self.variant, submission, record),
            rejection=findings.rejection,
            ai_use=findings.manifest.declaration.ai_use,
            notebook=findings.notebook,
            calibration=self._calibration,
        )


def _noticed(findings: Findings) -> tuple[Noticed, ...]:
    notices = findings.box.notices if findings.box else Notices()
    notices.see_handed_in(findings.submission.steering if findings.submission else ())
    notices.see_results(findings.relay.results.values() if findings.relay else ())
    return notices.all()


def _start(manifest: SubmissionManifest) -> dict[str, object]:
    """How a program is started: its command line, or what is imported and called; a notebook has a fixture anyway."""
    if manifest.callable is not None:
        return {"kind": "callable", "entry": manifest.callable.entry}
    if not started_by(manifest):
        return {"kind": "notebook"}
    return {"kind": "service" if manifest.service else "command", "argv": list(started_by(manifest))}


def provenance(
    harness: Harness, exercise: Exercise, variant: Variant, submission: Submission | None, record: RunRecord
) -> Provenance:
    """Collect what is needed to recompute the score."""
    return Provenance(
        harness=harness.version,
        harness_digest=harness.digest,
        submission_digest=submission.digest if submission else NOT_READ,
        exercise_digest=exercise.digest,
        images={role.value: image for role, image in harness.images.items()},
        variant=variant.label,
        variant_commitment=variant.commitment,
        limits=exercise.manifest.limits,
        isolation=record.isolation,
    )


def not_graded(options: Sequence[str]) -> Fault:
    """Say on a sheet that its checks ran under an author's eyes, and not in a box."""
    told = f" with {' '.join(options)}" if options else ""
    return Fault(
        party=Party.AUTHOR,
        message=f"This is not a graded result: the checks ran as a process of this machine{told}, to be debugged.",
        hint="Grade without --checker process.",
    )


def _unmeasured(check: str, because: str) -> Fault:
    return Fault(
        party=Party.INFRASTRUCTURE,
        message=f"Check {check} could not be measured: {because}",
        hint="Grade again when the machine does nothing else.",
    )


def _fault(party: Party, error: GraderError) -> Fault:
    return Fault(party=party, message=error.message or str(error), hint=error.hint)

"""What a decision notebook is judged by: N1 to N6, the same for every exercise.

An exercise's generator fills `decision/` of a variant with data sets "0" to "5" of different worlds and a
`truth.json` (see `decision_sets`). Its check file makes a `Study` of them and awards what the study finds;
only N6, what the shipped program does, is its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from grader.checker.api import SubmissionFailed, linear
from grader.checker.awards import Award
from grader.checker.decision_form import Claims, claims_of, deviations
from grader.checker.notebook import Notebook, NotebookRun
from grader.model.reasons import Reason

FIRST, SECOND, FURTHER = "0", "1", ("1", "2", "3", "4", "5")
SAME = 1e-9
FEWEST_COVERED, ENOUGH_COVERED = 2, 4  # of five; credit grows between them
WIDEST_FULL, WIDEST = 3.0, 6.0  # widths beside the usual one; credit falls between them
VACUOUS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check of the notebook found: all that `award` takes."""

    share: float
    because: str
    reason: Reason = Reason.WRONG_ANSWER
    evidence: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    def give(self, award: Award) -> None:
        """Award it."""
        award(self.share, self.because, reason=self.reason, evidence=self.evidence, metrics=self.metrics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true of one data set: the quantity itself, and the width of a usual interval for it.

    Where it depends on the method that the notebook chooses, `methods` has it for each.
    """

    value: float
    width: float
    methods: Mapping[str, Truth] = field(default_factory=dict)

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Truth:
        """Read an entry of `truth.json`."""
        methods = {name: cls.read(each) for name, each in entry.get("methods", {}).items()}
        return cls(value=entry["value"], width=entry["width"], methods=methods)

    def for_claims(self, claims: Claims) -> Truth:
        """Return what is true of the method that was chosen."""
        return self.methods.get(claims.method or "", self)


class Study:
    """The notebook on the decision data sets of a variant; every execution is made once, when first needed.

    Args:
        notebook: The fixture.
        folder: The variant's `decision` folder.
    """

    def __init__(self, notebook: Notebook, folder: Path) -> None:
        """Nothing is executed yet."""
        self._notebook = notebook
        self._folder = folder
        self._runs: dict[str, NotebookRun] = {}
        self._failures: dict[str, SubmissionFailed] = {}
        content = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        self._truths = {name: Truth.read(entry) for name, entry in content.items()}

    def run(self, name: str, *, again: bool = False) -> NotebookRun:
        """Execute the notebook on a data set, or return how that went.

        Raises:
            SubmissionFailed: There is no notebook, or its box was broken.
        """
        key = f"{name} again" if again else name
        if key in self._failures:
            raise self._failures[key]
        if key not in self._runs:
            data = {path.name: path for path in sorted((self._folder / name).iterdir())}
            try:
                self._runs[key] = self._notebook.execute(data)
            except SubmissionFailed as error:
                self._failures[key] = error
                raise
        return self._runs[key]

    def claims(self, name: str = FIRST) -> Claims:
        """Return what the notebook claims on a data set.

        Raises:
            SubmissionFailed: It wrote no decision that can be read; also when it did not on the first one,
                and then it is not executed again.
        """
        first = self.run(FIRST).require_decision()
        return claims_of(first if name == FIRST else self.run(name).require_decision())

    # -- the checks -------------------------------------------------------------------------

    def runs(self) -> Finding:
        """N1: it runs from top to bottom. A share of the points for the share of code cells that ran."""
        run = self.run(FIRST)
        if run.failure is not None and not run.cells_run:
            raise run.failure
        evidence = {"code cells run": f"{run.cells_run} of {run.total}", "seconds": f"{run.seconds:.1f}"}
        if run.kernel:
            evidence["written for the kernel"] = run.kernel
        metrics = {"cells": run.cells_run, "total": run.total, "seconds": run.seconds}
        written_empty = run.decision is not None and not _says_anything(run.decision)
        if run.failure is not None and run.cells_run < run.total and not written_empty:
            share = run.cells_run / run.total if run.total else 0.0
            return Finding(
                share=min(share, 1.0), because=run.failure.because, reason=run.failure.reason,
                evidence=evidence, metrics=metrics,
            )  # fmt: skip
        if not _says_anything(run.decision):
            because = "It runs, but decides nothing: decision.json is missing or holds no value."
            return Finding(share=0.0, because=because, reason=Reason.INACTIVE, evidence=evidence, metrics=metrics)
        because = f"All {run.total} code cells ran, in {run.seconds:.0f} s."
        return Finding(share=1.0, because=because, evidence=evidence, metrics=metrics)

    def repeats(self) -> Finding:
        """N2: the same data give the same decision."""
        first = self.run(FIRST).require_decision()
        if not _says_anything(first):
            return Finding(share=0.0, because="It decides nothing.", reason=Reason.INACTIVE)
        second = self.run(FIRST, again=True).require_decision()
        changed = differences(first, second)
        if not changed:
            return Finding(share=1.0, because="Executed twice on the same data, it decided the same.")
        because = f"Executed twice on the same data, it changed: {', '.join(changed)}."
        return Finding(share=0.0, because=because, reason=Reason.UNSTABLE)

    def keeps_form(self, metric: str) -> Finding:
        """N3: `decision.json` has the keys and values that the brief asks for."""
        found = deviations(self.run(FIRST).require_decision(), metric)
        if not found:
            return Finding(share=1.0, because="decision.json has every key, and values of the right kind.")
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        return Finding(share=0.0, because=f"{'; '.join(found[:3])}{more}.", reason=Reason.SCHEMA)

    def computes(self) -> Finding:
        """N4: on other data the estimate moves, and its interval covers the true value."""
        before, after = self.claims(FIRST), self.claims(SECOND)
        truth = self._truths[SECOND].for_claims(after)
        old, new = before.require_estimate(), after.require_estimate()
        low, high = after.require_interval()
        moved = abs(new - old) > SAME * max(1.0, abs(old))
        covers = low <= truth.value <= high
        vacuous = high - low > VACUOUS * truth.width
        # An interval that was rounded may be the same by chance, but not if it is far wider than it need be.
        typed_in = after.interval == before.interval and high - low > WIDEST_FULL * truth.width
        said = f"On other data the estimate {f'moved from {old:.4g} to {new:.4g}' if moved else 'did not move'}; "
        said += f"its interval {'covers' if covers else 'misses'} the true value."
        if vacuous:
            said += " The interval is so wide that it says nothing."
        elif typed_in:
            said += " The interval is wide, and the same for both data."
        return Finding(
            share=float(moved and covers and not vacuous and not typed_in),
            because=said,
            evidence={"estimate": f"{new:.4g}", "interval": f"{low:.4g} to {high:.4g}", "true": f"{truth.value:.4g}"},
            metrics={"moved": float(moved), "covers": float(covers), "width": (high - low) / truth.width},
        )

    def is_honest(self) -> Finding:
        """N5: over five data sets of other worlds the interval covers the truth, and is not far too wide."""
        covered, widths, lines = 0, [], {}
        silent: list[SubmissionFailed] = []
        for name in FURTHER:
            try:
                claims = self.claims(name)
                low, high = claims.require_interval()
            except SubmissionFailed as failure:  # misses one, and says nothing of the others
                silent.append(failure)
                lines[f"data set {name}"] = f"no interval: {failure.because}"
                continue
            truth = self._truths[name].for_claims(claims)
            inside = low <= truth.value <= high
            covered += inside
            widths.append((high - low) / truth.width)
            told = f"{low:.4g} to {high:.4g}, true {truth.value:.4g}{'' if inside else ': missed'}"
            lines[f"data set {name}"] = told
        if not widths:
            raise silent[0]
        usual = median(widths)
        share = linear(covered, FEWEST_COVERED, ENOUGH_COVERED) * linear(usual, WIDEST, WIDEST_FULL)
        because = (
            f"The interval covers the true value in {covered} of {len(FURTHER)} data sets; "
            f"it is {usual:.2g} times as wide as the usual one."
        )
        return Finding(
            share=share, because=because, evidence=lines, metrics={"covered": covered, "width": usual}
        )  # fmt: skip

    def agrees(self, method: str, point: float | tuple[float, float], *, together: bool = False) -> Finding:
        """N6: the method and the operating point that it states are those of the shipped program.

        Args:
            method: What the program does, as a probe has shown; "" when no method fits.
            point: The program's operating point, or the range that a probe has narrowed it to.
            together: Only both are worth anything: where one of them can hardly be wrong by itself.
        """
        claims = self.claims()
        low, high = point if isinstance(point, tuple) else (point, point)
        same_method = bool(method) and claims.method == method
        stated = claims.point
        same_point = stated is not None and low - SAME <= stated <= high + SAME
        shown = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        because = (
            f"It states {_quoted(claims.method)} and {_number(stated)}; "
            f"the program does {_quoted(method or None)} and {shown}."
        )
        return Finding(
            share=float(same_method and same_point) if together else (same_method + same_point) / 2,
            because=because,
            metrics={"method": float(same_method), "point": float(same_point)},
        )


def differences(first: object, second: object) -> list[str]:
    """Name the keys in which two decisions on the same data differ.

    Numbers may differ by 1e-9. The estimate may also move inside the interval that it states, and the ends
    of the interval by half its width.
    """
    if not isinstance(first, dict) or not isinstance(second, dict):
        return [] if _same(first, second, 0.0) else ["all of it"]
    claims = claims_of(first)
    half = (claims.interval[1] - claims.interval[0]) / 2 if claims.interval else 0.0
    loose = {"estimate": half, "interval": half, "alternatives": half}
    keys = [*first, *(key for key in second if key not in first)]
    return [
        str(key)[:40]
        for key in keys
        if key not in first or key not in second or not _same(first[key], second[key], loose.get(key, 0.0))
    ]


def _same(first: object, second: object, allowed: float) -> bool:
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, int | float) and isinstance(second, int | float):
        return abs(first - second) <= max(allowed, SAME * max(1.0, abs(first)))
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(_same(*pair, allowed) for pair in zip(first, second, strict=True))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[key], second[key], allowed) for key in first)
    return type(first) is type(second) and first == second


def _says_anything(decision: object | None) -> bool:
    """Whether any value was filled in; the kit's own notebook leaves them all empty."""
    if isinstance(decision, dict):
        return any(_says_anything(value) for value in decision.values())
    if isinstance(decision, list):
        return any(_says_anything(value) for value in decision)
    return decision not in (None, "")


def _quoted(text: str | None) -> str:
    return f"“{text[:60]}”" if text else "nothing that fits"


def _number(value: float | None) -> str:
    return "no number" if value is None or not math.isfinite(value) else f"{value:g}"

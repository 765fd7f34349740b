"""Adverse impact: do groups pass at different rates, and could that be chance?

The four-fifths rule (Uniform Guidelines, 29 CFR 1607.4 D) is never shown alone: with equal true rates of .50 the ratio
"violates" it in 39 of 100 samples of 30 people a group (Morris 2001 on why). So Fisher's exact test and an exact
interval stand beside it. Which group somebody belongs to is read from a file, used, and kept nowhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.analysis.figures import Figure, refused
from grader.errors import UsageError
from grader.intake.names import as_kept
from grader.store.cohorts import Cohort

GROUP_FROM = 30
_FORM = "It is a CSV file with the columns candidate and group."


def read_groups(file: Path) -> dict[str, str]:
    """Read who belongs to which group.

    Raises:
        UsageError: The file cannot be read, or is not what it should be.
    """
    try:
        reader = csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline=""), strict=True)
        if set(reader.fieldnames or ()) != {"candidate", "group"}:
            raise UsageError(f"{file}:1: the columns must be candidate and group.", hint=_FORM)
        found: dict[str, str] = {}
        for row in reader:
            name, group = as_kept(row["candidate"] or ""), (row["group"] or "").strip()
            if not name or not group:
                raise UsageError(f"{file}:{reader.line_num}: candidate or group is empty.", hint=_FORM)
            if found.setdefault(name, group) != group:
                raise UsageError(f"{file}:{reader.line_num}: {name} is in two groups.", hint=_FORM)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint=_FORM) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not CSV in UTF-8: {error}", hint=_FORM) from error
    return found


def impact(cohort: Cohort, groups: Mapping[str, str], pass_mark: float) -> list[Figure]:
    """Compare the pass rate of every group with that of the group that passes most.

    Args:
        cohort: Who was graded.
        groups: Candidate, as names are kept, to group; who is not in it is left out.
        pass_mark: Percent from which a candidate passes.

    Raises:
        UsageError: Fewer than two groups are in the cohort.
    """
    counts: dict[str, list[int]] = {}
    for member in cohort.members:
        group = groups.get(as_kept(member.candidate))
        if group is not None:
            passed = counts.setdefault(group, [0, 0])
            passed[0 if member.percent >= pass_mark else 1] += 1
    if len(counts) < 2:
        raise UsageError(
            f"Of the candidates in {cohort.name}, {len(counts)} groups are in the file; two are needed.",
            hint="Names must be written as grader knows them; see: grader compare",
        )
    small = min(sum(each) for each in counts.values())
    if small < GROUP_FROM:
        because = "With equal true rates and 10 people a group, the ratio falls below four fifths in 56 of 100 samples."
        return [refused("four-fifths ratio", small, GROUP_FROM, because)]
    rates = {group: passed / (passed + failed) for group, (passed, failed) in counts.items()}
    best = max(rates, key=lambda group: (rates[group], group))
    return [_compare(group, best, counts, rates) for group in sorted(rates) if group != best]


def _compare(group: str, best: str, counts: Mapping[str, Sequence[int]], rates: Mapping[str, float]) -> Figure:
    from scipy.stats import fisher_exact
    from scipy.stats.contingency import odds_ratio

    table = [list(counts[group]), list(counts[best])]
    ratio = rates[group] / rates[best] if rates[best] else 1.0
    p = float(fisher_exact(table).pvalue)
    interval = odds_ratio(table).confidence_interval(0.95)
    chance = "chance alone explains that easily" if p >= 0.05 else "chance alone hardly explains that"
    return Figure(
        name=f"pass rate of {group} to that of {best}",
        n=sum(map(sum, table)),
        value=ratio,
        sentence=(
            f"{rates[group]:.0%} of {group} and {rates[best]:.0%} of {best} pass; the ratio is {ratio:.2f} "
            f"({'below' if ratio < 0.8 else 'not below'} four fifths). Fisher's exact p is {p:.3f}, the odds ratio "
            f"lies from {interval.low:.2f} to {interval.high:.2f} in 95 of 100 cases: {chance}."
        ),
    )

"""Trust: no row lost, no clean cell changed, exact types, a report that agrees."""

from __future__ import annotations

import pytest
from fates import ledger
from measure import class_profile, gate_note, harm, recall_gate, thousands
from pictures import accuracy_bars, ledger_waterfall
from reporting import raw_rows_are_objects, report_agreement
from runs import ARGUMENTS, OUTPUTS, SECONDS

from grader.checker.api import Reason, SubmissionFailed


@pytest.mark.check(
    id="F1",
    points=7,
    competency="data-quality",
    title="Accounts for every input row: kept, duplicate or quarantined",
    requirement="R17, R18",
    question="Finance asks where one particular row went. How do you answer from your program's output?",
    feedback="Some input rows are in no table and are no duplicate of a kept row, or are in two tables (RULES.md 5).",
)
def test_ledger(standing, award, plot):
    found, gate = ledger(standing), recall_gate(standing)
    because = (
        f"Of {thousands(found.rows)} input rows {thousands(found.lost)} are lost, {thousands(found.doubled)} "
        f"are counted twice; "
        f"{thousands(found.foreign)} output rows name no input row."
    )
    because += gate_note(standing)
    plot(ledger_waterfall(found), "Where the input rows went")
    reason = Reason.ID_MISMATCH if found.foreign > found.lost else Reason.WRONG_ANSWER
    award(
        found.credit * gate, because, reason=reason, metrics={"accounted for": found.value, "recall": standing.recall}
    )


@pytest.mark.check(
    id="F2",
    points=4,
    competency="engineering",
    title="Leaves clean cells as they are",
    requirement="R21",
    question="Which of your repairs could touch a value that was right, and how did you test that it does not?",
    feedback="Some cells that were clean came out changed, or too few rows were kept to tell (RULES.md 3).",
)
def test_collateral(standing, award, plot):
    found, gate = harm(standing), recall_gate(standing)
    because = f"{thousands(found.changed)} of {thousands(found.total)} clean cells were changed.{gate_note(standing)}"
    worst = {name: count for name, count in found.by_column.items() if count}
    evidence = {
        f"changed in {name}": thousands(count) for name, count in sorted(worst.items(), key=lambda each: -each[1])
    }
    plot(accuracy_bars(class_profile(standing)), "What was repaired, by kind of defect")
    reason = Reason.INACTIVE if gate < 0.5 else Reason.WRONG_ANSWER
    award(found.credit * gate, because, reason=reason, evidence=evidence, metrics={"changed": found.value})


@pytest.mark.check(
    id="F3",
    points=2,
    competency="engineering",
    title="Writes the agreed columns and types",
    requirement="R19",
    question="Which types does your library write by itself, and where did you have to say what you want?",
    feedback="Columns, their order or their types differ from RULES.md 6.",
)
def test_schema(written, standing, award):
    deviations = written.deviations
    objects = raw_rows_are_objects(standing.quarantine["raw_json"].to_pylist()[:2000])
    share = 0.7 * (not deviations["orders.parquet"]) + 0.15 * (not deviations["quarantine.parquet"]) + 0.15 * objects
    evidence = {name: "; ".join(found) for name, found in deviations.items() if found}
    if not objects:
        evidence["raw_json"] = "not JSON objects, or no rows"
    exact = not any(deviations.values())
    because = "Columns and types are as agreed." if exact else "Columns or types differ from what was agreed."
    because += "" if objects else " No quarantined row holds its raw row as a JSON object."
    award(share * recall_gate(standing), because + gate_note(standing), reason=Reason.SCHEMA, evidence=evidence)


@pytest.mark.check(
    id="F4",
    points=3,
    competency="engineering",
    title="Reports numbers that agree with its files, and writes the same bytes again",
    requirement="R3, R20",
    question=(
        "What in your program could make two runs on the same input differ, and how would you prove that nothing does?"
    ),
    feedback=(
        "The report does not agree with the tables or the input, or a second run wrote other bytes (RULES.md 1 and 6)."
    ),
)
def test_report_and_rerun(main_run, main_raw, standing, command, award):
    try:
        agreement = report_agreement(main_run.json("report.json"), standing)
    except SubmissionFailed:
        agreement = dict.fromkeys(report_agreement(None, standing), False)
    again = command.run(ARGUMENTS, {"raw": main_raw}, seconds=SECONDS)
    same = {name: same_bytes(main_run, again, name) for name in OUTPUTS}
    weights = {"by_file": 0.1, "by_reason": 0.1}
    share = sum(agreed * weights.get(name, 0.075) for name, agreed in agreement.items()) + 0.5 * all(same.values())
    evidence = {f"report: {name}": "does not agree" for name, agreed in agreement.items() if not agreed}
    evidence |= {f"second run: {name}": "other bytes" for name, equal in same.items() if not equal}
    because = (
        "The report agrees, and a second run writes the same bytes."
        if not evidence
        else "The report or the second run does not agree."
    )
    reason = Reason.WRONG_ANSWER if all(same.values()) else Reason.UNSTABLE
    award(min(1.0, share) * recall_gate(standing), because + gate_note(standing), reason=reason, evidence=evidence)


def same_bytes(one, two, name: str) -> bool:
    """Tell whether two runs wrote the same bytes to a file; not having written it is no success."""
    try:
        return bool(one.bytes(name, max_bytes=2**26) == two.bytes(name, max_bytes=2**26))
    except SubmissionFailed:
        return False

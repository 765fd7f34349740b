"""Validation: what is published, what is accepted, and what is refused and how."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench import MAIN
from calls import (
    BATCH,
    BATCH_FIELDS,
    DECISIONS,
    FIELDS,
    PREDICT,
    batch,
    id_of,
    post,
    predict,
    prediction,
    results,
    text,
)
from calls import probability as probability_of
from fuzzing import fuzz
from gates import uses_the_model
from openapi import described
from refusals import ABSENT, Refusal, Spoiler, try_all

from grader.checker.api import Reason
from grader.checker.http import Request


@pytest.fixture(scope="module")
def spoiler(strata, names) -> Spoiler:
    """Makes wrong requests of right rows."""
    return Spoiler(strata.rows("mixed", 60, "refusals"), names)


@pytest.fixture(scope="module")
def gate(strata):
    """Checking requests counts for a service that answers them, right or not."""
    return uses_the_model(strata.plain)


def judge(award, gate, judged):
    """Award the share of refusals that were right."""
    metrics = {"right requests accepted": judged.accepted, "gate": gate.value}
    reason = gate.reason(Reason.WRONG_ANSWER)
    award(judged.share * gate.value, judged.because + gate.note, reason=reason, evidence=judged.wrong, metrics=metrics)


@pytest.mark.check(
    id="A1",
    points=2,
    competency="serving",
    requirement="R21",
    title="Publishes its routes, requests and answers",
    question="Who reads the published description of your service, and how do you keep it true?",
    feedback="The published description lacks routes, or fields of requests and answers.",
)
def test_published_description(published, award):
    found = described(published)
    missing = {name: words_for(share) for name, share in found.items() if share < 1}
    because = "All routes and fields are described." if not missing else "Some routes or fields are not described."
    award(sum(found.values()) / len(found), because, reason=Reason.SCHEMA, evidence=missing)


def words_for(share) -> str:
    """Say how much of something is described."""
    return f"{share:.0%} described" if share else "not described"


@pytest.mark.check(
    id="A2",
    points=3,
    competency="serving",
    requirement="R5, R6, R7",
    title="Answers right requests with the agreed fields",
    question="A caller sends 100 where it sent 100.0 yesterday. Which parts of your service could treat them apart?",
    feedback="Answers to right requests lack fields, have others, or hold values out of range.",
)
def test_happy_path(bench, strata, award):
    rows = [*strata.rows("mixed", 30, "happy"), *strata.rows("number_formats", 30, "happy")]
    rows += [{**row, "income": income} for row, income in zip(strata.rows("mixed", 4, "incomes"), INCOMES, strict=True)]
    singles = bench.send([predict(row) for row in rows], concurrency=4, stage=MAIN)
    answers = [(row, prediction(each)) for row, each in zip(rows, singles, strict=True)]
    again = [strata.names.rename(row) for row in rows[: -len(INCOMES)]]  # one that fails would take all with it
    whole = bench.ask(batch(again), stage=MAIN)[0]
    together = list(zip(again, results(whole, len(again)), strict=True))
    seen = [each.get("prediction_id") for _, each in answers + together if each]
    parts = {
        "single": sum(well_formed(*pair) for pair in answers[: -len(INCOMES)]) / (len(answers) - len(INCOMES)),
        "odd incomes": sum(well_formed(*pair) for pair in answers[-len(INCOMES) :]) / len(INCOMES),
        "batch": sum(well_formed(*pair) for pair in together) / len(together) * _outer(prediction(whole)),
        "ids differ": float(bool(seen) and len(set(map(str, seen))) == len(seen)),
    }
    because = f"{parts['single']:.0%} of single answers and {parts['batch']:.0%} of those in a batch are as agreed."
    if parts["odd incomes"] < 1:
        because += f" Of incomes that are negative, zero or huge {parts['odd incomes']:.0%} are answered so."
    share = 0.45 * parts["single"] + 0.15 * parts["odd incomes"] + 0.4 * parts["batch"]
    share *= 0.7 + 0.3 * parts["ids differ"]
    award(min(1.0, round(share, 9)), because, reason=Reason.SCHEMA, evidence=faults(answers + together), metrics=parts)


INCOMES = (-5_000.0, 0.0, 1e300, -1e300)


def well_formed(row, answer) -> bool:
    """Tell whether an answer has just the agreed fields with values in range."""
    return not fault(row, answer)


def fault(row, answer) -> str:
    """Say what is not as agreed."""
    if set(answer) != FIELDS:
        return f"fields are {', '.join(sorted(answer)) or 'not there'}"
    wrong = [
        (answer["request_id"] != id_of(row), "another request_id"),
        (not (isinstance(answer["prediction_id"], str) and answer["prediction_id"]), "prediction_id is no text"),
        (answer["model_version"] != MAIN.version, "another version"),
        (probability_of(answer) != probability_of(answer), "probability is not a number in 0..1"),
        (not isinstance(answer["decision"], str) or answer["decision"] not in DECISIONS, "an unknown decision"),
    ]
    return next((words for bad, words in wrong if bad), "")


def faults(pairs) -> dict[str, str]:
    """Return a few things that are not as agreed."""
    words = dict.fromkeys(filter(None, (fault(*pair) for pair in pairs)))
    return {f"answer that is not as agreed, {place}": each for place, each in enumerate(list(words)[:4], start=1)}


def _outer(answer) -> float:
    return 1.0 if set(answer) == BATCH_FIELDS and answer["model_version"] == MAIN.version else 0.5


@pytest.mark.check(
    id="A3",
    points=4,
    competency="serving",
    requirement="R9, R14",
    title="Refuses wrong requests and names the place of the error",
    question="A partner's requests are suddenly refused. What does your answer tell them, and what must it not tell?",
    feedback="Some wrong requests are not refused with status 422, or the error does not name the field or the row.",
)
def test_rejections(bench, spoiler, gate, award):
    cases = [
        *(spoiler.single("a missing field", name, **{name: ABSENT}) for name in ("tz", "income", "customer_id")),
        *(spoiler.single("a field too many", name, **{name: 1}) for name in ("amount_eur", "probability")),
        *(spoiler.single("nothing where a value is needed", name, **{name: None}) for name in ("amount", "segment")),
        *(spoiler.single("an unknown currency", "currency", currency=word) for word in ("SEK", "eur", "")),
        *(spoiler.single("an unknown time zone", "tz", tz=word) for word in ("Mars/Phobos", "CEST", "../etc/passwd")),
        *(spoiler.single("a time without offset or no time", "ts", ts=word) for word in NO_TIMES),
        *(spoiler.single("an amount that is not above zero", "amount", amount=value) for value in (0, -12.5)),
        spoiler.in_batch("one wrong row in a batch", 3, 6, "amount", amount=-1),
        spoiler.in_batch("one wrong row in a batch", 0, 4, "currency", currency="GBP"),
        spoiler.in_batch("one wrong row in a batch", 5, 6, "tz", tz=ABSENT),
    ]
    twins = [spoiler.twin() for _ in range(12)] + [batch([spoiler.row() for _ in range(6)])]
    judge(award, gate, try_all(bench, cases, twins))


NO_TIMES = ("2025-03-02T09:05:09", "2025-02-30T10:00:00Z", "yesterday")


@pytest.mark.check(
    id="A4",
    points=4,
    competency="engineering",
    requirement="R9, R13",
    title="Refuses numbers that are not finite, instead of breaking on them",
    question="Your validation refuses NaN, yet the caller sees an internal error. How can that happen?",
    feedback="NaN, infinite or too large numbers are accepted or lead to an internal error.",
)
def test_non_finite(bench, spoiler, gate, award):
    literals = ("NaN", "Infinity", "-Infinity", "1e400")
    cases = [spoiler.written(f"{each} as {name}", name, each) for each in literals for name in ("amount", "income")]
    cases += [spoiler.written_in_batch(f"{each} in a batch", "amount", each) for each in ("NaN", "1e400")]
    cases += [spoiler.written("400 digits as amount", "amount", "9" * 400)]
    judge(award, gate, try_all(bench, cases, [spoiler.twin() for _ in range(10)]))


@pytest.mark.check(
    id="A5",
    points=2,
    competency="engineering",
    requirement="R6, R9",
    title="Takes texts and truth values for no numbers",
    question="Why is it kinder to refuse the text “12,50” than to guess what it means?",
    feedback="Texts or truth values pass as numbers, or numbers as texts; or whole numbers are refused.",
)
def test_strict_types(bench, spoiler, gate, award):
    wrong = {
        "a text as amount": [("amount", "12.5"), ("amount", "1e2")],
        "a text as income": [("income", "30000")],
        "a text as customer": [("customer_id", "17")],
        "a truth value as amount": [("amount", True)],
        "a truth value as income": [("income", False)],
        "a truth value as customer": [("customer_id", True)],
        "a number as text": [("segment", 3), ("request_id", 17), ("currency", 1), ("ts", 1735689600)],
        "a fraction as customer": [("customer_id", 1.5)],
        "a list or an object": [("amount", [1.0]), ("segment", {"name": "retail"})],
        "a text too long or empty": [("request_id", "x" * 65), ("request_id", "")],
    }
    cases = [spoiler.single(name, field, **{field: value}) for name, each in wrong.items() for field, value in each]
    twins = [predict(spoiler.row(amount=100)), predict(spoiler.row(income=30_000)), predict(spoiler.row(income=None))]
    judge(award, gate, try_all(bench, cases, [*twins, spoiler.twin(), spoiler.twin()]))


@pytest.mark.check(
    id="A6",
    points=3,
    competency="operations",
    requirement="R7, R9, R11",
    title="Keeps the limits of a batch and of a body",
    question="What does your service spend on a request of a gigabyte before it refuses it?",
    feedback="Batches that are empty or too long, or bodies that are too large, are not refused as agreed.",
)
def test_limits(bench, spoiler, gate, award):
    cases = [
        Refusal("an empty batch", batch([])),
        Refusal("a batch too long", batch([spoiler.row() for _ in range(513)])),
        Refusal("a batch much too long", batch([spoiler.row() for _ in range(1_500)])),
        Refusal("a body too large", large(post(PREDICT, text(spoiler.row()))), (413,)),
        Refusal("a batch's body too large", large(batch([spoiler.row()])), (413,)),
    ]
    long = batch([spoiler.row() for _ in range(512)])
    allowed = post(PREDICT, text(spoiler.row()).encode() + b" " * 900_000)
    judge(award, gate, try_all(bench, cases, [long, batch([spoiler.row()]), allowed, spoiler.twin()]))


def large(request) -> Request:
    """Bring a body above the limit, however a megabyte is counted, with spaces, which JSON allows."""
    return replace(request, padding=1_200_000)


@pytest.mark.check(
    id="A7",
    points=2,
    competency="engineering",
    requirement="R10, R12",
    title="Refuses bodies that are no JSON, or say that they are something else",
    question="Which of your answers to a broken body come from your own code, and which from the framework?",
    feedback="Bodies that cannot be read, or have another media type, are not refused as agreed.",
)
def test_unreadable_bodies(bench, spoiler, gate, award):
    good = text(spoiler.row()).encode()
    broken = {
        "cut short": good[:-10],
        "empty": b"",
        "no JSON": b"amount=12&currency=EUR",
        "not UTF-8": good.replace(b"customer_id", b"customer\xff\xfeid"),
        "nested too deep": b"[" * 50_000,
        "not an object": b"[1, 2]",
    }
    cases = [Refusal(name, post(PREDICT, body), (400, 422)) for name, body in broken.items()]
    cases += [Refusal(f"{name}, batch", post(BATCH, broken[name]), (400, 422)) for name in ("cut short", "no JSON")]
    other = text(spoiler.row())
    cases += [
        Refusal("another media type", post(PREDICT, other, "text/plain"), (415, 422)),
        Refusal("another media type", post(PREDICT, other, "application/x-www-form-urlencoded"), (415, 422)),
    ]
    said = [
        post(PREDICT, text(spoiler.row()), f"application/json{more}") for more in ("; charset=utf-8", ";charset=UTF-8")
    ]
    judge(award, gate, try_all(bench, cases, [spoiler.twin(), spoiler.twin(), *said]))


@pytest.mark.check(
    id="A8",
    points=4,
    competency="engineering",
    requirement="R13, R21",
    title="Never breaks on odd requests, and answers as it publishes",
    question="How would you find the request that breaks your service with an internal error, before a partner does?",
    feedback=(
        "Some odd requests lead to an internal error or to no answer, end the service, or get an answer that does not "
        "match the published description."
    ),
)
def test_odd_requests(bench, strata, published, variant, gate, award):
    found = fuzz(bench, strata, published, variant.random("fuzz").getrandbits(32))
    reason = gate.reason(Reason.WRONG_ANSWER)
    metrics = found.metrics | {"gate": gate.value}
    award(found.share * gate.value, found.because + gate.note, reason=reason, evidence=found.evidence, metrics=metrics)

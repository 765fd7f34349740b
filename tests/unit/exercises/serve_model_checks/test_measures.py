"""What is measured, and what it earns: parity, gates, ratios, batches under switches, ends, traces."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from standin import StandIn, exchange

from grader.checker.api import SubmissionFailed

TRUE = np.linspace(0.05, 0.95, 100)


def parity_of(checks, got, threshold=0.5, decided=None):
    decisions = np.where(threshold <= TRUE, "review", "approve")
    decided = decisions if decided is None else decided
    answers = [{"probability": p, "decision": str(d)} for p, d in zip(got.tolist(), decided, strict=True)]
    rows = [{"request_id": str(place)} for place in range(len(got))]
    return checks.parity.compare("rows", rows, answers, (TRUE, decisions), threshold)


def test_parity_counts_rows_within_a_millionth(checks):
    got = TRUE.copy()
    got[:10] += 2e-6
    got[10:20] += 5e-7
    found = parity_of(checks, got)
    assert found.value == 0.9
    assert found.credit == pytest.approx((0.9 - 0.5) / 0.48)
    assert "10 of 100" in found.because
    assert parity_of(checks, TRUE).credit == 1


def test_rows_without_a_probability_are_wrong(checks):
    got = TRUE.copy()
    got[:60] = np.nan
    found = parity_of(checks, got)
    assert found.value == 0.4
    assert found.credit == 0
    assert "60 have no probability" in found.because


def test_the_decision_goes_with_the_probability_answered_or_with_the_batch(checks):
    edge = float(TRUE[40])
    above = np.where(edge < TRUE, "review", "approve")
    assert parity_of(checks, TRUE, edge).decided_right.all()
    assert parity_of(checks, TRUE, edge, above).decided_right.sum() == 99
    lower = TRUE.copy()
    lower[40] = np.nextafter(edge, 0)
    assert parity_of(checks, lower, edge, above).decided_right.all()
    assert parity_of(checks, lower, edge).decided_right.all()


def test_a_constant_uses_no_model_and_a_reversed_model_does(checks):
    active = checks.parity.activity
    random = np.random.default_rng(1).permutation(TRUE)
    assert active(parity_of(checks, TRUE)) == 1
    assert active(parity_of(checks, 1 - TRUE)) == 1
    assert active(parity_of(checks, np.full(100, 0.3))) == 0
    assert active(parity_of(checks, random)) == 0
    half_known = TRUE + np.random.default_rng(1).normal(0, 0.55, 100)
    assert active(parity_of(checks, half_known.clip(0, 1))) == 0, "one feature of six is no model"
    assert checks.gates.uses_the_model(parity_of(checks, np.full(100, 0.3))).note


def test_speed_counts_where_half_of_the_plain_rows_are_right(checks):
    half = TRUE.copy()
    half[:75] += 0.01
    assert checks.gates.exact(parity_of(checks, TRUE)).value == 1
    assert checks.gates.exact(parity_of(checks, half)).value == pytest.approx(0.5)
    assert checks.gates.exact(parity_of(checks, TRUE + 0.01)).value == 0


def test_batches_that_agree_count_where_rows_are_right(checks):
    right, wrong = parity_of(checks, TRUE), parity_of(checks, TRUE + 0.01)
    gate = checks.gates.mostly_right
    assert gate([right] * 6 + [wrong]).value == 1, "one trap costs nothing here"
    assert gate([right] + [wrong] * 6).value == 0, "all traps cost all"
    assert "alone" in gate([right] + [wrong] * 6).note


def block(checks, seconds, cpu=0.001):
    return checks.timing.Block(np.array(seconds, float), cpu)


def test_the_median_of_the_blocks_ratios_counts(checks):
    mine = [block(checks, [value] * 20) for value in (0.02, 0.03, 0.2, 0.02, 0.02)]
    other = [block(checks, [0.01] * 20) for _ in range(5)]
    rounds = checks.timing.Rounds(tuple(mine), tuple(other))
    assert rounds.ratio(lambda each: each.p95) == pytest.approx(2)


def test_requests_that_fail_are_infinitely_slow(checks):
    found = checks.timing.block_of([exchange() for _ in range(18)] + [exchange(500), exchange(0, error="reset")], 0.9)
    assert found.p95 == math.inf
    assert found.median == 0.01
    assert found.cpu == pytest.approx(0.05)
    assert checks.timing.log_credit(math.inf, 3, 9) == 0
    assert checks.timing.log_credit(math.nan, 3, 9) == 0


def test_credit_falls_over_the_logarithm(checks):
    credit = checks.timing.log_credit
    assert credit(2.9, 3, 9) == 1
    assert credit(9.1, 3, 9) == 0
    assert credit(math.sqrt(27), 3, 9) == pytest.approx(0.5)


def test_blocks_that_others_disturbed_do_not_count_and_are_measured_anew(checks):
    def series(*references):
        made = iter([1.0, *references])  # the first warms up

        def pair(count):
            return checks.timing.Rounds((block(checks, [2.0] * 20),), (block(checks, [next(made)] * 20),))

        bench = SimpleNamespace(use=lambda stage: None)
        return checks.timing.Series(bench, pair, 160, 40).alike(lambda each: each.p95, "latency")

    assert series(1, 1, 1, 1.5, 1.2).ratio(lambda each: each.p95) == 2
    found = series(3, 1, 9, 1, 1, 1.7, 1, 1.1)
    assert [each.p95 for each in found.reference] == [1, 1, 1, 1, 1.1]
    found = series(1, 3, 3.1, 3.2, 1.1, 3.3, 3.4)
    assert [each.p95 for each in found.reference] == [3, 3.1, 3.2, 3.3, 3.4], "a machine that is slower for longer"
    with pytest.raises(checks.timing.NotMeasured, match="alike in no more than 4 of 15 blocks"):
        series(1, 1, 1, 1, *(2**power for power in range(1, 12)))


def test_growth_is_continued_to_three_thousand_requests(checks):
    slow = checks.busy.Growth((0, 250, 1_000), (0.0, 5.0, 20.0), 1.0)
    assert slow.growth == 60
    warm = checks.busy.Growth((0, 500, 1_000), (0.0, 30.0, 31.0), 1.0)
    assert warm.growth == 35, "what the first requests take is not taken again"
    assert checks.busy.Growth((0, 1_500, 3_000), (0.0, 30.0, 20.0), 1.0).growth == 20
    assert slow.activity == 1
    assert checks.busy.Growth((0, 250), (0.0, 0.0), 1.0).activity == 0
    assert checks.busy.Growth((0, 3_000), (0.0, 0.0), 0.4).activity == 0
    forgetful = checks.busy.Growth((0, 3_000), (0.0, 0.0), 1.0, 0.0)
    assert forgetful.activity == pytest.approx(1 / 3)
    assert "keeps nothing" in forgetful.told


def test_health_beside_refused_batches_earns_nothing(checks):
    one = (0.01,) * 20
    assert checks.busy.Health((one,), 1.0).activity == 1
    refused = checks.busy.Health((one,), 0.3)
    assert refused.activity == 0
    assert "30%" in refused.note
    assert checks.busy.Health((), 1.0).p95 == math.inf


def test_one_round_that_was_disturbed_does_not_decide(checks):
    quiet, disturbed = (0.01,) * 20, (0.01,) * 10 + (1.0,) * 10
    assert checks.busy.Health((quiet, disturbed, quiet), 1.0).p95 == 0.01
    assert checks.busy.Health((disturbed, disturbed, quiet), 1.0).p95 == 1.0


STEADY = {"v1": [0.1, 0.2], "v2": [0.3, 0.4]}
ORDER = {"a": 0, "b": 1}


def batch_answer(version, rows, outer=None):
    results = [
        {"request_id": name, "model_version": version, "probability": probability}
        for name, probability in zip("ab", rows, strict=True)
    ]
    return {"model_version": outer or version, "results": results}


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        (batch_answer("v1", [0.1, 0.2]), "v1"),
        (batch_answer("v2", [0.3, 0.4]), "v2"),
        (batch_answer("v1", [0.1, 0.4]), None),
        (batch_answer("v2", [0.1, 0.2]), None),
        (batch_answer("v1", [0.1, 0.2], outer="v2"), None),
        (batch_answer("v9", [0.1, 0.2]), None),
        ({"model_version": "v1", "results": [{}]}, None),
        ({}, None),
    ],
)
def test_a_batch_is_of_the_version_that_it_names_with_its_numbers(checks, answer, version):
    assert checks.switching.version_of(answer, ORDER, STEADY) == version


def switches(checks):
    done = exchange(200, {"model_version": "v1"}), exchange(200, {"model_version": "v2"})
    return [checks.switching.Switch("v1", 1.0, 1.1, done[0]), checks.switching.Switch("v2", 2.0, 2.1, done[1])]


def judged(checks, *exchanges):
    found = checks.switching.Switched(switches=switches(checks), differ=True, unknown=True)
    checks.switching.judge(found, exchanges, [ORDER] * len(exchanges), STEADY, switches(checks))
    return found


def test_batches_under_switches_are_judged_by_when_they_ran(checks):
    old = exchange(200, batch_answer("v1", [0.1, 0.2]), began=1.5, seconds=0.2)
    between = exchange(200, batch_answer("v2", [0.3, 0.4]), began=1.9, seconds=0.3, number=1)
    stale = exchange(200, batch_answer("v1", [0.1, 0.2]), began=2.4, seconds=0.1, number=2)
    assert judged(checks, old, between).share == 1
    found = judged(checks, old, between, stale)
    assert (found.judged, found.stale, found.mixed) == (2, 1, 0)
    assert found.share < 1


def test_mixing_versions_costs_all_and_a_failed_request_some(checks):
    fine = [exchange(200, batch_answer("v1", [0.1, 0.2]), number=place) for place in range(100)]
    mixed = [exchange(200, batch_answer("v1", [0.1, 0.4]), number=place) for place in (100, 101)]
    failed = exchange(500, {}, number=100)
    assert judged(checks, *fine).share == 1
    assert judged(checks, *fine, *mixed).share == 0
    assert 0.5 < judged(checks, *fine, failed).share < 1


def test_an_activation_that_changes_nothing_is_none(checks):
    found = checks.switching.Switched(switches=switches(checks), differ=False, unknown=True)
    assert found.works == 0
    assert "those of the version before" in found.because


def ended(checks, **changes):
    usual = {"exit_status": 0, "signal": None, "seconds": 0.4, "timed_out": False, "leftovers": 0}
    ending = SimpleNamespace(**(usual | {key: value for key, value in changes.items() if key in usual}))
    counts = {"under_way": 4, "finished": 4} | {key: value for key, value in changes.items() if key not in usual}
    return checks.ending.Ended(ending=ending, **counts)


def test_an_end_is_judged_by_its_requests_and_its_status(checks):
    assert ended(checks).share == 1
    assert ended(checks, finished=2).share == pytest.approx(0.775)
    assert ended(checks, exit_status=None, signal=15).share == pytest.approx(0.45)
    assert ended(checks, exit_status=1).share == pytest.approx(0.45)
    assert ended(checks, finished=0).share == 0
    assert ended(checks, under_way=0, finished=0).share == 0
    assert ended(checks, timed_out=True, exit_status=None, signal=9).share == 0
    assert ended(checks, leftovers=1).share == pytest.approx(0.8)


def test_only_requests_sent_some_time_before_were_under_way(checks):
    under_way = checks.ending.was_under_way
    assert under_way(exchange(began=0.5, seconds=1.0), 1.0, 0.1)
    assert not under_way(exchange(began=0.95, seconds=1.0), 1.0, 0.1)
    assert not under_way(exchange(began=0.5, seconds=0.3), 1.0, 0.1)


def test_requests_sent_longer_ago_are_preferred(checks):
    done = [exchange(began=0.0, seconds=0.8) for _ in range(3)]
    long = [exchange(began=began, seconds=2.0) for began in (0.1, 0.2, 0.75, 0.95)]
    assert checks.ending.certainly_under_way(done + long, 1.0) == long[:2]
    assert checks.ending.certainly_under_way(done + long[1:], 1.0) == long[1:3]
    assert checks.ending.certainly_under_way(done + long[3:], 1.0) == long[3:]


def test_ready_too_early_is_seen_by_the_first_answers(checks):
    start = checks.starting.SlowStart
    assert not start(ready=True, right=True, first=0.02, later=0.01).early
    assert start(ready=True, right=True, first=1.2, later=0.01).early
    assert start(ready=True, right=False, first=0.02, later=0.01).early
    assert not start(ready=False).early
    each_time = start(ready=True, right=True, first=2.7, later=2.8)
    assert each_time.loads_each_time
    assert each_time.early


def test_a_damaged_version_must_never_be_served(checks):
    corrupt = checks.starting.CorruptStart
    assert corrupt(statuses={503}).refused
    assert corrupt(statuses=set()).refused
    assert not corrupt(statuses={503, 200}).refused
    assert not corrupt(statuses={503}, predicted=True).refused


def recovering(checks, *, after):
    """Start a stand-in with a damaged version; `after` is what it serves once v1 is activated."""
    served = []

    def handler(request):
        if request.path == "/admin/activate":
            served[:] = after
            return (200, {"model_version": "v1"}) if after else (500, None)
        if request.path == "/ready":
            return (200, {"model_version": served[0]}) if served else (503, None)
        return (200, {}) if served or request.path == "/health" else (503, None)

    service = StandIn(handler)
    bench = checks.bench.Bench(service, Path())
    row = {"request_id": "g-1"}
    names = SimpleNamespace(rename=lambda row: row)
    return checks.starting.corrupt_start(SimpleNamespace(bench=bench, rows=lambda *_: [row], names=names))


def test_a_start_that_failed_ends_with_a_sound_version(checks, monkeypatch):
    monkeypatch.setattr(checks.starting, "SETTLE_SECONDS", 0.0)
    found = recovering(checks, after=["v1"])
    assert (found.refused, found.alive, found.recovers) == (True, True, True)
    found = recovering(checks, after=[])
    assert (found.refused, found.alive, found.recovers) == (True, True, False)
    assert "could not be brought back" in found.told


@pytest.mark.parametrize("accepts", ["", "v7", "./v1", "v2/../v1"])
def test_a_path_to_a_version_is_no_version(checks, accepts):
    spoiled = []

    def once(request):
        return exchange(200 if json.loads(request.body)["version"] == accepts else 409)

    ready = exchange(200, {"model_version": "v2"})
    bench = SimpleNamespace(once=once, once_ready=lambda: ready, spoil=lambda: spoiled.append(1))
    assert checks.switching._unknown_refused(bench) is (not accepts)
    assert bool(spoiled) is bool(accepts)


def test_an_answer_of_an_odd_type_is_a_wrong_one(checks):
    odd = {"request_id": "g-1", "model_version": [], "probability": 0.5, "decision": {}, "prediction_id": "p"}
    batch = {"model_version": [], "results": [odd]}
    assert checks.switching.version_of(batch, {"g-1": 0}, {"v1": [0.5]}) is None
    assert checks.test_1_validation.fault({"request_id": "g-1"}, odd | {"model_version": "v1"}) == "an unknown decision"
    with pytest.raises(SubmissionFailed):
        checks.claims.turning([odd])


def test_whatever_schema_is_published_requests_are_drawn(checks):
    body = {"content": {"application/json": {"schema": {"anyOf": 5}}}}
    published = checks.openapi.Published({"paths": {"/v1/predict": {"post": {"requestBody": body}}}})
    assert checks.grammar.draw([{"request_id": "g-1"}], published, 7)
    assert checks.grammar._collect(checks.grammar.st.just(1).filter(lambda _: False), 5, 7) == []


def test_lines_of_the_log_are_found_among_others(checks):
    wanted = {"g-1": {}, "g-2": {}}
    line = {"request_id": "g-1", "probability": 0.5}
    logs = [
        b'not json g-1\n{"request_id": "g-3"}\n' + json.dumps(line).encode() + b"\n",
        b'{"request_id": ["g-2"]}\n{"text": "g-2"}\n[1]\n\xff g-2\n',
    ]
    assert checks.logbook.read_lines(logs, wanted) == {"g-1": [line]}
    assert checks.logbook.read_lines(logs, {}) == {}


FEATURES = {"amount": 1.0, "hour": 2}


@pytest.mark.parametrize(
    ("change", "right"),
    [
        ({}, 1),
        ({"probability": 0.4}, 0),
        ({"model_version": "v2"}, 0),
        ({"prediction_id": "q"}, 0),
        ({"decision": "review"}, 0),
        ({"decision": None}, 0),
        ({"features": {"amount": 1.0}}, 0),
        ({"features": FEATURES | {"more": 1}}, 0),
        ({"features": FEATURES | {"hour": "2"}}, 0),
        ({"features": FEATURES | {"hour": None}}, 0),
        ({"features": FEATURES | {"hour": 1e39}}, 0),
    ],
)
def test_a_prediction_must_follow_from_its_features(checks, monkeypatch, change, right):
    artefacts = SimpleNamespace(meta={"features": ["hour", "amount"]})
    monkeypatch.setattr(checks.logbook, "artefacts", lambda folder, version: artefacts)
    monkeypatch.setattr(
        checks.logbook, "from_features", lambda folder, rows, version: np.array([row["hour"] / 10 for row in rows])
    )
    answer = {"prediction_id": "p", "probability": 0.2, "decision": "approve"}
    line = answer | {"model_version": "v1", "features": FEATURES} | change
    found = checks.logbook.Trace()
    checks.logbook.judge(found, {"a": answer}, {"a": [line]}, None)
    assert len(found.right) == right
    assert bool(found.problems) is not bool(right)


def test_a_line_that_comes_twice_is_taken_off(checks):
    names = {str(number) for number in range(50)}
    doubled = {str(number) for number in range(10)}
    assert checks.logbook.Trace(right=names).value(names) == 1
    assert checks.logbook.Trace(right=names - doubled, doubled=doubled).value(names) == 0.6

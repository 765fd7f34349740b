"""Starts of the service: few, none in vain, and again where the process died."""

from __future__ import annotations

import pytest
from standin import StandIn

from grader.checker.api import Reason, SubmissionFailed


def well(request):
    return 200, {"path": request.path}


@pytest.fixture
def gets(checks):
    return [checks.calls.get(f"/{number}") for number in range(250)]


def bench_of(checks, tmp_path, **options):
    service = StandIn(well, **options)
    return service, checks.bench.Bench(service, tmp_path)


def test_checks_of_one_stage_share_a_start(checks, tmp_path, gets):
    service, bench = bench_of(checks, tmp_path)
    for _ in range(3):
        bench.send(gets[:20], stage=checks.bench.MAIN)
    assert service.starts == [{"MODEL_DIR": "{artifacts}", "MODEL_VERSION": "v1"}]
    bench.send(gets[:1], stage=checks.bench.SECOND)
    assert [each["MODEL_VERSION"] for each in service.starts] == ["v1", "v2"]
    assert bench.ready_seconds == [1.5, 1.5]


@pytest.mark.parametrize(("seconds", "answer", "sent", "judged"), [
    (0.01, {"probability": 0.5}, 200, 200),
    (0.9, {"probability": 0.5}, 64, 64),
    (0.9, {}, 16, 200),
])  # fmt: skip
def test_a_slow_service_is_asked_less_and_a_useless_one_hardly(checks, tmp_path, gets, seconds, answer, sent, judged):
    service, bench = bench_of(checks, tmp_path, seconds=seconds)
    service.handler = lambda request: (200, answer)
    strata = checks.parity.Strata(bench, None, tmp_path, None, None)
    assert len(strata._asked(gets[:200], checks.bench.MAIN)) == judged
    assert service.served == sent


def test_exchanges_are_in_the_order_of_the_requests(checks, tmp_path, gets):
    _, bench = bench_of(checks, tmp_path)
    found = bench.send(gets, concurrency=8)
    assert [each.request for each in found] == list(range(250))
    assert [checks.calls.object_of(each)["path"] for each in found] == [each.path for each in gets]


def test_one_start_in_vain_costs_nothing(checks, tmp_path, gets):
    service, bench = bench_of(checks, tmp_path, in_vain=1)
    assert all(checks.calls.answered(each) for each in bench.send(gets[:3], stage=checks.bench.MAIN))
    assert len(service.starts) == 2
    assert bench.ready_seconds == [1.5], "what a start takes is told by those that were none in vain"


def test_a_service_that_is_never_ready_is_waited_for_twice(checks, tmp_path, gets):
    service, bench = bench_of(checks, tmp_path, in_vain=10)
    for stage in (checks.bench.MAIN, checks.bench.MAIN, checks.bench.SECOND, checks.bench.SLOW):
        with pytest.raises(SubmissionFailed, match="was not ready"):
            bench.send(gets[:3], stage=stage)
    assert len(service.starts) == 2


@pytest.fixture
def posts(checks):
    return [checks.calls.predict({"request_id": str(number)}) for number in range(20)]


@pytest.mark.parametrize("status", [500, 503])
def test_a_service_that_is_ready_too_early_is_asked_again_until_it_predicts(checks, tmp_path, gets, posts, status):
    service, bench = bench_of(checks, tmp_path)
    service.handler = lambda request: (422, {}) if request.method == "POST" else well(request)
    bench.send([*gets[:3], *posts[:2]], stage=checks.bench.MAIN)  # what is alive, or refuses, needs no model
    service.handler = lambda request: (status, {}) if service.served <= 25 else well(request)
    assert all(checks.calls.answered(each) for each in bench.send(posts, stage=checks.bench.MAIN))
    service.handler = lambda request: (status, {})
    before = service.served
    assert not any(checks.calls.answered(each) for each in bench.send(posts, stage=checks.bench.MAIN))
    assert service.served == before + 20, "it has predicted since its start, so these are its answers"


def test_patience_with_a_service_that_never_predicts_ends(checks, tmp_path, posts, monkeypatch):
    service, bench = bench_of(checks, tmp_path)
    clock = iter(range(0, 10_000, 10))
    monkeypatch.setattr(checks.bench, "monotonic", lambda: next(clock))
    service.handler = lambda request: (503, {})
    bench.send(posts[:1], stage=checks.bench.MAIN)
    assert service.served == 7
    bench.send(posts[:1], stage=checks.bench.SECOND)
    assert service.served == 1, "the next start is not waited for"


@pytest.mark.parametrize(("version", "starts"), [("v7", 2), ("v2", 1)])
@pytest.mark.parametrize("just_now", [False, True])
def test_after_an_activation_of_what_there_is_not_the_service_is_started_again(
    checks, tmp_path, gets, version, starts, just_now
):
    service, bench = bench_of(checks, tmp_path)
    bench.use(checks.bench.MAIN)
    ask = bench.once if just_now else bench.ask
    ask(checks.calls.activate(version))
    bench.send(gets[:8], stage=checks.bench.MAIN)
    assert len(service.starts) == starts


@pytest.mark.parametrize("body", [b"[" * 50_000, b"{", b"\xff", b"[1]", b'{"version": {}}', b'{"version": "v7"}'])
def test_other_bodies_name_no_version(checks, body):
    assert not checks.calls.names_version(checks.calls.post(checks.calls.ACTIVATE, body))


def test_a_process_that_dies_is_started_again_and_asked_again(checks, tmp_path, gets):
    service, bench = bench_of(checks, tmp_path, dies_after=120)
    found = bench.send(gets, stage=checks.bench.MAIN)
    assert all(checks.calls.answered(each) for each in found)
    assert len(service.starts) == 3
    assert len(bench.troubles.deaths) == 2
    assert bench.troubles.lost


def test_a_process_that_always_dies_is_given_up(checks, tmp_path, gets):
    service, bench = bench_of(checks, tmp_path, dies_after=2)
    with pytest.raises(SubmissionFailed) as failure:
        bench.send(gets, stage=checks.bench.MAIN)
    assert failure.value.reason is Reason.CRASHED
    assert len(service.starts) <= checks.bench.MOST_REVIVALS + 1
    with pytest.raises(SubmissionFailed):
        bench.use(checks.bench.SECOND)


def test_a_request_lost_with_its_connection_is_sent_once_more(checks, tmp_path, gets):
    service, bench = bench_of(checks, tmp_path, forgets=4)
    found = bench.send(gets[:50], stage=checks.bench.MAIN)
    assert all(checks.calls.answered(each) for each in found)
    assert bench.troubles.lost == 4
    assert len(service.starts) == 1


def test_requests_that_are_lost_again_stay_lost(checks, tmp_path, gets):
    _, bench = bench_of(checks, tmp_path, forgets=10**6)
    found = bench.send(gets[:50], stage=checks.bench.MAIN)
    assert {each.error for each in found} == {"reset"}
    assert not bench.troubles.deaths


def test_nobody_waits_for_a_service_that_hangs(checks, tmp_path, gets):
    service, bench = bench_of(checks, tmp_path, hangs=True)
    found = bench.send(gets, concurrency=8, stage=checks.bench.MAIN)
    assert len(found) == 250
    assert {each.error for each in found} == {"timeout"}
    assert service.loads == 1, "the first eight requests tell enough"
    for _ in range(checks.bench.MOST_HANGS - 1):
        bench.send(gets, stage=checks.bench.MAIN)
    with pytest.raises(SubmissionFailed, match="without an answer"):
        bench.send(gets, stage=checks.bench.SECOND)


def test_a_slow_batch_is_no_hang_and_is_not_waited_for_twice(checks, tmp_path):
    service, bench = bench_of(checks, tmp_path)
    service.slow_above = 2_000
    small, large = checks.calls.batch([{"x": 1}]), checks.calls.batch([{"x": "y" * 4_000}])
    for _ in range(checks.bench.MOST_HANGS + 2):
        found = bench.send([small, large, small], stage=checks.bench.MAIN)
        assert [each.status for each in found] == [200, 0, 200]
        assert found[1].error == "timeout"
    assert service.late == 1
    assert len(service.starts) == 2, "it was at work on the batch, and is started afresh"
    assert not bench.troubles.deaths


def test_a_small_batch_held_up_by_a_slow_one_is_sent_again_later(checks, tmp_path):
    service, bench = bench_of(checks, tmp_path)
    small, large = checks.calls.batch([{"x": 1}]), checks.calls.batch([{"x": "y" * 4_000}])
    service.slow_above = 0
    bench.send([large, small], stage=checks.bench.MAIN)
    service.slow_above = 2_000
    assert [each.status for each in bench.send([small, large], stage=checks.bench.MAIN)] == [200, 0]

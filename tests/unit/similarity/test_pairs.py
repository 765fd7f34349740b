"""Which pairs are listed, and what they share."""

from __future__ import annotations

import os

import pytest

from grader.similarity import documents
from grader.similarity.documents import Document
from grader.similarity.groups import groups_of
from grader.similarity.pairs import Similar, find_similar
from grader.similarity.sources import Reading, read_submission
from tests.unit.similarity.conftest import PROGRAM, RENAMED, MakeEntry, program_of, submission_of

NOTHING = Reading(sources=(), left_out=(), data={}, marks={})


def names(found: Similar) -> list[tuple[str, str]]:
    return [(found.entries[pair.first].name, found.entries[pair.second].name) for pair in found.pairs]


def test_a_copy_with_other_names_is_found_and_strangers_are_not(make_entry: MakeEntry) -> None:
    others = [make_entry(f"other {number}", a__py=program_of(number)) for number in range(5)]
    found = find_similar([make_entry("ada", a__py=PROGRAM), *others, make_entry("eve", b__py=RENAMED)], NOTHING)
    assert names(found) == [("ada", "eve")]
    pair = found.pairs[0]
    assert pair.shares == (1.0, 1.0)
    (passage,) = pair.passages
    documents = found.documents
    assert documents[0].lines(passage.first, passage.length)[1:] == (7, 28)
    assert documents[6].lines(passage.second, passage.length)[1:] == (4, 26)


def test_a_part_is_found_inside_other_code_and_in_another_order(make_entry: MakeEntry) -> None:
    first, second = PROGRAM.split("def total")
    mixed = f"{program_of(1)}\ndef total{second}\n{program_of(2)}\n{first}"
    found = find_similar([make_entry("ada", a__py=PROGRAM), make_entry("eve", main__py=mixed)], NOTHING)
    assert found.pairs[0].shares[0] > 0.95
    assert found.pairs[0].shares[1] < 0.4
    assert len(found.pairs[0].passages) == 2


def test_what_everybody_was_given_does_not_count(make_entry: MakeEntry) -> None:
    public = read_submission(submission_of(given__py=PROGRAM))
    one = make_entry("ada", a__py=PROGRAM + program_of(1))
    other = make_entry("eve", a__py=RENAMED + program_of(2))
    assert find_similar([one, other], NOTHING).pairs
    assert find_similar([one, other], public).pairs == []
    same = find_similar([one, make_entry("eve", a__py=program_of(1) + RENAMED)], public).pairs[0]
    assert same.shares == (1.0, 1.0)


def test_one_person_is_not_compared_with_themselves_and_two_are_listed_once(make_entry: MakeEntry) -> None:
    half = PROGRAM.partition("def total")[2] * 2
    entries = [
        make_entry("ada", "first.zip", a__py=half),
        make_entry("ada", "second.zip", a__py=PROGRAM),
        make_entry("eve", "eve.zip", a__py=RENAMED),
    ]
    found = find_similar(entries, NOTHING)
    assert names(found) == [("ada", "eve")]
    assert found.entries[found.pairs[0].first].label == "second.zip"
    assert find_similar(entries[:2], NOTHING).pairs == []


def test_a_little_in_common_is_not_listed_and_the_threshold_decides(make_entry: MakeEntry) -> None:
    part = PROGRAM.partition("def total")[2]
    entries = [make_entry("ada", a__py=part + program_of(1)), make_entry("eve", a__py=part + program_of(2))]
    share = find_similar(entries, NOTHING, 0.01).pairs[0].share
    assert find_similar(entries, NOTHING, share + 0.01).pairs == []
    few = [make_entry("ada", a__py="x = f(y)\n" * 8), make_entry("eve", a__py="x = f(y)\n" * 8)]
    assert find_similar(few, NOTHING).pairs == []  # all of both, and yet next to nothing


def test_code_that_does_not_parse_stops_nothing(make_entry: MakeEntry) -> None:
    broken = "def f(:\n  '''\n" + PROGRAM.replace('"""', "'''")
    entries = [
        make_entry("bob", a__py=broken, b__py="\\"),
        make_entry("ada", a__py=PROGRAM),
        make_entry("eve", a__py=RENAMED),
    ]
    assert ("ada", "eve") in names(find_similar(entries, NOTHING))


def test_equal_data_are_a_fact_unless_everybody_has_them(make_entry: MakeEntry) -> None:
    blob, given = os.urandom(2000), b"MIT" * 1000
    public = read_submission(submission_of(data__bin=given))
    entries = [make_entry(name, a__bin=blob, LICENSE=given, tiny__txt="x") for name in ("ada", "eve")]
    assert [pair.files for pair in find_similar(entries, public).pairs] == [(("a.bin", "a.bin"),)]
    assert find_similar([entries[0], make_entry("ada", b__bin=blob)], public).pairs == []
    many = [make_entry(f"person {number}", a__bin=blob) for number in range(11)]
    assert find_similar(many, public).pairs == []


def test_says_how_many_have_a_passage(make_entry: MakeEntry) -> None:
    part = PROGRAM.partition("def total")[2]
    entries = [
        make_entry("ada", a__py=PROGRAM),
        make_entry("eve", a__py=RENAMED),
        make_entry("bob", a__py=part + program_of(3)),
        make_entry("bob", a__py=part + program_of(4)),
        make_entry("cyd", a__py=program_of(5)),
    ]
    found = find_similar(entries, NOTHING)
    counts = {
        names(found)[number]: [found.people_with(pair, passage) for passage in pair.passages]
        for number, pair in enumerate(found.pairs)
    }
    assert counts[("ada", "eve")] == [2]
    assert counts[("ada", "bob")] == [3]


def test_short_passages_are_counted_for_at_least_the_two(make_entry: MakeEntry) -> None:
    base = 45_000  # here one passage is so short that what it would choose alone nobody has

    def chunks(who: int) -> str:
        seeds = [(base + 100 + number, base + 200 + 20 * who + number) for number in range(12)]
        return "".join(program_of(shared, 5) + program_of(own, 4) for shared, own in seeds)

    entries = [make_entry(name, a__py=chunks(who)) for who, name in enumerate(("ada", "eve"))]
    found = find_similar(entries, NOTHING)
    counts = [found.people_with(found.pairs[0], passage) for passage in found.pairs[0].passages]
    assert len(counts) > 5
    assert set(counts) == {2}


def test_people_who_agree_by_way_of_others_are_one_group(make_entry: MakeEntry) -> None:
    other = program_of(1, 30)
    entries = [
        make_entry("ada", a__py=PROGRAM),
        make_entry("bob", a__py=RENAMED + other),  # has all of Ada's
        make_entry("cyd", b__py=other),  # has nothing of Ada's
        make_entry("dan", a__py=program_of(2)),
        make_entry("eve", a__py=program_of(3)),
        make_entry("eve", a__py=program_of(3) + "x = 1"),
        make_entry("fay", a__py=program_of(3)),
        make_entry("gus", a__py=PROGRAM.partition("def total")[2] + program_of(4)),  # half of Ada's
    ]
    found = find_similar(entries, NOTHING)
    assert ("ada", "gus") in names(found)
    assert groups_of(found) == [("ada", "bob", "cyd")]


def test_of_too_much_code_the_beginning_is_compared(make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "TOKENS_CAP", 300)
    entries = [make_entry("ada", a__py=PROGRAM, b__py=program_of(1)), make_entry("eve", a__py=RENAMED + program_of(2))]
    found = find_similar(entries, NOTHING)
    assert [(each.own, each.cut) for each in found.documents] == [(300, True), (300, True)]
    assert names(found) == [("ada", "eve")]


def test_code_that_repeats_itself_is_bounded(make_entry: MakeEntry) -> None:
    document = Document(make_entry("ada", a__py="f(x)\n" * 1500).reading, 1)
    assert all(len(places) <= 4 for places in document.fingerprints().values())
    entries = [make_entry(name, a__py="f(x)\n" * 1500) for name in ("ada", "eve")]
    assert find_similar(entries, NOTHING).pairs[0].share == pytest.approx(1, abs=0.01)

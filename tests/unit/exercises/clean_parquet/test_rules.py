"""RULES.md leaves exactly one reading: an independent program gets every cell of the truth from it."""

from __future__ import annotations

import itertools

import pyarrow.parquet as pq
import pytest
import rules_oracle as oracle


@pytest.fixture(scope="session")
def rules(exercise):
    return oracle.Rules((exercise / "template" / "RULES.md").read_text(encoding="utf-8"))


@pytest.fixture(scope="session", params=["public", "main", "corrupt"])
def data_set(request, public, small_hidden):
    """A folder with raw/ and truth/."""
    return public if request.param == "public" else small_hidden(7) / request.param


@pytest.fixture(scope="session")
def judged(rules, data_set):
    return oracle.judge(rules, data_set / "raw")


def test_every_order_follows_from_the_rules(judged, data_set):
    right = pq.read_table(data_set / "truth" / "orders.parquet").to_pylist()
    ours = [{**row.clean, "source_file": row.file, "source_row": row.row} for row in judged if row.fate == "kept"]
    assert ours == right


def test_every_reason_follows_from_the_rules(judged, data_set):
    right = pq.read_table(data_set / "truth" / "quarantine.parquet", columns=["source_file", "source_row", "reason"])
    ours = [(row.file, row.row, row.reason) for row in judged if row.reason]
    assert ours == [tuple(row.values()) for row in right.to_pylist()]


def test_the_report_adds_up(judged, data_set):
    report = oracle.load_report(data_set / "truth")
    assert oracle.report_of(judged).items() <= report.items()
    assert report["rows_in"] == report["rows_out"] + report["rows_duplicate"] + report["rows_quarantined"]


def test_the_large_set_follows_from_the_rules(rules, small_hidden):
    folder = small_hidden(7) / "history"
    judged = oracle.judge(rules, folder / "raw")
    rows = pq.read_table(folder / "truth" / "rows.parquet").to_pylist()
    templates = pq.read_table(folder / "truth" / "templates.parquet").to_pylist()
    numbers: dict[int, set[str]] = {}
    for ours, true in zip(judged, rows, strict=True):
        template = templates[true["template"]]
        assert template["valid"] == (not ours.reason)
        names = [name for name in ours.clean if name != "order_no"]
        assert ours.reason or all(ours.clean[name] == template[name] for name in names)
        numbers.setdefault(true["order"], set()).add(ours.clean["order_no"])
    assert len(set.union(*numbers.values())) == sum(map(len, numbers.values())) == len(numbers)


def test_status_words_of_different_statuses_are_far_apart(rules):
    from rapidfuzz.distance import Levenshtein

    pairs = itertools.combinations(rules.statuses, 2)
    apart = [Levenshtein.distance(a, b) for a, b in pairs if rules.statuses[a] != rules.statuses[b]]
    assert min(apart) >= 3  # then no text is within distance 1 of two statuses
    assert len(rules.statuses) == 31  # as RULES.md says


def test_the_generator_uses_the_words_of_the_page(rules):
    import vocabulary

    assert rules.statuses == vocabulary.WORD_TO_STATUS
    assert rules.home == {name: shop.currency for name, shop in vocabulary.SHOPS.items()}
    others = {name: column for name, column in rules.names.items() if name != column}
    assert others == {name: column for column, names in vocabulary.OTHER_NAMES.items() for name in names}


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [("paid", "paid", 0), ("pad", "paid", 1), ("pxid", "paid", 1), ("paaid", "paid", 1), ("piad", "paid", 0)],
)
def test_the_oracle_knows_one_typing_error(one, two, expected):
    assert oracle.near(one, two) == expected

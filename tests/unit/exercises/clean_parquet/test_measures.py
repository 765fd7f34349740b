"""The measures: anchors, one flaw for one measure, gates, and candidates' tables of every kind."""

from __future__ import annotations

import fates
import measure
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import reporting
from tables import ORDERS, QUARANTINE, Standing, read_truth

from grader.checker.api import linear


@pytest.fixture(scope="module")
def truth(small_hidden):
    return read_truth(small_hidden(7) / "main" / "truth")


@pytest.fixture(scope="module")
def aside(truth):
    rows = truth.rows.filter(pc.equal(truth.rows["fate"], "quarantined"))
    rows = rows.select(["source_file", "source_row", "reason"])
    return rows.append_column("raw_json", pa.array(["{}"] * rows.num_rows)).cast(QUARANTINE)


def credits(standing):
    """Every measure that becomes points."""
    groups = {
        "redelivered": fates.redelivered(standing).credit,
        "newest": fates.newest(standing).credit,
        "pairs": fates.pairs_kept(standing).credit * fates.deduplicates(standing),
        "ledger": fates.ledger(standing).credit * measure.recall_gate(standing),
        "harm": measure.harm(standing).credit * measure.recall_gate(standing),
        "moved": measure.accuracy(standing, "moved", drifted=True).credit,
    }
    classes = {title: measure.accuracy(standing, *names).credit for title, names in measure.CLASS_TITLES.items()}
    reasons = {reason: fates.quarantined(standing, reason).credit for reason in ("bad_date", "bad_amount", "bad_qty")}
    return groups | classes | reasons


def lost(standing):
    return {name for name, credit in credits(standing).items() if credit < 0.75}


def changed(table, column, values, mask):
    """Replace a column's values where a mask is true."""
    new = pc.if_else(pa.array(mask), values, table[column].combine_chunks())
    return table.set_column(table.schema.get_field_index(column), table.schema.field(column), new)


def cells(truth, *classes):
    """Which of the truth's orders hold a cell of these classes."""
    chosen = truth.cells.filter(pc.is_in(truth.cells["defect"], pa.array(classes)))
    return np.isin(truth.kept, truth.places(chosen))


def test_the_truth_earns_everything(truth, aside):
    standing = Standing(truth=truth, orders=truth.orders, quarantine=aside)
    assert set(credits(standing).values()) == {1.0}


def test_the_order_of_rows_does_not_matter(truth, aside):
    shuffled = truth.orders.take(pa.array(np.random.default_rng(1).permutation(truth.orders.num_rows)))
    assert lost(Standing(truth=truth, orders=shuffled, quarantine=aside)) == set()


FLAWS = {
    "local time": ("ts_utc", lambda column: pc.add(column, pa.scalar(3_600_000_000, pa.duration("us"))), ("local",)),
    "cents by metadata": ("amount", lambda column: pa.nulls(len(column), column.type), ("cents", "units")),
    "words for nothing": ("city", lambda column: pa.array(["N/A"] * len(column)), ("nothing",)),
    "typing errors": ("status", lambda column: pa.array(["shiped"] * len(column)), ("typo",)),
    "wrong decoding": ("city", lambda column: pc.utf8_upper(column), ("mojibake",)),
    "retired SKUs": ("sku", lambda column: pc.utf8_lower(column), ("alias",)),
    "order numbers": ("order_no", lambda column: pc.utf8_ltrim(column, "0"), ("key",)),
}


@pytest.mark.parametrize("name", FLAWS)
def test_one_flaw_costs_one_measure(truth, aside, name):
    column, spoil, classes = FLAWS[name]
    values = spoil(truth.orders[column].combine_chunks())
    orders = changed(truth.orders, column, values, cells(truth, *classes))
    assert lost(Standing(truth=truth, orders=orders, quarantine=aside)) == {name}


def test_changing_clean_cells_is_harm_and_nothing_else(truth, aside):
    clean = ~cells(truth, "typo", "synonym", "moved")
    orders = changed(truth.orders, "status", pa.array(["paid"] * truth.orders.num_rows), clean)
    assert lost(Standing(truth=truth, orders=orders, quarantine=aside)) == {"harm"}


def test_keeping_every_row_earns_nothing_for_identity_or_quarantine(truth):
    places = {name: truth.rows[name] for name in ("shop", "order_no", "source_file", "source_row")}
    columns = [places.get(field.name, pa.nulls(truth.rows.num_rows, field.type)) for field in ORDERS]
    found = credits(Standing(truth=truth, orders=pa.table(columns, schema=ORDERS), quarantine=QUARANTINE.empty_table()))
    assert [found[name] for name in ("redelivered", "newest", "pairs", "bad_date", "bad_amount", "bad_qty")] == [0] * 6


def test_quarantine_of_every_row_earns_next_to_nothing(truth):
    everything = truth.rows.select(["source_file", "source_row", "reason"])
    everything = everything.append_column("raw_json", pa.array(["{}"] * everything.num_rows)).cast(QUARANTINE)
    found = credits(Standing(truth=truth, orders=ORDERS.empty_table(), quarantine=everything))
    assert max(found.values()) < 0.2


def test_silent_loss_empties_the_ledger(truth, aside):
    standing = Standing(truth=truth, orders=truth.orders, quarantine=QUARANTINE.empty_table())
    ledger = fates.ledger(standing)
    assert ledger.credit == 0
    covered = int((truth.column("group") == "fallback")[truth.column("fate") == "quarantined"].sum())
    assert ledger.lost == aside.num_rows - covered  # an older state of these is kept


def test_the_ledger_counts_every_row_once(truth, aside):
    ledger = fates.ledger(Standing(truth=truth, orders=truth.orders, quarantine=aside))
    assert ledger.kept + ledger.aside + ledger.duplicate == ledger.rows == truth.rows.num_rows
    doubled = pa.concat_tables([truth.orders, truth.orders.slice(0, 10)])
    assert fates.ledger(Standing(truth=truth, orders=doubled, quarantine=aside)).doubled == 10


def test_the_stale_state_costs_only_the_measure_of_states(truth, aside):
    kept = set(truth.kept[np.isin(truth.kept, np.flatnonzero(truth.column("group") == "versions"))])
    stale = {}
    for group in fates.group_members(Standing(truth=truth, orders=truth.orders, quarantine=aside), "versions"):
        winner = next(place for place in group if place in kept)
        stale[winner] = next(place for place in group if place != winner)
    rows = pa.array([int(stale.get(place, place)) for place in truth.kept])
    orders = truth.orders
    for name in ("source_file", "source_row"):
        orders = orders.set_column(orders.schema.get_field_index(name), ORDERS.field(name), truth.rows[name].take(rows))
    assert lost(Standing(truth=truth, orders=orders, quarantine=aside)) == {"newest"}


def foreign(truth):
    count = 50
    columns = [pa.nulls(count, field.type) for field in ORDERS]
    columns[-2] = pa.array(["part-99.parquet", None, "", "part-00.parquet", "x"] * 10)
    columns[-1] = pa.array([-1, None, 2**62, -(2**63), 7] * 10)
    return pa.table(columns, schema=ORDERS)


def nulls(truth):
    return pa.table([pa.nulls(100, field.type) for field in ORDERS], schema=ORDERS)


def odd_values(truth):
    orders = truth.orders
    weights = pa.array([float("inf"), float("nan"), -1e308, None] * (orders.num_rows // 4 + 1))[: orders.num_rows]
    return orders.set_column(6, ORDERS.field("weight_g"), weights)


STRANGE = {
    "empty": lambda truth: ORDERS.empty_table(),
    "nulls": nulls,
    "foreign": foreign,
    "odd values": odd_values,
    "everything three times": lambda truth: pa.concat_tables([truth.orders] * 3),
    "one row": lambda truth: truth.orders.slice(0, 1),
}


@pytest.mark.parametrize("name", STRANGE)
def test_no_table_makes_a_measure_raise(truth, name):
    orders = STRANGE[name](truth)
    quarantine = pa.table(
        [orders["source_file"], orders["source_row"], orders["shop"], orders["city"]], schema=QUARANTINE
    )
    found = credits(Standing(truth=truth, orders=orders, quarantine=quarantine))
    assert all(0 <= credit <= 1 for credit in found.values())


def test_nothing_written_earns_nothing(truth):
    standing = Standing(truth=truth, orders=ORDERS.empty_table(), quarantine=QUARANTINE.empty_table())
    assert set(credits(standing).values()) == {0.0}


def set_aside(truth, aside, chosen, reason):
    """The truth, but for some orders that are in quarantine for a reason, or for the one that each order has."""
    lineage = truth.orders.filter(pa.array(chosen)).select(["source_file", "source_row"])
    reasons = np.broadcast_to(np.array(reason, object), chosen.shape)[chosen]
    more = lineage.append_column("reason", pa.array(reasons, pa.string()))
    more = more.append_column("raw_json", pa.array(["{}"] * lineage.num_rows)).cast(QUARANTINE)
    orders = truth.orders.filter(pa.array(~chosen))
    return Standing(truth=truth, orders=orders, quarantine=pa.concat_tables([aside, more]))


def test_rows_that_are_given_up_for_a_misread_amount_are_judged_by_amounts_alone(truth, aside):
    standing = set_aside(truth, aside, cells(truth, "comma"), "bad_amount")
    found = credits(standing)
    # Repeats of these rows are in neither table here, as no program would leave them.
    assert {name for name, credit in found.items() if credit < 1} - {"ledger"} == {"decimal comma"}
    assert found["decimal comma"] == 0


def test_who_says_what_was_not_repaired_loses_that_alone(truth, aside):
    found = credits(set_aside(truth, aside, cells(truth, "comma"), "not_repaired:amount"))
    assert {name for name, credit in found.items() if credit < 1} - {"ledger"} == {"decimal comma"}
    assert found["decimal comma"] == 0
    found = credits(set_aside(truth, aside, cells(truth, "mojibake"), "not_repaired:city"))
    assert {name for name, credit in found.items() if credit < 1} - {"ledger"} == {"wrong decoding"}


def test_what_was_not_repaired_without_a_column_counts_against_every_defect_of_the_row(truth, aside):
    found = credits(set_aside(truth, aside, cells(truth, "comma"), "not_repaired"))
    assert found["decimal comma"] == 0
    assert 0 < found["local time"] < 1
    # Nothing is known against what was sound in these rows, nor against duplicates and pairs.
    assert [found[name] for name in ("harm", "redelivered", "newest", "pairs")] == [1] * 4


def test_a_sound_row_cannot_be_given_up(truth, aside):
    sound = ~np.isin(truth.kept, truth.places(truth.cells))
    some = sound & (np.arange(len(sound)) % 2 == 0)
    for reason in ("not_repaired", "not_repaired:city"):
        standing = set_aside(truth, aside, some, reason)
        assert not (standing.given_up != "").any()
        assert standing.recall < 0.99


def test_whoever_sets_rows_aside_for_a_sound_field_is_not_excused(truth, aside):
    sound = cells(truth, "mojibake") & ~cells(truth, "comma", "money_text", "cents", "units", "nothing")
    some = sound & (np.arange(len(sound)) % 2 == 0)
    assert 0 < some.sum() < cells(truth, "mojibake").sum() / 2, "so few that they would be excused"
    for reason in ("bad_amount", ""):
        assert credits(set_aside(truth, aside, some, reason))["wrong decoding"] < 0.9


def test_whoever_gives_most_rows_up_is_not_excused(truth, aside):
    dates, amounts = cells(truth, "local", "offset", "epoch"), cells(truth, "comma", "money_text", "cents", "units")
    assert (dates | amounts).mean() > 0.5
    standing = set_aside(truth, aside, dates | amounts, np.where(dates, "bad_date", "bad_amount"))
    assert credits(standing)["synonyms, case"] < 0.5


@pytest.mark.parametrize(("value", "credit"), [(0.5, 0), (0.74, 0.5), (0.98, 1), (1, 1), (0.2, 0)])
def test_class_anchors(value, credit):
    assert linear(value, measure.CLASS_LO, measure.CLASS_HI) == pytest.approx(credit)


def test_harm_and_ledger_anchors():
    assert linear(0.0005, measure.HARM_LO, measure.HARM_HI) == 1
    assert linear(0.02, measure.HARM_LO, measure.HARM_HI) == 0
    assert linear(0.97, fates.LEDGER_LO, fates.LEDGER_HI) == 0


def test_wrong_cells_are_explained_by_example(truth, aside):
    orders = changed(truth.orders, "status", pa.array(["x"] * truth.orders.num_rows), cells(truth, "typo"))
    found = measure.accuracy(Standing(truth=truth, orders=orders, quarantine=aside), "typo")
    assert found.right == 0
    assert "should be" in found.because("words")
    assert "part-" in found.examples[0]


REPORTS = [
    None,
    [],
    7,
    {},
    {"by_file": []},
    {"by_file": {"part-00.parquet": 3}},
    {"by_reason": {"a": "b"}, "rows_in": True},
]


@pytest.mark.parametrize("report", REPORTS)
def test_a_strange_report_does_not_agree(truth, aside, report):
    standing = Standing(truth=truth, orders=truth.orders, quarantine=aside)
    assert not any(reporting.report_agreement(report, standing).values())


def test_the_right_report_agrees(truth, aside, small_hidden):
    from tables import read_json

    report = read_json(small_hidden(7) / "main" / "truth" / "report.json")
    standing = Standing(truth=truth, orders=truth.orders, quarantine=aside)
    assert all(reporting.report_agreement(report, standing).values())


@pytest.mark.parametrize(
    ("texts", "expected"),
    [(["{}"] * 5, True), ([], False), (["{}", "x"], False), ([None, "[]"], False), (["[" * 100_000] * 3, False)],
)
def test_raw_rows_must_be_objects(texts, expected):
    assert reporting.raw_rows_are_objects(texts) is expected


def test_text_for_people_is_one_short_printable_line():
    assert measure.shown("a\u00a0b\n") == "“a<U+00A0>b<U+000A>”"
    assert len(measure.shown("x" * 500)) == 60

"""The gate of memory and time: work that was done opens it, whatever else is wrong."""

from __future__ import annotations

import inspect
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import test_g_scale
from history import newest_valid
from tables import LINEAGE, ORDERS
from volume import DONE_HI, DONE_LO, FILE, read_volume, share_done

from grader.checker.api import Reason, SubmissionFailed

NOTHING = LINEAGE.empty_table()


@pytest.fixture(scope="module")
def truth(small_hidden):
    return read_volume(small_hidden(7) / "history" / "truth")


def kept(truth, choose):
    """One valid row for every order; `choose` picks it among them."""
    valid = np.flatnonzero(truth.valid[truth.template])
    rows = choose(valid)
    orders, first = np.unique(truth.order[rows], return_index=True)
    assert len(orders) == len(np.unique(truth.order))
    return rows[first]


def written(truth, rows):
    table = truth.templates.take(pa.array(truth.template[rows]))
    table = table.set_column(11, ORDERS.field(11), pa.array([FILE] * len(rows)))
    return table.set_column(12, ORDERS.field(12), pa.array(rows, pa.int64()))


def set_aside(rows):
    return pa.table([pa.array([FILE] * len(rows), pa.string()), pa.array(rows, pa.int64())], schema=LINEAGE)


@pytest.fixture(scope="module")
def invalid(truth):
    return np.flatnonzero(~truth.valid[truth.template])


@pytest.mark.parametrize("choose", [lambda valid: valid, lambda valid: valid[::-1]], ids=["first", "last"])
def test_any_state_of_every_order_is_full_work_where_the_quarantine_is_there(truth, invalid, choose):
    assert share_done(written(truth, kept(truth, choose)), set_aside(invalid), truth) == 1


def test_the_newest_states_are_full_work_without_a_quarantine(truth):
    newest = np.flatnonzero(truth.newest)
    assert len(newest) == len(np.unique(truth.order))
    assert share_done(written(truth, newest), NOTHING, truth) == 1


def test_whoever_reads_one_part_of_the_rows_has_not_done_the_work(truth, invalid):
    part = len(truth.order) // 4
    rows = kept(truth, lambda valid: valid)  # the first state of every order, and of the quarantine as much
    found = share_done(written(truth, rows), set_aside(invalid[invalid < part]), truth)
    assert found == pytest.approx(0.25, abs=0.05)
    assert found < DONE_LO


def test_setting_everything_aside_shows_nothing(truth):
    rows = kept(truth, lambda valid: valid)
    everything = set_aside(np.arange(len(truth.order)))
    assert share_done(written(truth, rows), everything, truth) < 0.1


def test_one_wrong_column_leaves_the_gate_open(truth, invalid):
    table = written(truth, kept(truth, lambda valid: valid))
    table = table.set_column(3, ORDERS.field(3), pa.nulls(table.num_rows, ORDERS.field(3).type))
    assert share_done(table, set_aside(invalid), truth) == pytest.approx(8 / 9)
    assert share_done(table, set_aside(invalid), truth) > DONE_HI


def test_half_of_the_orders_are_half_of_the_work(truth, invalid):
    table = written(truth, kept(truth, lambda valid: valid))
    half = share_done(table.slice(0, table.num_rows // 2), set_aside(invalid), truth)
    assert half == pytest.approx(0.5)


def test_lineage_without_values_closes_the_gate(truth, invalid):
    rows = kept(truth, lambda valid: valid)
    columns = [pa.nulls(len(rows), field.type) for field in list(ORDERS)[:11]]
    columns += [pa.array([FILE] * len(rows)), pa.array(rows, pa.int64())]
    assert share_done(pa.table(columns, schema=ORDERS), set_aside(invalid), truth) < DONE_LO


@pytest.mark.parametrize("rows", [0, 100])
def test_nothing_and_strangers_are_no_work(truth, rows):
    columns = [pa.nulls(rows, field.type) for field in list(ORDERS)[:11]]
    columns.append(pa.array(["part-99.parquet", None] * (rows // 2), pa.string()))
    columns.append(pa.array([2**62, -1] * (rows // 2), pa.int64()))
    strangers = pa.table(columns, schema=ORDERS)
    assert share_done(strangers, strangers.select(LINEAGE.names), truth) == 0


def test_the_newest_valid_row_of_an_order_is_marked():
    orders, age = np.array([0, 1, 0, 1, 0, 2]), np.array([3, 5, 4, 0, 2, 1])
    valid = np.array([True, True, False, True, True, False])
    assert newest_valid(orders, age, valid).tolist() == [True, True, False, False, False, False]


@pytest.mark.parametrize("reason", [Reason.TOO_LARGE, Reason.MISSING_OUTPUT])
def test_a_quarantine_that_cannot_be_read_costs_nothing_where_the_newest_states_are_there(truth, small_hidden, reason):
    def table(name, schema):
        if name == "quarantine.parquet":
            raise SubmissionFailed(reason, f"{name} is not there, or too large.")
        return SimpleNamespace(table=written(truth, np.flatnonzero(truth.newest)))

    look = inspect.unwrap(test_g_scale.history_share)
    assert look(SimpleNamespace(lenient_table=table), SimpleNamespace(path=small_hidden(7))) == 1

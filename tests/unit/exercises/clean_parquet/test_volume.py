"""The gate of memory and time: work that was done opens it, whatever else is wrong."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from tables import ORDERS
from volume import DONE_HI, DONE_LO, FILE, read_volume, share_done


@pytest.fixture(scope="module")
def truth(small_hidden):
    return read_volume(small_hidden(5) / "history" / "truth")


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


@pytest.mark.parametrize("choose", [lambda valid: valid, lambda valid: valid[::-1]], ids=["first", "last"])
def test_any_state_of_every_order_is_full_work(truth, choose):
    assert share_done(written(truth, kept(truth, choose)), truth) == 1


def test_one_wrong_column_leaves_the_gate_open(truth):
    table = written(truth, kept(truth, lambda valid: valid))
    table = table.set_column(3, ORDERS.field(3), pa.nulls(table.num_rows, ORDERS.field(3).type))
    assert share_done(table, truth) == pytest.approx(8 / 9)
    assert share_done(table, truth) > DONE_HI


def test_half_of_the_orders_are_half_of_the_work(truth):
    table = written(truth, kept(truth, lambda valid: valid))
    assert share_done(table.slice(0, table.num_rows // 2), truth) == pytest.approx(0.5)


def test_lineage_without_values_closes_the_gate(truth):
    rows = kept(truth, lambda valid: valid)
    columns = [pa.nulls(len(rows), field.type) for field in list(ORDERS)[:11]]
    columns += [pa.array([FILE] * len(rows)), pa.array(rows, pa.int64())]
    assert share_done(pa.table(columns, schema=ORDERS), truth) < DONE_LO


@pytest.mark.parametrize("rows", [0, 100])
def test_nothing_and_strangers_are_no_work(truth, rows):
    columns = [pa.nulls(rows, field.type) for field in list(ORDERS)[:11]]
    columns.append(pa.array(["part-99.parquet", None] * (rows // 2), pa.string()))
    columns.append(pa.array([2**62, -1] * (rows // 2), pa.int64()))
    assert share_done(pa.table(columns, schema=ORDERS), truth) == 0

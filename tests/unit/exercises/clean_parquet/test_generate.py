"""The generator: repeatable bytes, enough cells of every class, and nothing that tells which cells are dirty."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from grader.checker.chance import Chance


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_seed_gives_the_same_bytes(public, tmp_path):
    from generate import generate

    generate(20261123, "public", tmp_path)
    assert digests(tmp_path) == digests(public)


def test_the_hidden_split_gives_the_same_bytes(small_hidden, tmp_path, monkeypatch):
    import generate

    monkeypatch.setattr(generate, "MAIN_ORDERS", 3_000)
    monkeypatch.setattr(generate, "HISTORY_ROWS", 30_000)
    generate.generate(7, "hidden", tmp_path)
    assert digests(tmp_path) == digests(small_hidden(7))


def test_seeds_share_neither_customers_nor_skus_nor_habits(small_hidden, public):
    def lookups(folder):
        customers = pq.read_table(folder / "customers.parquet")["customer_id"].to_pylist()
        return set(customers), set(pq.read_table(folder / "products.parquet")["sku"].to_pylist())

    def habits(folder):
        return [tuple(pq.read_schema(path).names) for path in sorted((folder / "orders").iterdir())]

    one, two = small_hidden(7) / "main" / "raw", public / "raw"
    assert all(len(a & b) < 0.02 * len(a) for a, b in zip(lookups(one), lookups(two), strict=True))
    assert habits(one) != habits(two)


def test_an_unknown_split_is_refused(tmp_path):
    from generate import generate

    with pytest.raises(ValueError, match="'nothing'"):
        generate(1, "nothing", tmp_path)


def test_files_carry_no_statistics_and_no_library_metadata(small_hidden):
    allowed = {b"exporter", b"amount_unit", b"shop"}
    for path in (small_hidden(7) / "main" / "raw" / "orders").iterdir():
        metadata = pq.ParquetFile(path).metadata
        assert set(metadata.metadata) <= allowed
        assert metadata.row_group(0).column(0).statistics is None


def test_every_kind_of_schema_occurs(small_hidden):
    paths = sorted((small_hidden(7) / "main" / "raw" / "orders").iterdir())
    assert [path.name for path in paths] == [f"part-{place:02d}.parquet" for place in range(24)]
    schemas = [pq.read_schema(path) for path in paths]
    names = {"amount", "total", "betrag", "montant"}
    amounts = Counter(str(field.type) for schema in schemas for field in schema if field.name in names)
    assert set(amounts) == {"string", "double", "int64"}
    assert sum("lines" in schema.names for schema in schemas) == 3
    flagged = [b"amount_unit" in pq.ParquetFile(path).metadata.metadata for path in paths]
    assert 4 <= sum(flagged) < amounts["int64"]  # some whole numbers are not cents


@pytest.fixture(scope="session")
def full_main():
    """The rows of the main set at its real size."""
    from scenario import make_rows
    from world import make_world

    return make_rows(77, "main", make_world(77, 2_500, 300), 12_000)[1]


def scored(rows):
    return [row for row in rows if not row.group and not row.file.drifted]


def test_every_scored_class_has_enough_cells(full_main):
    counts = Counter(defect for row in scored(full_main) if not row.reason for defect in row.defects.values())
    classes = "offset epoch local comma money_text cents units unit nothing synonym typo mojibake unicode key alias"
    # The least is 1/4 of the distance between the anchors at two standard errors of a share near one half.
    assert {name: counts[name] for name in classes.split() if counts[name] < 250} == {}


def test_every_reason_and_group_is_populated(full_main):
    reasons = Counter(row.reason for row in scored(full_main) if row.reason)
    assert min(reasons[each] for each in ("bad_date", "bad_amount", "bad_qty", "unknown_customer")) >= 150
    groups = Counter(row.group for row in full_main)
    assert groups["redelivery"] >= 600
    assert groups["versions"] >= 1200
    assert groups["pair"] >= 600
    assert groups["fallback"] >= 80


def test_neither_first_nor_last_state_is_a_good_guess(full_main):
    groups: dict[int, list] = {}
    for row in full_main:
        if row.group == "versions":
            groups.setdefault(row.group_id, []).append(row)
    first = sum(group[0].ingested == max(row.ingested for row in group) for group in groups.values())
    last = sum(group[-1].ingested == max(row.ingested for row in group) for group in groups.values())
    assert first / len(groups) < 0.5
    assert last / len(groups) < 0.5


def test_the_place_of_a_row_tells_nothing(full_main):
    sizes = Counter(row.file.name for row in full_main)
    for chosen in (lambda row: bool(row.reason), lambda row: row.group == "redelivery"):
        places = [row.position / (sizes[row.file.name] - 1) for row in full_main if chosen(row)]
        assert abs(np.mean(places) - 0.5) < 4 / np.sqrt(12 * len(places))


@pytest.mark.parametrize("group", ["redelivery", "versions", "pair"])
def test_types_belong_to_a_file_and_not_to_its_defects(full_main, group):
    """Cells with nothing wrong in them have one look, whatever the row is there for."""
    types, decimals = {True: {}, False: {}}, {True: {}, False: {}}
    for row in full_main:
        for column, value in row.cells.items():
            if not row.reason and column not in row.defects and value is not None:
                place, inside = (row.file.name, column), row.group == group
                types[inside].setdefault(place, set()).add(type(value).__name__)
                if isinstance(value, float):
                    longest = decimals[inside].get(place, 0)
                    decimals[inside][place] = max(longest, len(str(value).partition(".")[2]))
    both = types[True].keys() & types[False].keys()
    assert len(both) > 100
    assert [each for each in both if not types[True][each] <= types[False][each]] == []
    assert [each for each in both if decimals[True].get(each, 0) > decimals[False].get(each, 0)] == []


@pytest.mark.parametrize("column", ["city", "weight"])
def test_gaps_do_not_tell_what_a_row_is_there_for(full_main, column):
    gaps = {group: [] for group in ("", "redelivery", "versions", "pair")}
    for row in full_main:
        if not row.reason and column not in row.file.absent and row.group in gaps:
            gaps[row.group].append(row.cells.get(column) is None)
    usual = np.mean(gaps.pop(""))
    for group, found in gaps.items():
        assert abs(np.mean(found) - usual) < 4 * np.sqrt(usual * (1 - usual) / len(found)), group


def test_cents_read_as_units_would_still_be_valid_amounts(full_main):
    cents = [row.order.cents for row in full_main if row.file.amount == "cents"]
    assert max(cents) * 100 <= 2_000_000


def test_damaged_files_cannot_be_read_to_their_end(small_hidden):
    folder = small_hidden(7) / "corrupt"
    broken = []
    for path in sorted((folder / "raw" / "orders").iterdir()):
        try:
            pq.read_table(path)
        except (OSError, pa.ArrowException):
            broken.append(path.name)
    assert len(broken) == 2
    opened = [name for name in broken if (folder / "raw" / "orders" / name).read_bytes()[-4:] == b"PAR1"]
    assert len(opened) == 1  # one has its footer and breaks later


def test_what_is_drawn_does_not_tell_the_seed():
    """`export_batch` shows draws as they come; those of a linear generator would tell its state, and so the rest."""
    from world import chance

    assert isinstance(chance(7, "columns"), Chance)
    one, same, other = (chance(seed, "columns").randrange(10**6) for seed in (7, 7, 8))
    assert one == same != other


def test_replay_hands_in_the_public_answer(exercise, public):
    assert digests(exercise / "solutions" / "replay" / "answer") == digests(public / "truth")


def test_the_quarantine_of_a_kit_shows_rows_as_they_stand_in_the_input(public):
    quarantine = pq.read_table(public / "truth" / "quarantine.parquet").to_pylist()
    assert len(quarantine) > 100
    for row in quarantine:
        file = pq.read_table(public / "raw" / "orders" / row["source_file"])
        (raw,) = file.slice(row["source_row"], 1).to_pylist()
        shown = json.loads(row["raw_json"])
        assert list(shown) == file.column_names
        assert {name: shown[name] for name in raw if isinstance(raw[name], str)} == {
            name: value for name, value in raw.items() if isinstance(value, str)
        }

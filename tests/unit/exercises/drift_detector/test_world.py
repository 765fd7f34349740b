"""The world: repeatable, other in every seed, and each kind of drift changes what it says and nothing else."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats

KINDS = ("mean", "scale", "shape", "category", "level", "missing", "pair", "diffuse", "segment", "unit")
NUMERIC = ["amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items"]
MANY = 60_000


def changed(one: pd.DataFrame, two: pd.DataFrame) -> set[str]:
    return {name for name in one.columns if not one[name].equals(two[name])}


def log_odds(share: float) -> float:
    return float(np.log(share / (1 - share)))


def normal_scores(reference: pd.Series, values: pd.Series) -> np.ndarray:
    seen = np.sort(reference.dropna())
    place = np.searchsorted(seen, values.dropna(), "left") + np.searchsorted(seen, values.dropna(), "right")
    return stats.norm.ppf((place + 1) / (2 * seen.size + 2))


def test_a_seed_gives_the_same_tables(data, worlds, draw):
    again = data.world.World(3)
    pd.testing.assert_frame_equal(again.reference(), worlds[0].reference())
    pd.testing.assert_frame_equal(again.reference_labels(), worlds[0].reference_labels())
    for kind in (None, *KINDS):
        size = data.world.SIZES[kind][1] if kind else None
        one, two = (draw(world, "slice", 300, kind, size) for world in (again, worlds[0]))
        pd.testing.assert_frame_equal(one, two)


def test_other_seeds_have_other_levels_margins_and_targets(data):
    many = [data.world.World(seed) for seed in range(16)]
    for kind in ("mean", "scale", "shape", "level", "missing", "pair", "segment", "unit", "category"):
        assert len({world.target(kind) for world in many}) > 1, kind
    references = [world.reference() for world in many[:4]]
    assert len({tuple(sorted(each["country"].unique())) for each in references}) == 4
    medians = [each["amount"].median() for each in references]
    assert max(medians) / min(medians) > 1.1


def test_the_reference_is_as_the_dictionary_says(worlds):
    frame = worlds[0].reference()
    assert len(frame) == 40_000
    kinds = {name: str(kind) for name, kind in frame.dtypes.items()}
    assert kinds.pop("event_ts") == "datetime64[us, UTC]"
    assert kinds.pop("basket_items") == "int64"
    texts = {name for name, kind in kinds.items() if kind == "str"}
    assert texts == {"row_id", "device", "country", "payment", "segment"}
    assert {kind for name, kind in kinds.items() if name not in texts} == {"float64"}
    assert [frame[name].nunique() for name in ("device", "country", "payment", "segment")] == [4, 8, 5, 20]
    assert {name for name in frame if frame[name].isna().any()} == {"account_age_d", "discount"}
    assert 0.25 < (frame["discount"] == 0).mean() / frame["discount"].notna().mean() < 0.37
    assert frame["score"].between(0, 1, inclusive="neither").all()
    begin, end = frame["event_ts"].min(), frame["event_ts"].max()
    assert begin.day_name() == "Monday"
    assert begin.floor("h") + pd.Timedelta(weeks=8) == end.ceil("h")
    assert frame["event_ts"].is_monotonic_increasing


def test_labels_belong_to_the_reference(worlds):
    frame, labels = worlds[1].reference(), worlds[1].reference_labels()
    assert labels["row_id"].tolist() == frame["row_id"].tolist()
    assert labels["score"].equals(frame["score"])
    assert 0.14 < labels["y"].mean() < 0.24
    assert not worlds[1].reference(1)["row_id"].isin(frame["row_id"]).any()


def test_windows_come_later_and_from_the_hours_that_they_say(worlds):
    end = worlds[0].reference()["event_ts"].max()
    rng = np.random.default_rng(0)
    for _ in range(20):
        whole, part = worlds[0].pooled(200, rng)["event_ts"], worlds[0].slice(200, rng)["event_ts"]
        assert min(whole.min(), part.min()) > end
        assert pd.Timedelta(days=5) < whole.max() - whole.min() <= pd.Timedelta(days=7)
        assert part.max() - part.min() <= pd.Timedelta(hours=4)
        assert part.dt.date.nunique() == 1


def test_rhythm_follows_the_hour_and_nothing_else_does(worlds):
    for world in worlds:
        frame = world.reference()
        hour = frame["event_ts"].dt.hour
        swings = [frame[name].groupby(hour).mean().std() / (frame[name].std() / np.sqrt(1666)) for name in NUMERIC]
        assert sum(swing > 4 for swing in swings) == 3
        assert sum(swing < 1.6 for swing in swings) == 3


@pytest.mark.parametrize("mode", ["pooled", "slice"])
@pytest.mark.parametrize(
    "kind", ["mean", "scale", "shape", "category", "level", "missing", "segment", "unit", "diffuse"]
)
def test_a_kind_changes_its_target_and_nothing_else(data, worlds, draw, kind, mode):
    for world in worlds:
        clean, drifted = draw(world, mode, 2000), draw(world, mode, 2000, kind, data.world.SIZES[kind][2])
        allowed = {*world.target(kind), "score"}
        if "device" in allowed:
            allowed |= {"account_age_d", "discount"}  # nulls depend on the device
        assert set(world.target(kind)) <= changed(clean, drifted) <= allowed
        assert changed(clean.isna(), drifted.isna()) <= ({*world.target(kind)} if kind != "category" else allowed)


@pytest.mark.parametrize("size", [0.6, 0.75, 0.9])
def test_the_other_shape_keeps_mean_variance_and_ranks(data, size):
    latent = np.random.default_rng(1).standard_normal(400_000)
    mapped = data.world_margins.Bimodal.at(size)(latent)
    assert abs(mapped.mean()) < 0.01
    assert mapped.std() == pytest.approx(1.0, abs=0.01)
    assert stats.kurtosis(mapped) == pytest.approx(-2 * size**4, abs=0.05)
    order = np.argsort(latent)
    assert (np.diff(mapped[order]) >= 0).all()


def test_pair_drift_leaves_margins_and_other_correlations(data, worlds, draw):
    for world in worlds:
        one, two = world.target("pair")
        clean = draw(world, "pooled", MANY)
        drifted = draw(world, "pooled", MANY, "pair", 0.5)
        for name in NUMERIC:
            assert stats.ks_2samp(clean[name].dropna(), drifted[name].dropna()).pvalue > 1e-4, name
        lost = clean[NUMERIC].corr("spearman") - drifted[NUMERIC].corr("spearman")
        assert lost.loc[one, two] > 0.35
        lost.loc[one, two] = lost.loc[two, one] = 0.0
        assert lost.abs().to_numpy().max() < 0.02


def test_sizes_are_what_they_say(data, worlds, draw):
    world = worlds[2]
    clean = draw(world, "pooled", MANY)
    large = {kind: draw(world, "pooled", MANY, kind, data.world.SIZES[kind][2]) for kind in KINDS}

    def target(kind):
        return world.target(kind)[0]

    name = target("mean")
    moved = np.mean(normal_scores(clean[name], large["mean"][name]))
    assert abs(moved) == pytest.approx(0.4, abs=0.06)
    name = target("scale")
    assert np.std(normal_scores(clean[name], large["scale"][name])) == pytest.approx(1.4, abs=0.08)
    name = target("category")
    shares = [frame[name].value_counts(normalize=True) for frame in (clean, large["category"])]
    assert max(log_odds(shares[1][each]) - log_odds(shares[0][each]) for each in shares[0].index) == pytest.approx(
        1, abs=0.1
    )
    name = target("level")
    new = ~large["level"][name].isin(clean[name].unique())
    assert new.mean() == pytest.approx(0.03, abs=0.003)
    name = target("missing")
    assert (large["missing"][name].isna().mean() - clean[name].isna().mean()) == pytest.approx(0.12, abs=0.005)
    name = target("unit")
    assert (large["unit"][name] > clean[name] * 2).mean() == pytest.approx(0.05, abs=0.004)
    for name in NUMERIC:
        assert 0.1 < abs(np.mean(normal_scores(clean[name], large["diffuse"][name]))) < 0.25, name
    name = target("segment")
    hit = clean[name] != large["segment"][name]
    assert set(clean["country"][hit]) == {world.country_of_segment()}
    assert hit.mean() == pytest.approx(0.08, abs=0.02)


def test_ids_and_places_of_rows_tell_nothing(worlds, draw):
    drifted = draw(worlds[0], "pooled", 20_000, "level", 0.03)
    clean = draw(worlds[0], "pooled", 20_000)
    assert drifted["row_id"].equals(clean["row_id"])
    assert drifted["row_id"].is_unique
    assert drifted["row_id"].str.fullmatch("[0-9a-f]{16}").all()
    name = worlds[0].target("level")[0]
    places = np.flatnonzero(drifted[name] != clean[name]) / 20_000
    assert stats.kstest(places, "uniform").pvalue > 1e-3
    first = drifted["row_id"].str[:8].map(lambda text: int(text, 16))
    assert abs(stats.spearmanr(first, np.arange(20_000)).statistic) < 0.03
    other = draw(worlds[0], "pooled", 20_000, number=2)
    assert not other["row_id"].isin(clean["row_id"]).any()


@pytest.mark.parametrize("kind", KINDS)
def test_types_and_columns_tell_nothing(data, worlds, draw, kind):
    clean, drifted = draw(worlds[0], "slice", 60), draw(worlds[0], "slice", 60, kind, data.world.SIZES[kind][0])
    assert clean.dtypes.equals(drifted.dtypes)
    assert clean["event_ts"].equals(drifted["event_ts"])
    assert list(clean.columns) == list(worlds[0].reference().columns)


def test_gross_drift_alternates_between_numbers_and_categories(data, worlds):
    world = worlds[0]
    for mode in ("pooled", "slice"):
        for kind, size in data.world.GROSS.items():
            got = world.gross(300, np.random.default_rng(9), mode, kind)
            rng = np.random.default_rng(9)
            rng.choice(2)
            assert world.target(kind)[0] in changed(got, getattr(world, mode)(300, rng))
            assert size >= 2 * data.world.SIZES[kind][2]


def test_streams_are_contiguous_and_shift_when_they_say(worlds):
    world = worlds[0]
    clean = list(world.stream(12, np.random.default_rng(4)))
    drifted = list(world.stream(12, np.random.default_rng(4), shift=0.35, start=5))
    assert [len(window) for window in clean] == [200] * 12
    for one, two in pairwise(clean):
        gap = two["event_ts"].min() - one["event_ts"].max()
        assert pd.Timedelta(0) <= gap < pd.Timedelta(hours=1)
    same = [not changed(one, two) for one, two in zip(clean, drifted, strict=True)]
    assert same == [True] * 5 + [False] * 7
    assert changed(clean[8], drifted[8]) == {*world.target("mean"), "score"}


def precision(values: pd.Series) -> tuple[float, float]:
    """Which share of a column's broken numbers fits into 32 bits, and which has at most six decimals."""
    known = values[values.notna() & (values % 1 != 0)].astype(float)
    shares = (known.astype("float32") == known).mean(), (known.round(6) == known).mean()
    return (float(shares[0]), float(shares[1])) if len(known) else (0.0, 0.0)


@pytest.mark.parametrize("kind", KINDS)
def test_precision_and_gaps_tell_nothing(data, worlds, draw, kind):
    clean, drifted = (draw(worlds[0], "slice", 2000, *drift) for drift in ((), (kind, data.world.SIZES[kind][1])))
    for name in NUMERIC:
        assert precision(drifted[name]) == pytest.approx(precision(clean[name]), abs=0.002), name
    gaps = clean.isna().sum() - drifted.isna().sum()
    assert set(gaps[gaps != 0].index) <= ({worlds[0].target(kind)[0]} if kind == "missing" else set())

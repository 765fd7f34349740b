"""A drift detector that compares every window with the same hours of the week.

How `check` decides. Every row is turned into about 200 numbers (normal scores, their products, cosines of ranks,
levels, nulls, scores per country). What is normal for each number at that hour of the week is a smooth curve fitted
on the reference, so the mean of the standardized deviations over a window is about zero whatever hours it covers.
Deviations are gathered in families (mean, scale, shape, ...); each family's largest statistic, and the smallest
family p-value, are compared with what thousands of comparable windows, resampled from the reference, give.
Nothing is random after `fit`.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.special import log_ndtr, nbdtr, ndtr, ndtri

NUMERIC = ("amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items")
CATEGORIES = ("device", "country", "payment", "segment")
FEATURES = NUMERIC + CATEGORIES
J = len(NUMERIC)
GRID = (1, 4, 12, 30, 60, 120, 250, 500, 1000, 2000)  # sizes of windows that are resampled
WAVES = 6  # cosines of ranks per numeric feature
TAILS = (0.01, 0.003, 0.001, 0.0003)
PAIRS = [(i, j) for i in range(J) for j in range(i, J)]
SURE = 1e-12  # p-value of what cannot happen without drift, such as a level that was never there
STREAM_RUN, STREAM_RATE, STREAM_SINGLE = 40, 0.035, 0.0002
STREAM_KEEP = 60  # windows over which `update` pools at most


# ---------------------------------------------------------------- reading tables


def _column(frame, name):
    column = frame[name]
    if isinstance(column, pd.DataFrame):
        raise ValueError(f"column {name} is there more than once")
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype) if len(column.cat.categories) else column.astype(object)
    return column


def _number(frame, name):
    """A column of numbers as floats, nulls as nan; ValueError for anything else."""
    column = _column(frame, name)
    if column.dtype == object:
        if not all(
            value is None or value is pd.NA or (isinstance(value, (int, float, np.number)) and not isinstance(value, bool))
            for value in column
        ):
            try:  # decimals and the like
                if any(isinstance(value, (str, bytes, bool, np.bool_)) for value in column):
                    raise ValueError(f"{name} has a value that is no number")
                return np.array([np.nan if value is None or value is pd.NA else float(value) for value in column])
            except TypeError as error:
                raise ValueError(f"{name} has a value that is no number") from error
        return np.array([np.nan if value is None or value is pd.NA else float(value) for value in column], dtype=float)
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_complex_dtype(column.dtype):
        if column.isna().all():
            return np.full(len(column), np.nan)
        raise ValueError(f"{name} holds no numbers")
    return column.to_numpy(dtype=float, na_value=np.nan)


def _time(frame):
    """Hour of the day (with fraction) and weekend of event_ts, in UTC."""
    column = _column(frame, "event_ts")
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        ok = column.dtype == object and all(hasattr(value, "year") and hasattr(value, "hour") for value in column)
        if not ok:
            try:
                arrow = "timestamp" in str(column.dtype)
            except Exception:  # noqa: BLE001
                arrow = False
            if not arrow:
                raise ValueError("event_ts holds no times")
        column = pd.to_datetime(column, utc=True)
    if column.isna().any():
        raise ValueError("event_ts has a value that is no time")
    index = pd.DatetimeIndex(column)
    if index.tz is not None:
        index = index.tz_convert("UTC").tz_localize(None)
    micro = index.to_numpy().astype("datetime64[us]").astype(np.int64)
    day, rest = np.divmod(micro, 86_400_000_000)
    return rest / 3.6e9, ((day + 3) % 7 >= 5).astype(float)  # 1970-01-01 was a Thursday


def _text(frame, name, levels):
    """Codes of the known levels; -1 for a level that was never there, -2 for null."""
    column = _column(frame, name)
    codes, uniques = pd.factorize(column)  # nulls are -1
    place = {level: k for k, level in enumerate(levels)}
    known = np.array([place.get(value, -1) if isinstance(value, str) else -1 for value in uniques] + [-2], dtype=int)
    return known[codes]


def _design(hour, weekend):
    angle = hour * (np.pi / 12)
    waves = [f(k * angle) for k in (1, 2, 3) for f in (np.sin, np.cos)]
    return np.column_stack([np.ones_like(hour), *waves, weekend, weekend * waves[0], weekend * waves[1]])


def _rank(ordered, values):
    """Middle rank in (0, 1) of values among the sorted reference."""
    count = len(ordered)
    middle = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
    return np.clip(middle / count, 0.5 / count, 1 - 0.5 / count)


def _straight(z, skew):
    """Take the skewness out of a standardized mean (Wilson and Hilferty)."""
    skew = np.where(np.abs(skew) < 1e-4, 1e-4, skew)
    return (6 / skew) * (np.cbrt(np.maximum(skew / 2 * z + 1, 1e-3)) - 1) + skew / 6


def _chi_to_z(q, k):
    return (np.cbrt(np.maximum(q, 0) / k) - (1 - 2 / (9 * k))) / np.sqrt(2 / (9 * k))


def _two(z):
    """One-sided z with the p-value of |z| on both sides."""
    a = np.abs(z)
    return np.where(a < 8, -ndtri(np.clip(2 * ndtr(-np.minimum(a, 8)), 1e-300, 1 - 1e-12)), a - 0.086)


class _Tail:
    """Survival function of a sample of maxima, with a Gaussian-like tail beyond what was seen."""

    def __init__(self, sample):
        self.sample = np.sort(sample)
        n = len(sample)
        self.cut = self.sample[int(n * 0.985)]
        a, b = self.sample[int(n * 0.9)], self.sample[int(n * 0.99)]
        near, far = max(a, 0.5), max(b, a + 0.05, 0.6)
        self.rate = float(np.clip(np.log(10) / (far**2 - near**2), 0.15, 0.5))
        self.at_cut = max((self.sample > self.cut).mean(), 1.0 / n)

    def log_p(self, value):
        value = np.asarray(value, dtype=float)
        n = len(self.sample)
        above = n - np.searchsorted(self.sample, value, "left")
        body = np.log((above + 1.0) / (n + 1.0))
        cut = max(self.cut, 0.0)
        tail = np.log(self.at_cut) - self.rate * (np.minimum(value, 1e6) ** 2 - cut**2)
        return np.where((value > cut), np.minimum(tail, 0.0), body)


# ---------------------------------------------------------------- the detector


class DriftDetector:
    """Decides whether windows differ from the reference.

    Args:
        alpha: Rate of false alarms per window.
        seed: For the resampling in `fit`.
    """

    def __init__(self, alpha: float = 0.05, seed: int = 0) -> None:
        self.alpha = float(alpha)
        self.seed = int(seed)
        self.model = None
        self.stream = []

    # ------------------------------------------------------------ fit

    def fit(self, reference, labels) -> None:
        """Learn what is normal."""
        rng = np.random.default_rng(self.seed)
        M = self.model = {}
        self.stream = []
        M["levels"] = {c: sorted({str(v) for v in reference[c].dropna().unique()}) for c in CATEGORIES}
        table = self._read(reference, ())
        hour, weekend, values, codes = table
        X = _design(hour, weekend)
        N = M["N"] = len(X)
        M["XX"] = np.linalg.pinv(X.T @ X)
        # A category that had nulls keeps "null" as legal.
        M["null_ok"] = {c: bool((codes[c] == -2).any()) for c in CATEGORIES}
        M["sorted"], M["beta"], M["sigma"], M["resid"], M["tied"] = [], [], [], [], []
        M["atom"], M["far"], M["null_rate"] = [], [], []
        device = codes["device"]
        for j in range(J):
            x = values[j]
            ok = np.isfinite(x)
            if ok.sum() < 20:
                x = np.where(ok, x, 0.0)
                ok = np.ones(N, bool)
            ordered = np.sort(x[ok])
            distinct, count = np.unique(ordered, return_counts=True)
            tied = len(distinct) < 0.2 * len(ordered) or count.max() > 0.02 * len(ordered)
            atom = distinct[count.argmax()] if count.max() > 0.05 * len(ordered) and len(distinct) > 200 else None
            g = ndtri(_rank(ordered, x[ok]))
            beta = np.linalg.lstsq(X[ok], g, rcond=None)[0]
            e = g - X[ok] @ beta
            gamma = np.linalg.lstsq(X[ok], e**2, rcond=None)[0]
            floor = max(0.25 * (e**2).mean(), 1e-6)
            M["sorted"].append(ordered)
            M["beta"].append(beta)
            M["sigma"].append((gamma, floor))
            M["tied"].append(bool(tied))
            M["atom"].append(atom)
            M["resid"].append(np.sort(e / np.sqrt(np.maximum(X[ok] @ gamma, floor))))
            M["far"].append(self._far_limits(distinct, ordered, atom))
            null = ~np.isfinite(values[j])
            overall = null.mean()
            rates = np.array(
                [(null[device == d].sum() + 50 * overall) / ((device == d).sum() + 50) for d in range(len(M["levels"]["device"]))]
                + [overall]
            )
            M["null_rate"].append(rates if null.any() else None)
        Q, U, ok, extra = self._scores(X, values)
        C = np.cov(Q, rowvar=False) + 1e-6 * np.eye(J)
        M["P"] = np.linalg.inv(C)
        corr = C / np.sqrt(np.outer(np.diag(C), np.diag(C)))
        off = np.abs(np.triu(corr, 1))
        M["strong"] = tuple(int(k) for k in np.unravel_index(off.argmax(), off.shape))
        raw, live, tails = self._columns(X, Q, U, ok, extra, values, codes)
        K = raw.shape[1]
        B, G, F = np.zeros((X.shape[1], K)), np.zeros((X.shape[1], K)), np.zeros(K)
        S = np.zeros_like(raw)
        for k in range(K):
            use = live[:, k]
            if use.sum() < 50:
                F[k] = 1.0
                continue
            full = bool(use.all())
            Xk, y = (X, raw[:, k]) if full else (X[use], raw[use, k])
            inverse = M["XX"] if full else np.linalg.pinv(Xk.T @ Xk)
            B[:, k] = inverse @ (Xk.T @ y)
            e2 = (y - Xk @ B[:, k]) ** 2
            G[:, k] = inverse @ (Xk.T @ e2)
            F[k] = max(0.3 * e2.mean(), 1e-9)
        M["B"], M["G"], M["F"] = B, G, F
        M["tail_beta"] = np.linalg.lstsq(X, tails, rcond=None)[0]
        M["tail_mean"] = tails.mean(axis=0)
        S = self._standardize(X, raw, live)
        # Nulls thin the means of a column; what is left is exactly of unit variance.
        M["scale"] = np.maximum(S.std(axis=0), 1e-6)
        S /= M["scale"]
        M["skew"] = np.clip((S**3).mean(axis=0), -12, 12)
        M["C"] = S.T @ S / N
        self._prepare()
        self._calibrate(rng, X, hour, weekend, S, tails)
        self._fit_stream(rng)
        self._fit_feedback(reference, labels, table, Q, U)

    @staticmethod
    def _far_limits(distinct, ordered, atom):
        """Limits beyond which about one row in 400 000 should be, from the tails of the reference on a log scale."""
        positive = ordered[ordered != atom] if atom is not None else ordered
        log = bool((positive > 0).all())
        v = np.log(positive) if log else positive
        n = len(v)
        k = max(min(200, n // 20), 2)
        high, low = v[-k], v[k - 1]
        up, down = max((v[-k:] - high).mean(), 1e-3), max((low - v[:k]).mean(), 1e-3)
        reach = np.log(k / n * 4e5)
        return log, low - down * max(reach, 1), high + up * max(reach, 1)

    def _read(self, frame, more):
        if not isinstance(frame, pd.DataFrame):
            raise ValueError("a DataFrame is needed")
        missing = [name for name in ("event_ts", *FEATURES, *more) if name not in frame.columns]
        if missing:
            raise ValueError(f"columns are missing: {missing}")
        if len(frame) == 0:
            raise ValueError("there are no rows")
        hour, weekend = _time(frame)
        values = [_number(frame, name) for name in NUMERIC]
        codes = {name: _text(frame, name, self.model["levels"][name]) for name in CATEGORIES}
        return hour, weekend, values, codes

    def _scores(self, X, values):
        """Normal scores of the numeric features beside what is usual at that time, ranks, and what is not null."""
        M = self.model
        n = len(X)
        Q, U, OK = np.zeros((n, J)), np.full((n, J), 0.5), np.zeros((n, J), bool)
        extra = []
        for j in range(J):
            x = values[j]
            ok = ~np.isnan(x)
            OK[:, j] = ok
            u0 = _rank(M["sorted"][j], np.where(ok, x, 0.0))
            gamma, floor = M["sigma"][j]
            r = (ndtri(u0) - X @ M["beta"][j]) / np.sqrt(np.maximum(X @ gamma, floor))
            if M["tied"][j]:
                u, q = u0, r
            else:
                u = _rank(M["resid"][j], r)
                q = ndtri(u)
            Q[:, j] = np.where(ok, q, 0.0)
            U[:, j] = np.where(ok, u, 0.5)
            if M["atom"][j] is not None:
                at = ok & (x == M["atom"][j])
                extra.append((j, at, ok))
        return Q, U, OK, extra

    def _columns(self, X, Q, U, ok, extra, values, codes):
        """The row statistics: (values, which rows have a say, counts of tails)."""
        M = self.model
        n = len(X)
        D = Q @ M["P"]
        yes = np.ones(n, bool)
        columns, live, what = [], [], []

        def add(kind, key, column, says):
            columns.append(column)
            live.append(says)
            what.append((kind, key))

        for j in range(J):
            add("mean", j, Q[:, j], ok[:, j])
        for i, j in PAIRS:
            add("product", (i, j), Q[:, i] * Q[:, j], ok[:, i] & ok[:, j])
        for j in range(J):
            angle = np.pi * U[:, j]
            for k in range(1, WAVES + 1):
                add("wave", (j, k), np.cos(k * angle), ok[:, j])
        for j, at, says in extra:
            add("atom", j, at.astype(float), says)
            add("rest", j, np.where(at, 0.0, Q[:, j]), says & ~at)
        country = codes["country"]
        for c in range(len(M["levels"]["country"])):
            here = country == c
            for j in range(J):
                add("segment", (j, c), D[:, j], ok[:, j] & here)
        for name in CATEGORIES:
            for c in range(len(M["levels"][name])):
                add("level", (name, c), (codes[name] == c).astype(float), yes)
        for j in range(J):
            if M["null_rate"][j] is not None:
                add("null", j, (~ok[:, j]) - M["null_rate"][j][np.where(codes["device"] < 0, -1, codes["device"])], yes)
        tails = []
        for j in range(J):
            for t in TAILS:
                tails.append(ok[:, j] & (U[:, j] <= t))
                tails.append(ok[:, j] & (U[:, j] >= 1 - t))
            log, low, high = M["far"][j]
            with np.errstate(divide="ignore", invalid="ignore"):
                v = np.log(values[j]) if log else values[j]
                at = np.zeros(n, bool) if M["atom"][j] is None else values[j] == M["atom"][j]
                bad = np.isnan(v) & ok[:, j]
                tails.append(ok[:, j] & ~at & ((v < low) | bad))
                tails.append(ok[:, j] & (v > high))
        if "what" not in M:
            M["what"] = what
        return np.column_stack(columns), np.column_stack(live), np.column_stack(tails).astype(float)

    def _standardize(self, X, raw, live):
        M = self.model
        spread = np.maximum(X @ M["G"], M["F"])
        return np.where(live, (raw - X @ M["B"]) / np.sqrt(spread), 0.0)

    def _expected(self, xbar):
        """The usual share of rows in each tail: a curve over the week, and never far below the average."""
        M = self.model
        return np.maximum(xbar @ M["tail_beta"], np.maximum(0.5 * M["tail_mean"], 2.5e-6))

    # ------------------------------------------------------------ statistics of a window

    def _prepare(self):
        """Weights that turn the means of the columns into the statistics of the families."""
        M = self.model
        where = {key: k for k, key in enumerate(M["what"])}
        K, C, P = len(M["what"]), M["C"], M["P"]
        # The standard deviation that turned each column into a standardized one, on average.
        sd = np.sqrt(np.maximum(M["G"][0], M["F"])) * M["scale"]
        linear, families, owners, skewed, oneside = [], [], [], [], []
        names_one, marginal = [], []  # fit to name one feature; depends on that feature alone

        def put(family, owner, weights, sides=2, named=True, single_feature=True):
            names_one.append(named)
            marginal.append(single_feature)
            v = np.zeros(K)
            for k, w in weights.items():
                v[k] += w
            norm = np.sqrt(max(v @ C @ v, 1e-12))
            linear.append(v / norm)
            families.append(family)
            owners.append(owner)
            oneside.append(sides)
            single = len(weights) == 1
            skewed.append(M["skew"][next(iter(weights))] if single else 0.0)

        index = lambda i, j: where["product", (min(i, j), max(i, j))]  # noqa: E731
        for j in range(J):
            put("mean", (j,), {where["mean", j]: 1.0}, named=False)
            put("mean", (j,), {where["mean", k]: P[j, k] * sd[where["mean", k]] for k in range(J)}, single_feature=False)
            put("scale", (j,), {index(j, j): 1.0})
            weights = {index(j, k): P[j, k] * sd[index(j, k)] for k in range(J)}
            put("scale", (j,), weights, named=False, single_feature=False)
        for i in range(J):
            for j in range(i + 1, J):
                weights = {}
                for k in range(J):
                    for m in range(J):
                        at = index(k, m)
                        weights[at] = weights.get(at, 0.0) + P[i, k] * P[j, m] * sd[at]
                strong = (i, j) == M["strong"]
                put("strongest" if strong else "pair", (i, j), weights)
        for kind, key in M["what"]:
            k = where[kind, key]
            if kind in ("atom", "rest"):
                put("shape", (key,), {k: 1.0})
            elif kind == "segment":
                put("segment", (key[0],), {k: 1.0}, single_feature=False)
            elif kind == "level":
                put("category", (J + CATEGORIES.index(key[0]),), {k: 1.0}, 1)
            elif kind == "null":
                put("missing", (key,), {k: 1.0}, 1)
        M["linear"], M["skewed"], M["sides"] = np.array(linear).T, np.array(skewed), np.array(oneside)
        quad = []
        means = [where["mean", j] for j in range(J)]
        quad.append(("diffuse", None, np.array(means), np.eye(J), J))
        for j in range(J):
            waves = [where["wave", (j, k)] for k in range(1, WAVES + 1)]
            base = [where["mean", j], index(j, j)]
            quad.append(("shape", (j,), np.array(waves), np.eye(WAVES), WAVES))
            later = waves[2:]
            fit = np.linalg.lstsq(C[np.ix_(base, base)] + 1e-9 * np.eye(2), C[np.ix_(base, later)], rcond=None)[0]
            quad.append(("shape", (j,), np.array(later + base), np.vstack([np.eye(len(later)), -fit]), len(later)))
        M["quad"] = []
        for family, owner, at, take, k in quad:
            cov = take.T @ C[np.ix_(at, at)] @ take
            M["quad"].append((at, take @ np.linalg.pinv(cov + 1e-6 * np.eye(k)) @ take.T, k))
            families.append(family)
            owners.append(owner)
            names_one.append(owner is not None)
            marginal.append(True)
        for j in range(J):
            for _ in range(2 * len(TAILS) + 2):
                families.append("unit")
                owners.append((j,))
                names_one.append(True)
                marginal.append(True)
        M["names_one"], M["marginal"] = names_one, marginal
        M["families"], M["owners"] = families, owners
        M["names"] = sorted(set(families))
        M["members"] = {f: np.array([k for k, g in enumerate(families) if g == f]) for f in M["names"]}
        M["weight"] = {f: 0.3 if f == "pair" else 1.0 for f in M["names"]}

    def _members(self, mean, n, h, counts, expected):
        """One-sided z of every member of every family. mean: (windows, K), of standardized deviations."""
        M = self.model
        unit = 1.0 / np.sqrt(1.0 / n + h)
        z = mean * unit[:, None]
        skew_unit = unit / n  # skewness falls where the reference's own error counts
        part = _straight(z @ M["linear"], M["skewed"] * skew_unit[:, None])
        two = M["sides"] == 2
        part[:, two] = _two(part[:, two])
        less = -part[:, ~two] - 0.8
        part[:, ~two] = np.maximum(part[:, ~two], less)
        quads = [_chi_to_z(((z[:, at] @ A) * z[:, at]).sum(axis=1), k) for at, A, k in M["quad"]]
        # Negative binomial: the rate in the reference is itself a count.
        N = M["N"]
        ratio = n / N
        seen = np.maximum(expected / ratio[:, None], 0.0) + 1.0
        below = nbdtr(np.maximum(counts - 1, 0).astype(int), np.maximum(np.rint(seen), 1).astype(int), (1 / (1 + ratio))[:, None])
        above = np.clip(1.0 - below, 1e-15, 1.0)
        # Beyond what 1 - p can tell, the count itself goes on.
        tails = np.where(counts > 0, -ndtri(np.minimum(above, 1 - 1e-12)), -7.0)
        tails = np.where(above <= 1e-14, 7.65 + np.sqrt(counts) / 10, tails)
        return np.hstack([part, np.column_stack(quads), tails])

    @staticmethod
    def _slices(rng, hours, starts, order, S, groups=1500):
        """From which rows each resampled window is drawn: (windows, first, number, mean of the deviations there)."""
        low, size = np.zeros(groups, int), np.full(groups, len(S))
        center = np.zeros((groups, S.shape[1]))
        cache = {}
        for r in range(groups // 2):
            w = int(rng.random() < 2 / 7)
            start = round(rng.random() * 20 * 4) / 4
            if (w, start) not in cache:
                a, b = np.searchsorted(hours[w], (start, start + 4))
                rows = order[starts[w] + a : starts[w] + b]
                cache[w, start] = (starts[w] + a, b - a, S[rows].mean(axis=0) if len(rows) else 0.0)
            if cache[w, start][1] > 50:
                low[r], size[r], center[r] = cache[w, start]
        return 4 * groups, np.repeat(low, 4), np.repeat(size, 4), np.repeat(center, 4, axis=0)

    def _calibrate(self, rng, X, hour, weekend, S, tails):
        """Resample windows of many sizes, half of them over a week and half of four hours."""
        M = self.model
        N, K = S.shape
        order = np.lexsort((hour, weekend))
        starts = {w: np.searchsorted(weekend[order], w) for w in (0, 1)}
        ends = {0: starts[1], 1: N}
        both = np.hstack([S, tails, X]).astype(np.float32)
        root = np.linalg.cholesky(M["C"] + 1e-6 * np.eye(K))
        hours = {w: hour[order][starts[w] : ends[w]] for w in (0, 1)}
        M["null"], M["total"] = {}, {}
        for n in GRID:
            if n <= 500:
                R, low, size, center = self._slices(rng, hours, starts, order, S)
                picks = (low[:, None] + (rng.random((R, n)) * size[:, None]).astype(int)).ravel()
                draw = sparse.csr_matrix((np.ones(R * n, np.float32), order[picks], np.arange(0, R * n + 1, n)), shape=(R, N))
                sums = (draw @ both).astype(float)
            else:  # four neighbours are of the same hours, so two or four together are a larger window of them
                R //= 2
                sums, center = sums[0::2] + sums[1::2], center[0::2]
            mean = sums[:, :K] / n - center
            counts, xbar = np.rint(sums[:, K : K + tails.shape[1]]), sums[:, K + tails.shape[1] :] / n
            # What is usual is itself an estimate: its error is added, a little enlarged as the curves are not perfect.
            usual = M["tail_mean"] * N
            expected = self._expected(xbar) * n * (rng.poisson(usual, (R, len(usual))) + 0.5) / (usual + 0.5)
            h = ((xbar @ M["XX"]) * xbar).sum(axis=1)
            mean += np.sqrt(1.3 * h)[:, None] * (rng.standard_normal((R, K)) @ root.T)
            z = self._members(mean, np.full(R, float(n)), h, counts, expected)
            M["null"][n] = {f: _Tail(z[:, M["members"][f]].max(axis=1)) for f in M["names"]}
            best = self._best(z, n)
            M["total"][n] = _Tail(-ndtri(np.exp(np.minimum(best, -1e-9))))

    def _best(self, z, n):
        """Log of the smallest weighted family p-value."""
        M = self.model
        logs = [M["null"][n][f].log_p(z[:, M["members"][f]].max(axis=1)) - np.log(M["weight"][f]) for f in M["names"]]
        return np.minimum(np.min(logs, axis=0), -1e-9)

    def _p_value(self, z, n):
        """p-value, between the two sizes that were resampled next to n."""
        M = self.model
        at = np.clip(n, GRID[0], GRID[-1])
        k = int(np.clip(np.searchsorted(GRID, at, "right") - 1, 0, len(GRID) - 2))
        share = np.log(at / GRID[k]) / np.log(GRID[k + 1] / GRID[k])
        found = 0.0
        for size, weight in ((GRID[k], 1 - share), (GRID[k + 1], share)):
            if weight > 1e-12:
                best = self._best(z, size)
                tail = -ndtri(np.exp(np.maximum(best, -650.0)))
                found += weight * float(M["total"][size].log_p(tail)[0])
        return float(np.exp(np.clip(found, -700, 0)))

    def _measure(self, window, more=()):
        M = self._fitted()
        hour, weekend, values, codes = self._read(window, more)
        X = _design(hour, weekend)
        Q, U, ok, extra = self._scores(X, values)
        raw, live, tails = self._columns(X, Q, U, ok, extra, values, codes)
        mean = (self._standardize(X, raw, live) / M["scale"]).mean(axis=0)
        xbar = X.mean(axis=0)
        h = np.array([xbar @ M["XX"] @ xbar])
        n = len(X)
        z = self._members(mean[None], np.array([float(n)]), h, tails.sum(axis=0)[None], self._expected(xbar)[None] * n)
        z = np.nan_to_num(z, nan=0.0, posinf=1e3, neginf=-1e3)
        impossible = np.zeros(len(FEATURES))
        for j in range(J):
            if M["null_rate"][j] is None:
                impossible[j] = (~ok[:, j]).mean()
        for k, name in enumerate(CATEGORIES):
            impossible[J + k] = ((codes[name] == -1) | ((codes[name] == -2) & (not M["null_ok"][name]))).mean()
        return {"z": z, "n": n, "impossible": impossible, "mean": mean, "xbar": xbar}

    def _fitted(self):
        if self.model is None:
            raise RuntimeError("fit or load comes first")
        return self.model

    def _judge(self, found):
        p = self._p_value(found["z"], found["n"])
        if found["impossible"].any():
            p = min(p, SURE)
        return min(max(p, 0.0), 1.0)

    # ------------------------------------------------------------ the contract

    def check(self, window) -> dict:
        """Decide about one window."""
        found = self._measure(window)
        p = self._judge(found)
        return {"drift": bool(p <= self.alpha), "p_value": p, "scores": self._attribute(found), "n": int(found["n"])}

    def _attribute(self, found):
        """For each feature the best explanation that names it, as -log p after the size of its family."""
        M = self.model
        z = found["z"][0]
        surprise = -log_ndtr(-np.clip(z, -30, 1e4))
        score, alone = np.zeros(len(FEATURES)), np.zeros(len(FEATURES))
        pairs = []
        for family in M["names"]:
            many = np.log(len(M["members"][family]))
            for k in M["members"][family]:
                value = max(surprise[k] - many, 0.0) + 1e-3 * surprise[k]
                if family in ("pair", "strongest"):
                    pairs.append((value, M["owners"][k]))
                elif M["owners"][k] is not None:
                    owner = M["owners"][k][0]
                    if M["names_one"][k]:
                        score[owner] = max(score[owner], value)
                    if M["marginal"][k]:
                        alone[owner] = max(alone[owner], value)
        for value, (i, j) in pairs:
            # A correlation has changed only where each of the two alone is as it was.
            if max(alone[i], alone[j]) < max(5.0, 0.2 * value) and max(alone[i], alone[j]) < 9.0:
                score[i], score[j] = max(score[i], value), max(score[j], value)
        score += np.where(found["impossible"] > 0, 1e5 * (1 + found["impossible"]), 0.0)
        score += 1e-9 * np.arange(len(FEATURES))[::-1]
        return {name: float(s) for name, s in zip(FEATURES, score, strict=True)}

    # ------------------------------------------------------------ stream

    def _fit_stream(self, rng):
        """The limit that in about one of 28 clean runs of 40 windows is passed, by simulation of such runs."""
        M = self.model
        members = [k for k, f in enumerate(M["families"][: M["linear"].shape[1]]) if f == "mean"]
        M["watch"] = M["linear"][:, members]
        C = M["watch"].T @ M["C"] @ M["watch"]
        root = np.linalg.cholesky(C + 1e-6 * np.eye(len(C)))
        R, n, L = 3000, 200, STREAM_RUN
        hours = np.arange(L * n) / 30.0 + 0.0
        design = _design(hours % 24, ((hours // 24) % 7 >= 5).astype(float)).reshape(L, n, -1).mean(axis=1)
        half = np.linalg.cholesky(M["XX"] + 1e-12 * np.eye(len(M["XX"])))
        error = np.einsum("lp,pq,rqk->rlk", design, half, rng.standard_normal((R, half.shape[1], len(C))), optimize=True)
        noise = (rng.standard_normal((R, L, len(C))) / np.sqrt(n) + error) @ root.T
        total = np.concatenate([np.zeros((R, 1, len(C))), np.cumsum(noise * n, axis=1)], axis=1)
        reach = np.concatenate([np.zeros((1, design.shape[1])), np.cumsum(design * n, axis=0)])
        best = np.zeros(R)
        for end in range(1, L + 1):
            for start in range(max(0, end - STREAM_KEEP), end):
                rows = (end - start) * n
                xbar = (reach[end] - reach[start]) / rows
                sd = np.sqrt(rows + rows**2 * (xbar @ M["XX"] @ xbar))
                best = np.maximum(best, np.abs(total[:, end] - total[:, start]).max(axis=1) / sd)
        M["stream_limit"] = float(np.quantile(best, 1 - STREAM_RATE))

    def update(self, window) -> dict:
        """Take the next window of a stream."""
        found = self._measure(window)
        M = self.model
        n = found["n"]
        self.stream = [*self.stream, (n, (found["mean"] * n) @ M["watch"], found["xbar"] * n)][-STREAM_KEEP:]
        alarm = self._judge(found) <= STREAM_SINGLE
        rows, total, reach = 0, 0.0, 0.0
        for size, sums, design in reversed(self.stream):
            rows, total, reach = rows + size, total + sums, reach + design
            sd = np.sqrt(rows + reach @ M["XX"] @ reach)
            alarm = alarm or bool(np.abs(total).max() / sd > M["stream_limit"])
        return {"alarm": bool(alarm)}

    # ------------------------------------------------------------ labels

    def _inputs(self, values, codes, score):
        """What the model of P(y | x) is given, and the inputs whose weight may change."""
        M = self.model
        n = len(score)
        columns = [np.ones(n)]
        slopes = []
        for j in range(J):
            ok = ~np.isnan(values[j])
            g = np.where(ok, ndtri(_rank(M["sorted"][j], np.where(ok, values[j], 0.0))), 0.0)
            slopes.append(g)
            columns += [g, g**2 - 1.0]
            if M["null_rate"][j] is not None:
                columns.append((~ok).astype(float))
            if M["atom"][j] is not None:
                columns.append((values[j] == M["atom"][j]).astype(float))
        s = np.clip(np.where(np.isnan(score), M["score_middle"], score), 1e-4, 1 - 1e-4)
        logit = np.log(s / (1 - s)) - M["logit_middle"]
        columns += [logit, logit**2]
        for name in CATEGORIES:
            for c in range(1, len(M["levels"][name])):
                columns.append((codes[name] == c).astype(float))
        return np.column_stack(columns), np.column_stack([*slopes, logit])

    def _fit_feedback(self, reference, labels, table, Q, U):
        """Logistic regression of y on the inputs and the score, with its own uncertainty."""
        M = self.model
        joined = reference[["row_id"]].merge(labels[["row_id", "score", "y"]].drop_duplicates("row_id"), on="row_id", how="left")
        y, score = _number(joined, "y"), _number(joined, "score")
        _, _, values, codes = table
        s = np.clip(score[~np.isnan(score)], 1e-4, 1 - 1e-4)
        M["score_middle"] = float(np.median(s))
        M["logit_middle"] = float(np.median(np.log(s / (1 - s))))
        Z, _ = self._inputs(values, codes, score)
        keep = ~np.isnan(y)
        Z, y = Z[keep], y[keep]
        ridge = np.full(Z.shape[1], 1.0)
        ridge[0] = 1e-6
        theta = np.zeros(Z.shape[1])
        for _ in range(30):
            p = 1 / (1 + np.exp(-np.clip(Z @ theta, -30, 30)))
            info = (Z * (p * (1 - p))[:, None]).T @ Z + np.diag(ridge)
            step = np.linalg.solve(info, Z.T @ (y - p) - ridge * theta)
            theta = theta + step
            if np.abs(step).max() < 1e-9:
                break
        M["theta"], M["info"] = theta, np.linalg.inv(info)

    def feedback(self, rows) -> dict:
        """Decide from labelled rows whether P(y | x) has changed."""
        M = self._fitted()
        _, _, values, codes = self._read(rows, ("score", "y"))
        score, y = _number(rows, "score"), _number(rows, "y")
        if not np.isin(y, (0.0, 1.0)).all():
            raise ValueError("y is to be 0 or 1")
        Z, slopes = self._inputs(values, codes, score)
        p = 1 / (1 + np.exp(-np.clip(Z @ M["theta"], -30, 30)))
        w = np.maximum(p * (1 - p), 1e-9)
        e = y - p

        def test(direction):
            drag = Z.T @ (direction * w)
            var = (direction**2 * w).sum() + drag @ M["info"] @ drag
            third = (direction**3 * w * (1 - 2 * p)).sum()
            if var <= 1e-9:
                return 0.0
            z = (direction * e).sum() / np.sqrt(var)
            return float(_straight(z, np.clip(third / var**1.5, -2, 2)))

        level = test(np.ones(len(y)))
        turned = []
        for k in range(slopes.shape[1]):
            b = slopes[:, k] - (slopes[:, k] * w).sum() / w.sum()
            turned.append(test(b))
        p_level = 2 * ndtr(-abs(level))
        # The z of the slopes are correlated; this counts them as if they were not, on the safe side.
        p_slope = -np.expm1(len(turned) * np.log1p(-min(2 * ndtr(-np.abs(turned).max()), 1 - 1e-12)))
        p_value = float(-np.expm1(2 * np.log1p(-min(p_level, p_slope, 1 - 1e-12))))
        p_value = min(max(p_value, 0.0), 1.0)
        return {"concept_drift": bool(p_value <= self.alpha), "p_value": p_value}

    # ------------------------------------------------------------ save and load

    def save(self, path: str) -> None:
        """Write everything that `load` needs."""
        Path(path).write_bytes(pickle.dumps(self.__dict__, protocol=5))

    @classmethod
    def load(cls, path: str) -> "DriftDetector":
        """Return the detector that was saved."""
        detector = cls()
        detector.__dict__.update(pickle.loads(Path(path).read_bytes()))  # noqa: S301 - our own file
        return detector

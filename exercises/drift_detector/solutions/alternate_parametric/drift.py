"""Drift detector: classical score tests against a model of the weekly rhythm, combined by a weighted Bonferroni rule.

How it works, in five lines (NOTES.md has more):
 1. Every numeric feature is turned into a latent normal score whose mean follows the hour and the weekend.
 2. Levels and nulls get logistic models on the same time basis, so that each row has its own expectation.
 3. Each kind of drift has its own one-degree-of-freedom (or small chi-square) test with a known null variance, which
    includes the error with which the reference itself was learnt.
 4. The smallest weighted p-value is turned into one p-value; how much less than Bonferroni the correlated tests
    deserve is estimated from bootstrap windows of the reference.
 5. `update` is a generalised likelihood ratio over all starts of the change; `feedback` is a set of score tests of a
    logistic model P(y | x), so a changed mix of inputs has no effect.
"""

from __future__ import annotations

import datetime
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import betainc, gammainc, gammaln, log_ndtr, ndtr, ndtri

NUMERIC = ("amount", "distance_km", "session_min", "account_age_d", "discount", "basket_items")
TEXT = ("device", "country", "payment", "segment")
FEATURES = NUMERIC + TEXT
PAIRS = tuple((a, b) for a in range(6) for b in range(a + 1, 6))
LEGENDRE = 6
CAP = 4.5  # latent scores are bounded here
ORDERS = np.array([1, 2, 3, 5, 8])  # order statistics of the tail test
LOG2 = float(np.log(2.0))
# Share of the false alarms that each family of tests may use.
WEIGHTS = {
    "mean": 0.12, "scale": 0.10, "shape": 0.12, "category": 0.11, "unseen": 0.06, "missing": 0.08,
    "pair": 0.11, "diffuse": 0.10, "segment": 0.12, "unit": 0.08,
}  # fmt: skip
STREAM_KEEP = 80  # windows that the stream monitor looks back
SAFETY = 1.15  # on the number of independent tests, which is itself estimated
CAUTION = 1.6  # on the variance that the reference's own error adds: it stays the same for all windows of a process
CALIBRATION = ((60, 400), (150, 300), (500, 400), (2000, 200))  # rows, and bootstrap windows of so many rows


# --------------------------------------------------------------------------------------------------- reading of tables
def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame.columns:
        raise ValueError(f"column {name} is missing")
    column = frame[name]
    if isinstance(column, pd.DataFrame):
        raise ValueError(f"column {name} is there more than once")
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype if not column.isna().any() else object)
    return column


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    """A column as floats, with NaN for nulls."""
    column = _column(frame, name)
    kind = column.dtype
    if pd.api.types.is_bool_dtype(kind) and len(column) and not column.isna().all():
        raise ValueError(f"{name} holds truth values, not numbers")
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_complex_dtype(kind):
        return column.to_numpy(dtype=float, na_value=np.nan)
    if column.isna().all():  # whatever its type, there is nothing in it
        return np.full(len(column), np.nan)
    values = column.to_numpy(dtype=object, na_value=None)
    out = np.full(len(values), np.nan)
    for at, value in enumerate(values):
        if value is None or value is pd.NA or value is pd.NaT:
            continue
        if isinstance(value, (str, bytes, bool, np.bool_, complex, np.datetime64, datetime.date, datetime.timedelta)):
            raise ValueError(f"{name} holds {value!r}, which is no number")
        try:
            out[at] = float(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} holds {value!r}, which is no number") from error
    return out


def _times(frame: pd.DataFrame) -> np.ndarray:
    """Seconds since 1970 in UTC; the dates of the epoch's week are all that matters."""
    column = _column(frame, "event_ts")
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        values = column.to_numpy(dtype=object, na_value=None)
        if not all(isinstance(value, (datetime.datetime, np.datetime64)) for value in values):
            raise ValueError("event_ts holds a value that is no time")
        try:
            column = pd.Series(pd.to_datetime(list(values), utc=True))
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError("event_ts holds a value that is no time") from error
    if column.isna().any():
        raise ValueError("event_ts holds a null")
    if column.dt.tz is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.to_numpy(dtype="datetime64[us]").astype(np.int64) / 1e6


def _texts(frame: pd.DataFrame, name: str, levels: dict[str, int]) -> np.ndarray:
    """Codes of a text column: -1 for a null, -2 for a level that is not in `levels`."""
    column = _column(frame, name)
    codes, found = pd.factorize(column, use_na_sentinel=True)
    table = np.array([levels.get(value if isinstance(value, str) else str(value), -2) for value in found] + [-1])
    return table[codes].astype(np.int64)


def _checked(frame: object) -> pd.DataFrame:
    if not isinstance(frame, pd.DataFrame):
        raise ValueError("a table must be a pandas DataFrame")
    if len(frame) == 0:
        raise ValueError("the table has no rows")
    return frame


def _basis(seconds: np.ndarray, harmonics: int, crossed: int) -> np.ndarray:
    """Time basis: constant, weekend, waves of the day, and their difference at the weekend."""
    day = np.floor(seconds / 86400.0)
    angle = 2.0 * np.pi * (seconds / 86400.0 - day)
    weekend = (np.mod(day + 3, 7) >= 5).astype(float)  # 1970-01-01 was a Thursday
    columns = [np.ones_like(angle), weekend]
    for k in range(1, harmonics + 1):
        columns += [np.cos(k * angle), np.sin(k * angle)]
    for k in range(1, crossed + 1):
        columns += [weekend * np.cos(k * angle), weekend * np.sin(k * angle)]
    return np.column_stack(columns)


# ---------------------------------------------------------------------------------------------------------- small maths
def _pearson3(t: np.ndarray, skew: np.ndarray) -> np.ndarray:
    """Normal equivalent of a standardised sum with this skewness (Wilson-Hilferty for Pearson's type III)."""
    t, skew = np.broadcast_arrays(np.asarray(t, float), np.asarray(skew, float))
    small = np.abs(skew) < 1e-3
    g = np.where(small, 1.0, skew)
    sign = np.sign(g)
    k = 4.0 / g**2
    ratio = np.maximum(1.0 + sign * t / np.sqrt(k), 0.0)
    z = sign * (np.cbrt(ratio) - 1.0 + 1.0 / (9.0 * k)) * 3.0 * np.sqrt(k)
    return np.where(small, t, z)


def _chi2_z(q: np.ndarray, df: float, more: np.ndarray | float = 0.0) -> np.ndarray:
    """Normal equivalent of a chi-square value; `more` is what its variance has beyond 2 df (Satterthwaite)."""
    factor = np.maximum(1.0 + more / (2.0 * df), 0.5)
    q, df = q / factor, df / factor
    c = 2.0 / (9.0 * df)
    return (np.cbrt(np.maximum(q, 0.0) / df) - 1.0 + c) / np.sqrt(c)


def _combined(q: float, m: float) -> float:
    """1 - (1 - q) ** m, continued smoothly where the weighted minimum q passes one half (it may be above 1)."""
    log = -np.log1p(-q) if q < 0.5 else LOG2 + 2.0 * (q - 0.5)
    return float(min(max(-np.expm1(-m * log), 1e-300), 1.0))


def _two_sided(z: np.ndarray) -> np.ndarray:
    return np.minimum(LOG2 + log_ndtr(-np.abs(z)), 0.0)


def _log_tail(k: np.ndarray, mu: np.ndarray) -> np.ndarray:
    """log P(Poisson(mu) >= k), also where the plain value underflows."""
    mu = np.maximum(mu, 1e-300)
    plain = gammainc(k, mu)
    rough = k * np.log(mu) - mu - gammaln(k + 1.0)
    return np.minimum(np.where(plain > 1e-250, np.log(np.maximum(plain, 1e-300)), rough), 0.0)


def _logistic(x: np.ndarray, y: np.ndarray, ridge: float) -> tuple[np.ndarray, np.ndarray]:
    """Newton's method; returns the coefficients and the inverse of the information."""
    beta = np.zeros(x.shape[1])
    rate = np.clip(y.mean(), 1e-6, 1 - 1e-6)
    beta[0] = np.log(rate / (1 - rate))
    penalty = np.full(x.shape[1], ridge)
    penalty[0] = 1e-8
    for _ in range(30):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -30, 30)))
        information = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(information, x.T @ (y - p) - penalty * beta)
        beta = beta + np.clip(step, -3, 3)
        if np.abs(step).max() < 1e-8:
            break
    return beta, np.linalg.inv(information)


def _legendre(v: np.ndarray, top: int) -> list[np.ndarray]:
    found = [np.ones_like(v), v]
    for k in range(1, top):
        found.append(((2 * k + 1) * v * found[k] - k * found[k - 1]) / (k + 1))
    return found


def _density(e: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * e * e) / 2.5066282746310002


class _Margin:
    """One numeric feature as a latent normal variable whose mean follows the time basis.

    x corresponds to an interval of the latent variable (a point, unless the value is an atom such as a discount of 0
    or a count); the transformation is estimated so that the latent variable minus its mean is standard normal.
    """

    def fit(self, x: np.ndarray, basis: np.ndarray) -> None:
        ok = ~np.isnan(x)
        self.known = bool(ok.sum() >= 50)
        if not self.known:
            return
        x, basis = x[ok], basis[ok]
        n = len(x)
        values, counts = np.unique(x, return_counts=True)
        above = np.cumsum(counts)
        low, high = (above - counts) / n, above / n
        self.values, self.atom = values, counts >= max(4, 2e-4 * n)
        self.beta = np.zeros(basis.shape[1])
        at = np.searchsorted(values, x)
        gram = np.linalg.pinv(basis.T @ basis) @ basis.T
        grid = np.linspace(-6.5, 6.5, 1301)
        for _ in range(6):
            m = basis @ self.beta
            centres = np.quantile(m, (np.arange(100) + 0.5) / 100)
            cdf = ndtr(grid[:, None] - centres[None, :]).mean(axis=1)
            tiny = 0.3 / n
            self.low = np.interp(np.clip(low, tiny, 1 - tiny), cdf, grid)
            self.high = np.interp(np.clip(high, tiny, 1 - tiny), cdf, grid)
            self.mid = np.interp(np.clip((low + high) / 2, tiny, 1 - tiny), cdf, grid)
            self.low[0], self.high[-1] = -9.0, 9.0
            e, _, _, _ = self._scores(*self._interval(at, np.ones(n, bool), x), m)
            self.beta = self.beta + gram @ e
            self.beta[0] = 0.0
        self._tails(x)

    def _tails(self, x: np.ndarray) -> None:
        """Generalised Pareto tails, which say how surprising a value beyond everything in the reference is."""
        self.log = bool(x.min() > 0)
        s = np.sort(np.log(x) if self.log else x)
        self.tail = []
        for side in (s, -s[::-1]):
            n = len(side)
            k = max(20, int(0.005 * n))
            start = side[-k - 1]
            excess = np.maximum(side[-k:] - start, 0.0)
            mean, var = excess.mean(), excess.var()
            if not (mean > 0 and var > 0):
                self.tail.append(None)
                continue
            xi = 0.5 * (1.0 - mean**2 / var)
            # Never a finite end point: a lighter tail than the exponential cannot be told from a few hundred rows.
            xi = float(np.clip(xi + 1.0 / np.sqrt(k), 0.0, 0.4))
            self.tail.append((float(start), float(mean * (1.0 - xi)), xi, float(side[-1])))

    def _beyond(self, x: np.ndarray, side: int) -> np.ndarray:
        """P(beyond x) / P(beyond the reference's extreme), at most 1."""
        ratio = np.ones(len(x))
        extreme = self.values[-1] if side == 0 else self.values[0]
        out = x > extreme if side == 0 else x < extreme
        if not out.any():
            return ratio
        if self.tail[side] is None:
            ratio[out] = 1e-9
            return ratio
        start, scale, xi, end = self.tail[side]
        v = x[out]
        if self.log:
            v = np.log(np.maximum(v, 1e-300))
        v = np.clip(v if side == 0 else -v, -1e300, 1e300)

        def log_sf(w: np.ndarray) -> np.ndarray:
            w = np.maximum(w - start, 0.0) / scale
            if abs(xi) < 1e-6:
                return -w
            return -np.log(np.maximum(1.0 + xi * w, 1e-12)) / xi if xi > 0 else np.log(np.maximum(1.0 + xi * w, 1e-12)) / -xi

        ratio[out] = np.exp(np.clip(log_sf(v) - log_sf(np.array(end)), -20.7, 0.0))
        return ratio

    def _interval(self, at: np.ndarray, same: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        atom = same & self.atom[at]
        point = np.where(same, self.mid[at], np.interp(x, self.values, self.mid))
        return np.where(atom, self.low[at], point), np.where(atom, self.high[at], point), atom

    @staticmethod
    def _scores(low, high, atom, m):  # noqa: ANN001, ANN205 - arrays
        """Mean of e, of e squared and of the Legendre polynomials over the interval, and its two ends."""
        low, high = low - m, high - m
        e = np.clip(low, -CAP, CAP)
        e2 = e * e
        ul, uh = ndtr(low), ndtr(high)
        polynomials = np.column_stack(_legendre(2 * ul - 1, LEGENDRE)[1:])
        if atom.any():
            a, b = low[atom], high[atom]
            mass = np.maximum(uh[atom] - ul[atom], 1e-12)
            da, db = _density(a), _density(b)
            e[atom] = np.clip((da - db) / mass, -CAP, CAP)
            e2[atom] = np.clip(1.0 + (a * da - b * db) / mass, 0.0, CAP**2)
            va, vb = _legendre(2 * ul[atom] - 1, LEGENDRE + 1), _legendre(2 * uh[atom] - 1, LEGENDRE + 1)
            for k in range(1, LEGENDRE + 1):
                whole = (vb[k + 1] - vb[k - 1] - va[k + 1] + va[k - 1]) / (2 * k + 1)
                polynomials[atom, k - 1] = whole / (2.0 * mass)
        return e, e2, polynomials, (ul, uh)

    def rows(self, x: np.ndarray, basis: np.ndarray):  # noqa: ANN201 - a tuple of arrays
        n = len(x)
        null = np.isnan(x)
        e, e2, polynomials = np.zeros(n), np.ones(n), np.zeros((n, LEGENDRE))
        tails, latent = np.ones((n, 2)), np.zeros(n)
        if not self.known or null.all():
            return e, e2, polynomials, tails, latent
        ok = ~null
        v = x[ok]
        at = np.minimum(np.searchsorted(self.values, v), len(self.values) - 1)
        low, high, atom = self._interval(at, self.values[at] == v, v)
        m = basis[ok] @ self.beta
        e[ok], e2[ok], polynomials[ok], (ul, uh) = self._scores(low, high, atom, m)
        up, down = self._beyond(v, 0), self._beyond(v, 1)
        tails[ok, 0] = (1.0 - ul) * up
        tails[ok, 1] = uh * down
        # For the labels' model, values beyond the reference go on along the extrapolated tail.
        raw = np.where(atom, self.mid[at], low)
        raw = np.where(up < 1.0, -ndtri(ndtr(-self.mid[-1]) * up), raw)
        raw = np.where(down < 1.0, ndtri(ndtr(self.mid[0]) * down), raw)
        latent[ok] = np.clip(raw, -5.0, 5.0)
        return e, e2, polynomials, tails, latent


class _Rows:
    """What the tests need from each row; can be drawn from, for the bootstrap."""

    __slots__ = ("basis", "codes", "null", "phi", "tails")

    def __init__(self, basis, codes, null, phi, tails) -> None:  # noqa: ANN001
        self.basis, self.codes, self.null, self.phi, self.tails = basis, codes, null, phi, tails

    def take(self, at: np.ndarray) -> _Rows:
        return _Rows(self.basis[at], self.codes[at], self.null[at], self.phi[at], self.tails[at])


class DriftDetector:
    """Decides whether windows differ from the reference.

    Args:
        alpha: Rate of false alarms per window.
        seed: Not used for decisions; all random draws of `fit` are fixed by it.
    """

    def __init__(self, alpha: float = 0.05, seed: int = 0) -> None:
        self.alpha = float(alpha)
        self.seed = int(seed)
        self.fitted = False

    # ------------------------------------------------------------------------------------------------------------- fit
    def fit(self, reference: pd.DataFrame, labels: pd.DataFrame) -> None:
        """Learn what is normal."""
        reference = _checked(reference)
        random = np.random.default_rng(self.seed)
        seconds = _times(reference)
        numbers = {name: _numbers(reference, name) for name in NUMERIC}
        self.levels = {}
        for name in TEXT:
            found = sorted({str(value) for value in _column(reference, name).dropna().unique()})
            self.levels[name] = {value: at for at, value in enumerate(found)}
        codes = np.column_stack([_texts(reference, name, self.levels[name]) for name in TEXT])
        self.size = len(reference)
        self._choose_basis(seconds, numbers, codes)
        basis = _basis(seconds, *self.shape)
        self.precision = np.linalg.pinv(basis.T @ basis)
        self.margins = []
        for name in NUMERIC:
            margin = _Margin()
            margin.fit(numbers[name], basis)
            self.margins.append(margin)
        null = np.column_stack([np.isnan(numbers[name]) for name in NUMERIC])
        parts = [margin.rows(numbers[name], basis) for margin, name in zip(self.margins, NUMERIC, strict=True)]
        e = np.column_stack([part[0] for part in parts])
        self.omega = np.linalg.inv(np.cov(e.T) + 1e-6 * np.eye(6))
        correlation = np.corrcoef(e.T + 1e-12 * random.standard_normal(e.T.shape))
        strength = np.array([abs(correlation[a, b]) for a, b in PAIRS])
        self.top_pair = int(np.argmax(strength))
        self.pair_sign = np.array([np.sign(correlation[a, b]) or 1.0 for a, b in PAIRS])
        raw = self._phi(parts)
        self.phi_beta = self.precision @ (basis.T @ raw)
        phi = raw - basis @ self.phi_beta
        self.phi_cov = np.cov(phi.T)
        sd = np.sqrt(np.maximum(np.diag(self.phi_cov), 1e-12))
        self.phi_skew = (phi**3).mean(axis=0) / sd**3
        self._shape_directions(phi)
        tails = np.stack([part[3] for part in parts], axis=1)
        self._fit_levels(basis, codes, null)
        country = codes[:, 1]
        onehot = (country[:, None] == np.arange(len(self.levels["country"]))).astype(float)
        self.country_rows = np.maximum(onehot.sum(axis=0), 1.0)
        self.country_mean = (onehot.T @ phi[:, :6]) / self.country_rows[:, None]
        rows = _Rows(basis, codes, null, phi, tails)
        self._calibrate(rows, random)
        self._fit_stream(rows, seconds, random)
        self._fit_labels(reference, labels, parts, codes, null, random)
        self.fitted = True
        self.stream = []

    def _choose_basis(self, seconds: np.ndarray, numbers: dict, codes: np.ndarray) -> None:
        """Bayes' information criterion over all features at once."""
        targets = []
        for name in NUMERIC:
            x = numbers[name]
            ranks = pd.Series(x).rank().to_numpy()
            z = np.where(np.isnan(x), 0.0, ndtri((np.nan_to_num(ranks, nan=1.0) - 0.5) / max(1, (~np.isnan(x)).sum())))
            targets.append(z)
        for at, name in enumerate(TEXT):
            counts = np.bincount(codes[codes[:, at] >= 0, at], minlength=len(self.levels[name]))
            targets += [(codes[:, at] == level).astype(float) for level in np.argsort(counts)[::-1][:8]]
        y = np.column_stack(targets)
        n, best, squares = len(y), None, (y * y).sum(axis=0)
        for shape in ((1, 0), (2, 0), (3, 0), (4, 0), (1, 1), (2, 1), (2, 2), (3, 3)):
            x = _basis(seconds, *shape)
            cross = x.T @ y
            error = np.maximum((squares - (cross * (np.linalg.pinv(x.T @ x) @ cross)).sum(axis=0)) / n, 1e-9)
            # A term must pay for one feature, not for all of them: the score of each feature counts where it gains.
            bic = n * np.log(error) + x.shape[1] * np.log(n)
            if best is None:
                base, best, self.shape = bic, 0.0, shape
            gain = np.minimum(bic - base, 0.0).sum()
            if gain < best - 10.0:
                best, self.shape = gain, shape

    def _phi(self, parts: list) -> np.ndarray:
        """The scores of each row: partial means, means, scales, pairs, and smooth scores of the shape."""
        e = np.column_stack([part[0] for part in parts])
        e2 = np.column_stack([part[1] for part in parts])
        partial = e @ self.omega
        scale = e * partial + np.diag(self.omega) * (e2 - e * e)
        pairs = np.column_stack([partial[:, a] * partial[:, b] for a, b in PAIRS])
        # Degrees 3 to 6 together, and degree 4 (two humps, or heavy tails) once more alone.
        shape = [np.column_stack([part[2][:, 2:], part[2][:, 3]]) for part in parts]
        return np.column_stack([partial, e, scale, e2, pairs, *shape])

    PAIR0, SHAPE0 = 24, 39  # where pairs and shapes begin; each feature has LEGENDRE - 2 + 1 columns of shape

    def _shape_directions(self, phi: np.ndarray) -> None:
        """Project the shape scores off the mean and the spread, which have tests of their own."""
        width = LEGENDRE - 1
        self.shape_maps, self.shape_inverse, self.shape_sd = [], [], []
        self.shape_skew, self.shape_kurtosis = [], []
        for j in range(6):
            own = np.array([6 + j, 18 + j])
            these = self.SHAPE0 + width * j + np.arange(width)
            cross = self.phi_cov[np.ix_(own, these)]
            slope = np.linalg.pinv(self.phi_cov[np.ix_(own, own)]) @ cross
            cov = self.phi_cov[np.ix_(these, these)] - cross.T @ slope
            self.shape_maps.append((own, these, slope))
            self.shape_inverse.append(np.linalg.pinv(cov[:-1, :-1], rcond=1e-6))
            self.shape_sd.append(np.sqrt(max(cov[-1, -1], 1e-9)))
            left = phi[:, these] - phi[:, own] @ slope
            self.shape_skew.append((left[:, -1] ** 3).mean() / self.shape_sd[-1] ** 3)
            size = np.einsum("ni,ij,nj->n", left[:, :-1], self.shape_inverse[-1], left[:, :-1])
            self.shape_kurtosis.append((size**2).mean() - (LEGENDRE - 2) * LEGENDRE)
        size = np.einsum("ni,ij,nj->n", phi[:, 6:12], self.omega, phi[:, 6:12])
        self.mean_kurtosis = float((size**2).mean() - 48.0)

    def _fit_levels(self, basis: np.ndarray, codes: np.ndarray, null: np.ndarray) -> None:
        self.level_beta = [
            np.column_stack([_logistic(basis, (codes[:, at] == level).astype(float), 0.5)[0] for level in range(len(self.levels[name]))])
            if self.levels[name] else np.zeros((basis.shape[1], 0))
            for at, name in enumerate(TEXT)
        ]  # fmt: skip
        self.unseen = {}
        for at, name in enumerate(TEXT):
            counts = np.bincount(codes[codes[:, at] >= 0, at], minlength=1)
            # Good and Turing: levels that came once tell how many have not come yet.
            self.unseen[name] = (float((counts == 1).sum()) + 0.01) / self.size
        self.null_model = {}
        x = np.column_stack([basis, self._device(codes[:, 0])])
        missing = [*(null[:, j] for j in range(6)), *(codes[:, at] == -1 for at in range(4))]
        for name, m in zip(FEATURES, missing, strict=True):
            if 5 <= m.sum() <= len(m) - 5:
                self.null_model[name] = _logistic(x, m.astype(float), 1.0)[0]
            else:
                self.unseen[name + "?"] = (float(m.sum()) + 0.01) / self.size

    def _device(self, device: np.ndarray) -> np.ndarray:
        return (device[:, None] == np.arange(len(self.levels["device"]))).astype(float)

    # ----------------------------------------------------------------------------------------------------------- tests
    def _rows(self, window: pd.DataFrame) -> _Rows:
        window = _checked(window)
        basis = _basis(_times(window), *self.shape)
        numbers = [_numbers(window, name) for name in NUMERIC]
        codes = np.column_stack([_texts(window, name, self.levels[name]) for name in TEXT])
        parts = [margin.rows(x, basis) for margin, x in zip(self.margins, numbers, strict=True)]
        null = np.column_stack([np.isnan(x) for x in numbers])
        phi = self._phi(parts) - basis @ self.phi_beta
        return _Rows(basis, codes, null, phi, np.stack([part[3] for part in parts], axis=1))

    def _tests(self, rows: _Rows, learnt: bool = True) -> list[tuple[float, float, tuple[int, ...], str]]:
        """All tests of a window: log p-value, log weight, features, family. `learnt` False: the bootstrap's own rows."""
        n = len(rows.basis)
        centre = rows.basis.mean(axis=0)
        more = 1.0 + (CAUTION * n * float(centre @ self.precision @ centre) if learnt else 0.0)
        out: list = []

        def add(family: str, share: float, logs: np.ndarray, features: list) -> None:
            weight = np.log(WEIGHTS[family] * share / len(features))
            out.extend((float(p), weight, f, family) for p, f in zip(np.atleast_1d(logs), features, strict=True))

        single = [(j,) for j in range(6)]
        total = rows.phi.sum(axis=0)
        t = total / np.sqrt(n * np.maximum(np.diag(self.phi_cov), 1e-12) * more)
        skew = self.phi_skew / np.sqrt(n)
        z = _pearson3(t, skew)
        add("mean", 0.6, _two_sided(z[0:6]), single)
        add("mean", 0.4, _two_sided(z[6:12]), single)
        add("scale", 0.45, log_ndtr(-z[12:18]), single)
        add("scale", 0.45, log_ndtr(-z[18:24]), single)
        add("scale", 0.10, log_ndtr(z[18:24]), single)
        # Pairs: a weaker correlation lowers sign * score.
        pairs = z[self.PAIR0 : self.SHAPE0] * self.pair_sign
        top = self.top_pair
        add("pair", 0.85, log_ndtr(pairs[top]), [PAIRS[top]])
        others = [at for at in range(len(PAIRS)) if at != top]
        add("pair", 0.15, _two_sided(pairs[others]), [PAIRS[at] for at in others])
        # Shape: chi-square of smooth scores without mean and spread, and the fourth degree alone.
        quadratic, fourth = np.zeros(6), np.zeros(6)
        for j, (own, these, slope) in enumerate(self.shape_maps):
            left = (total[these] - total[own] @ slope) / np.sqrt(n * more)
            quadratic[j] = left[:-1] @ self.shape_inverse[j] @ left[:-1]
            fourth[j] = left[-1] / self.shape_sd[j]
        add("shape", 0.7, log_ndtr(-_chi2_z(quadratic, LEGENDRE - 2, np.array(self.shape_kurtosis) / n)), single)
        add("shape", 0.3, _two_sided(_pearson3(fourth, np.array(self.shape_skew) / np.sqrt(n))), single)
        # Diffuse: Hotelling's statistic, and all features in one direction.
        mean = total[6:12] / np.sqrt(n * more)
        hotelling = mean @ self.omega @ mean
        add("diffuse", 0.7, log_ndtr(-_chi2_z(hotelling, 6, self.mean_kurtosis / n)), [()])
        along = self.omega.sum(axis=0) @ mean / np.sqrt(self.omega.sum())
        add("diffuse", 0.3, _two_sided(along), [()])
        # One feature in one country.
        country = rows.codes[:, 1]
        known = np.flatnonzero(np.bincount(country[country >= 0], minlength=1))
        if len(known):
            onehot = (country[:, None] == known).astype(float)
            many = onehot.sum(axis=0)
            sums = onehot.T @ rows.phi[:, :6]
            if learnt:
                sums = sums - many[:, None] * self.country_mean[known]
                inflation = more + many / self.country_rows[known]
            else:
                inflation = np.ones(len(known))
            sd = np.sqrt((many * inflation)[:, None] * np.maximum(np.diag(self.phi_cov)[:6], 1e-12))
            zc = _pearson3(sums / sd, self.phi_skew[:6] / np.sqrt(many)[:, None])
            add("segment", 1.0, _two_sided(zc).ravel(), [(j,) for _ in known for j in range(6)])
        # Levels: each against its own expectation, one-sided upwards; and the whole column.
        parts = [(at, name) for at, name in enumerate(TEXT) if self.levels[name]]
        logs, where, whole = [], [], []
        for at, name in parts:
            p = 1.0 / (1.0 + np.exp(-(rows.basis @ self.level_beta[at])))
            code = rows.codes[:, at]
            seen = np.bincount(code[code >= 0], minlength=p.shape[1])
            expected = p.sum(axis=0)
            var = np.maximum((p * (1 - p)).sum(axis=0), 1e-9)
            third = (p * (1 - p) * (1 - 2 * p)).sum(axis=0)
            t = (seen - expected) / np.sqrt(var * more)
            logs.append(log_ndtr(-_pearson3(t, third / var**1.5)) + np.log(len(t) * len(parts)))
            where += [(6 + at,)] * len(t)
            whole.append(log_ndtr(-_chi2_z(((seen - expected) ** 2 / np.maximum(expected, 1e-9)).sum() / more, max(len(t) - 1, 1))))
        if parts:
            weight = np.log(WEIGHTS["category"] * 0.8)
            out.extend((min(float(p), 0.0), weight, f, "category") for p, f in zip(np.concatenate(logs), where, strict=True))
            add("category", 0.2, np.array(whole), [(6 + at,) for at, _ in parts])
        # Nulls where there were some; and levels or nulls that the reference never had.
        x = np.column_stack([rows.basis, self._device(rows.codes[:, 0])])
        logs, where = [], []
        for f, name in enumerate(FEATURES):
            m = rows.null[:, f] if f < 6 else rows.codes[:, f - 6] == -1
            if name in self.null_model:
                p = 1.0 / (1.0 + np.exp(-(x @ self.null_model[name])))
                var = (p * (1 - p)).sum()
                t = (m.sum() - p.sum()) / np.sqrt(var * more)
                logs.append(log_ndtr(-_pearson3(t, (p * (1 - p) * (1 - 2 * p)).sum() / var**1.5)))
                where.append((f,))
            elif m.any():
                add("unseen", 0.5 / len(FEATURES), _log_tail(float(m.sum()), n * self.unseen[name + "?"]), [(f,)])
        if where:
            add("missing", 1.0, np.array(logs).ravel(), where)
        for at, name in enumerate(TEXT):
            strange = int((rows.codes[:, at] == -2).sum())
            if strange:
                add("unseen", 0.5 / len(TEXT), _log_tail(float(strange), n * self.unseen[name]), [(6 + at,)])
        # Tails: the k-th most extreme row, as a binomial (Poisson) tail.
        orders = ORDERS[ORDERS <= n]
        ends = np.sort(rows.tails, axis=0)[orders - 1]
        logs = self._log_exceed(orders[:, None, None].astype(float), n, np.maximum(ends, 1e-18), learnt).min(axis=0)
        logs = np.minimum(logs + np.log(0.6 * len(orders)), 0.0)
        add("unit", 0.65, logs[:, 0], single)
        add("unit", 0.35, logs[:, 1], single)
        return out

    def _log_exceed(self, k: np.ndarray, n: int, share: np.ndarray, learnt: bool) -> np.ndarray:
        """log P(k rows or more beyond a point that the reference passes with this share).

        The share was itself counted in the reference: a negative binomial with as many successes as were counted.
        """
        if not learnt:
            return _log_tail(k, n * share)
        count = np.maximum(self.size * share, 0.3)
        mean = n * share * (1.0 + 1.0 / count)
        shape = count + 1.0
        q = mean / (mean + shape)
        plain = betainc(k, shape, q)
        rough = k * np.log(q) + gammaln(k + shape) - gammaln(k + 1.0) - gammaln(shape)
        return np.minimum(np.where(plain > 1e-250, np.log(np.maximum(plain, 1e-300)), rough), 0.0)

    def _calibrate(self, rows: _Rows, random: np.random.Generator) -> None:
        """How many independent tests the weighted minimum is worth: p = 1 - (1 - q) ** m, m by maximum likelihood."""
        self.effective = []
        for n, times in CALIBRATION:
            q = np.empty(times)
            for at in range(times):
                chosen = random.integers(0, self.size, n)
                q[at] = min(p - w for p, w, _, _ in self._tests(rows.take(chosen), learnt=False))
            q = -np.log1p(-np.minimum(np.exp(np.minimum(q, 0.0)), 1 - 1e-12))
            limit = -np.log1p(-0.3)
            m = (q <= limit).sum() / np.minimum(q, limit).sum()
            self.effective.append((np.log(n), float(np.log(np.clip(m, 0.3, 2.0)))))
        # A straight line through them: less noise than each of them.
        x, y = np.array(self.effective).T
        slope, level = np.polyfit(x, y, 1, w=np.sqrt([times for _, times in CALIBRATION]))
        self.line = (float(level), float(slope))

    def _answer(self, rows: _Rows) -> tuple[float, list]:
        tests = self._tests(rows)
        n = float(np.clip(len(rows.basis), 60, 2000))
        q = float(np.exp(min(p - w for p, w, _, _ in tests)))
        m = SAFETY * np.exp(self.line[0] + self.line[1] * np.log(n))
        return _combined(q, m), tests

    # ----------------------------------------------------------------------------------------------------------- check
    def check(self, window: pd.DataFrame) -> dict:
        """Decide about one window."""
        rows = self._rows(window)
        p_value, tests = self._answer(rows)
        return {"drift": bool(p_value <= self.alpha), "p_value": p_value, "scores": self._name(rows, tests), "n": len(window)}

    def _name(self, rows: _Rows, tests: list) -> dict[str, float]:
        """Evidence per feature: the best of its own tests; a pair adds to both where the two margins are quiet."""
        own = np.zeros(10)
        for p, w, features, family in tests:
            if family != "pair":
                for f in features:
                    own[f] = max(own[f], -(p - w))
        # Correlation after the window's own centre and spread were taken out: mean and scale drift leave it alone.
        n = len(rows.basis)
        pair = np.zeros(10)
        if n >= 20:
            e = rows.phi[:, 6:12]
            with np.errstate(all="ignore"):
                r = np.nan_to_num(np.corrcoef(e.T))
            cov = self.phi_cov[6:12, 6:12]
            r0 = cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)) + 1e-12)
            a, b = PAIRS[self.top_pair]
            change = (np.arctanh(np.clip(r0[a, b], -0.99, 0.99)) - np.arctanh(np.clip(r[a, b], -0.99, 0.99))) * self.pair_sign[self.top_pair]
            z = change * np.sqrt(max(n - 3, 1))
            pair[[a, b]] = max(0.0, -float(log_ndtr(-z)) - 4.0)
        extra = np.minimum(pair, 300.0)
        scores = np.maximum(own, 0.0) + extra
        # Ties are broken by the marginal mean, then by the order of the columns.
        tie = np.concatenate([np.abs(rows.phi[:, 6:12].mean(axis=0)), np.zeros(4)]) * 1e-6 + np.arange(10)[::-1] * 1e-9
        return {name: float(score) for name, score in zip(FEATURES, scores + tie, strict=True)}

    # ---------------------------------------------------------------------------------------------------------- stream
    def _linear(self, rows: _Rows) -> np.ndarray:
        """Sums that the stream monitor follows, one per direction of change."""
        out = [rows.phi[:, :24].sum(axis=0)]
        for at, name in enumerate(TEXT):
            if self.levels[name]:
                p = 1.0 / (1.0 + np.exp(-(rows.basis @ self.level_beta[at])))
                code = rows.codes[:, at]
                out.append(np.bincount(code[code >= 0], minlength=p.shape[1]) - p.sum(axis=0))
        x = np.column_stack([rows.basis, self._device(rows.codes[:, 0])])
        for f, name in enumerate(FEATURES):
            if name in self.null_model:
                m = rows.null[:, f] if f < 6 else rows.codes[:, f - 6] == -1
                out.append([m.sum() - (1.0 / (1.0 + np.exp(-(x @ self.null_model[name])))).sum()])
        return np.concatenate(out)

    def _fit_stream(self, rows: _Rows, seconds: np.ndarray, random: np.random.Generator) -> None:
        """Covariance of the followed sums, and the threshold that 3.5 % of runs of 40 clean windows reach."""
        phi = [rows.phi[:, :24]]
        for at, name in enumerate(TEXT):
            if self.levels[name]:
                p = 1.0 / (1.0 + np.exp(-(rows.basis @ self.level_beta[at])))
                phi.append((rows.codes[:, at][:, None] == np.arange(p.shape[1])) - p)
        x = np.column_stack([rows.basis, self._device(rows.codes[:, 0])])
        for f, name in enumerate(FEATURES):
            if name in self.null_model:
                m = rows.null[:, f] if f < 6 else rows.codes[:, f - 6] == -1
                phi.append((m - 1.0 / (1.0 + np.exp(-(x @ self.null_model[name]))))[:, None])
        phi = np.column_stack(phi)
        cov = phi.T @ phi / len(phi)
        self.stream_sd = np.sqrt(np.maximum(np.diag(cov), 1e-12))
        d = len(self.stream_sd)
        share = np.full(d, 0.12 / max(d - 24, 1))
        share[0:6], share[6:12], share[12:18], share[18:24] = 0.45 / 6, 0.31 / 6, 0.06 / 6, 0.06 / 6
        self.stream_share = np.log(share)
        root = np.linalg.cholesky(cov / np.outer(self.stream_sd, self.stream_sd) + 1e-6 * np.eye(d))
        runs, length, n = 1000, 40, 200.0
        step = n / (len(seconds) / max((seconds.max() - seconds.min()), 1.0))
        half = np.linalg.cholesky(self.precision + 1e-14 * np.eye(len(self.precision)))
        worst = np.zeros((runs, d))
        batch = 250
        for begin in range(0, runs, batch):
            start = seconds.max() + random.integers(0, 7 * 24) * 3600.0
            middle = start + step * (np.arange(length)[:, None] + (np.arange(20) + 0.5) / 20)
            xs = _basis(middle.ravel(), *self.shape).reshape(length, 20, -1).mean(axis=1)
            noise = random.standard_normal((batch, length, d)) @ root.T
            error = np.einsum("pq,bqd->bpd", half, random.standard_normal((batch, xs.shape[1], d))) @ root.T
            sums = np.sqrt(n) * noise - n * np.einsum("tp,bpd->btd", xs, error)
            total = np.concatenate([np.zeros((batch, 1, d)), np.cumsum(sums, axis=1)], axis=1)
            added = np.concatenate([np.zeros((1, xs.shape[1])), np.cumsum(n * xs, axis=0)])
            for gap in range(1, length + 1):
                part = added[gap:] - added[:-gap]
                var = n * gap + np.einsum("tp,pq,tq->t", part, self.precision, part)
                z = np.abs(total[:, gap:] - total[:, :-gap]) / np.sqrt(var)[None, :, None]
                worst[begin : begin + batch] = np.maximum(worst[begin : begin + batch], z.max(axis=1))
        q = (_two_sided(worst) - self.stream_share).min(axis=1)
        self.stream_threshold = float(np.quantile(q, 0.035))

    def update(self, window: pd.DataFrame) -> dict:
        """Take the next window of a stream."""
        rows = self._rows(window)
        self.stream = [*self.stream[-(STREAM_KEEP - 1) :], (self._linear(rows), rows.basis.sum(axis=0), len(rows.basis))]
        sums = np.cumsum(np.array([each[0] for each in self.stream])[::-1], axis=0)
        added = np.cumsum(np.array([each[1] for each in self.stream])[::-1], axis=0)
        count = np.cumsum(np.array([each[2] for each in self.stream], dtype=float)[::-1])
        var = count + np.einsum("tp,pq,tq->t", added, self.precision, added)
        z = sums / self.stream_sd / np.sqrt(var)[:, None]
        skew = np.zeros(z.shape)
        skew[:, :24] = self.phi_skew[:24] / np.sqrt(count)[:, None]
        levels = np.arange(24, z.shape[1])
        skew[:, levels] = 1.0 / (self.stream_sd[levels] * np.sqrt(count)[:, None]) * np.sign(0.5 - self.stream_sd[levels] ** 2)
        q = float((_two_sided(_pearson3(z, skew)) - self.stream_share).min())
        alarm = q <= self.stream_threshold
        if not alarm:
            alarm = self._answer(rows)[0] <= 1.5e-4
        return {"alarm": bool(alarm)}

    # -------------------------------------------------------------------------------------------------------- feedback
    def _design(self, parts: list, codes: np.ndarray, null: np.ndarray) -> np.ndarray:
        latent = np.column_stack([part[4] for part in parts])
        square = np.where(null, 0.0, latent**2 - 1.0)
        columns = [np.ones((len(latent), 1)), latent, square, null.astype(float)]
        columns += [(codes[:, at][:, None] == np.arange(len(self.levels[name]))).astype(float) for at, name in enumerate(TEXT)]
        return np.column_stack(columns)

    def _fit_labels(self, reference, labels, parts, codes, null, random) -> None:  # noqa: ANN001
        """A logistic model of P(y | x), and what its score tests are worth together."""
        self.label_beta = None
        if labels is None or "y" not in labels or "row_id" not in labels:
            return
        y = pd.Series(labels["y"].to_numpy(dtype=float, na_value=np.nan), index=labels["row_id"].to_numpy())
        y = y[~y.index.duplicated()].reindex(reference["row_id"].to_numpy()).to_numpy()
        ok = ~np.isnan(y)
        if ok.sum() < 100 or y[ok].min() == y[ok].max():
            return
        x = self._design(parts, codes, null)
        # A ridge of a few pseudo-rows makes the redundant dummies identifiable and shrinks noise.
        self.label_beta, self.label_cov = _logistic(x[ok], y[ok], 4.0)
        self.groups = [[1 + j, 7 + j, 13 + j] for j in range(6)]
        at = 19
        for name in TEXT:
            self.groups.append(list(range(at, at + len(self.levels[name]))))
            at += len(self.levels[name])
        p = 1.0 / (1.0 + np.exp(-(x @ self.label_beta)))
        spread = np.array([np.std(x[:, g] @ self.label_beta[g]) for g in self.groups]) + 1e-9
        self.group_share = 0.15 / 10 + 0.85 * spread / spread.sum()
        q = np.empty(400)
        for k in range(len(q)):
            chosen = random.integers(0, len(x), 1000)
            drawn = (random.random(1000) < p[chosen]).astype(float)
            q[k] = self._label_tests(x[chosen], drawn, learnt=False)
        q = -np.log1p(-np.minimum(np.exp(np.minimum(q, 0.0)), 1 - 1e-12))
        limit = -np.log1p(-0.3)
        self.label_effective = float(np.clip((q <= limit).sum() / np.minimum(q, limit).sum(), 0.3, 2.0))

    def _label_tests(self, x: np.ndarray, y: np.ndarray, learnt: bool = True) -> float:
        """The smallest weighted log p-value of the score tests."""
        p = 1.0 / (1.0 + np.exp(-(x @ self.label_beta)))
        w = p * (1 - p)
        directions = np.column_stack(
            [np.ones(len(x)), x @ self.label_beta, *(x[:, g] @ self.label_beta[g] for g in self.groups), x[:, 1:7]]
        )
        # All but the first are made free of the overall rate.
        middle = (w @ directions[:, 1:]) / max(w.sum(), 1e-12)
        directions[:, 1:] -= middle
        score = directions.T @ (y - p)
        var = (directions**2).T @ w
        if learnt:
            g = (directions * w[:, None]).T @ x
            var = var + CAUTION * np.einsum("dp,pq,dq->d", g, self.label_cov, g)
        var = np.maximum(var, 1e-9)
        third = (directions**3).T @ (w * (1 - 2 * p))
        z = _pearson3(score / np.sqrt(var), third / var**1.5)
        z = np.where(var > 1e-6, z, 0.0)
        logs = [_two_sided(z[:1]) - np.log(0.33), _two_sided(z[1:2]) - np.log(0.09)]
        # An input that matters less, or the other way, has a negative score along its own effect.
        logs.append(log_ndtr(z[2:12]) - np.log(0.45 * self.group_share))
        logs.append(_two_sided(z[12:18]) - np.log(0.13 / 6))
        return float(np.concatenate(logs).min())

    def feedback(self, rows: pd.DataFrame) -> dict:
        """Decide from labelled rows whether P(y | x) has changed."""
        rows = _checked(rows)
        _numbers(rows, "score")
        y_column = _column(rows, "y")
        if pd.api.types.is_bool_dtype(y_column.dtype):
            y_column = y_column.astype(float)
            rows = rows.assign(y=y_column)
        y = _numbers(rows, "y")
        if not np.isin(y, (0.0, 1.0)).all():
            raise ValueError("y holds a value other than 0 and 1")
        basis = _basis(_times(rows), *self.shape)
        numbers = [_numbers(rows, name) for name in NUMERIC]
        codes = np.column_stack([_texts(rows, name, self.levels[name]) for name in TEXT])
        p_value = 1.0
        if self.label_beta is not None:
            parts = [margin.rows(v, basis) for margin, v in zip(self.margins, numbers, strict=True)]
            null = np.column_stack([np.isnan(v) for v in numbers])
            q = float(np.exp(self._label_tests(self._design(parts, codes, null), y)))
            p_value = _combined(q, SAFETY * self.label_effective)
        return {"concept_drift": bool(p_value <= self.alpha), "p_value": p_value}

    # ------------------------------------------------------------------------------------------------------------ state
    def save(self, path: str) -> None:
        """Write everything that `load` needs."""
        target = Path(path)
        part = target.with_name(target.name + ".part")
        part.write_bytes(pickle.dumps(self.__dict__, protocol=5))
        os.replace(part, target)

    @classmethod
    def load(cls, path: str) -> DriftDetector:
        """Return the detector that was saved."""
        detector = cls()
        detector.__dict__.update(pickle.loads(Path(path).read_bytes()))  # noqa: S301 - our own file
        return detector

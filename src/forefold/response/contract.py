"""The contract that every response keeps, as checks for the tests of a plug-in.

>>> from forefold.response.distributions import Normal
>>> from forefold.response import Smear
>>> from forefold.response.contract import check_response
>>> check_response(Smear(Normal(), 0.2, efficiency=0.8), [0.5, 1.0, 2.0])

Each check raises AssertionError with what was found. Tolerances are those of the quadrature of a composition, the coarsest of
the built-in responses. `scipy` is needed for p-values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forefold.response import Smear
from forefold.response.distributions import Normal

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from forefold.response import Response

    Array = NDArray[np.float64]

__all__ = [
    "check_cdf",
    "check_efficiency",
    "check_matrix",
    "check_pdf",
    "check_ppf",
    "check_response",
    "check_samples",
    "check_then",
    "uniforms_like",
]

_U = np.array([1e-6, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 1.0 - 1e-6])
_NEAR = 1e-4  # of a width: step of a numerical derivative
_FALSE_ALARM = 1e-6


def _assert(good: ArrayLike, message: str) -> None:
    if not np.all(good):
        raise AssertionError(message)


def uniforms_like(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Uniforms such as the engine's: odd multiples of 2^-53, so that 1 - u is exact.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where the uniforms come from.
    shape : tuple of int
        Shape of the array.

    Returns
    -------
    ndarray
        Uniforms in the open interval (0, 1).
    """
    whole = rng.integers(0, 2**52, shape).astype(np.float64)
    return (whole + 0.5) * 2.0**-52


def _seen(response: Response, true: ArrayLike) -> Array:
    t = np.atleast_1d(np.asarray(true, dtype=np.float64))
    return t[response.efficiency(t) > 0.0]


def _width(response: Response, true: Array) -> Array:
    ends = response.ppf([[0.16], [0.84]], true)
    width: Array = 0.5 * (ends[1] - ends[0])
    return width


def check_efficiency(response: Response, true: ArrayLike) -> None:
    """Hold the efficiency between 0 and 1, of the shape of `true`, and 0 where `true` is NaN.

    Parameters
    ----------
    response : Response
        The response to check.
    true : array_like
        True values.
    """
    t = np.asarray(true, dtype=np.float64)
    efficiency = response.efficiency(t)
    _assert(efficiency.shape == t.shape, f"efficiency has shape {efficiency.shape}, not {t.shape}")
    _assert(
        (efficiency >= 0.0) & (efficiency <= 1.0), f"efficiency {efficiency} is not within 0 to 1"
    )
    _assert(response.efficiency(np.nan) == 0.0, "efficiency of NaN is not 0")


def check_cdf(response: Response, true: ArrayLike) -> None:
    """Hold the cdf to rise from 0 to 1, and bins' probabilities to be its differences.

    Parameters
    ----------
    response : Response
        The response to check.
    true : array_like
        True values.
    """
    t = _seen(response, true)
    x = np.sort(response.ppf(_U[:, None], t), axis=0)
    below = response.cdf(x, t)
    _assert(np.diff(below, axis=0) >= -1e-12, f"cdf does not rise: {below}")
    _assert(np.abs(response.cdf(-np.inf, t)) < 1e-12, "cdf does not begin at 0")
    _assert(np.abs(response.cdf(np.inf, t) - 1.0) < 1e-12, "cdf does not end at 1")
    for true_value, edges in zip(t, x.T, strict=True):
        inner = np.unique(edges)
        probabilities = response.bin_probabilities([-np.inf, *inner, np.inf], true_value)
        _assert(probabilities >= 0.0, f"a bin's probability is negative: {probabilities}")
        _assert(
            abs(probabilities.sum() - 1.0) < 1e-9,
            f"probabilities of bins sum to {probabilities.sum()}",
        )


def check_pdf(response: Response, true: ArrayLike) -> None:
    """Hold the pdf to be the derivative of the cdf, away from kinks and points.

    Parameters
    ----------
    response : Response
        The response to check.
    true : array_like
        True values.
    """
    t = _seen(response, true)
    step = _NEAR * _width(response, t)
    t, step = t[step > 0.0], step[step > 0.0]
    x = response.ppf(_U[1:-1, None], t)
    slope = (response.cdf(x + step, t) - response.cdf(x - step, t)) / (2.0 * step)
    beside = np.array([response.pdf(x + k * step, t) for k in (-1, 0, 1)])
    smooth = np.ptp(beside, axis=0) < 0.01 * beside[1]
    _assert(beside >= 0.0, "pdf is negative")
    off = np.abs(slope - beside[1]) > 1e-4 * beside[1]
    _assert(~(off & smooth), f"pdf {beside[1][off & smooth]} but slope {slope[off & smooth]}")
    _assert(t.size == 0 or smooth.mean() > 0.5, "pdf jumps nearly everywhere")


def check_ppf(response: Response, true: ArrayLike) -> None:
    """Hold the ppf to be the inverse of the cdf; across a point of finite probability, the generalised one.

    Parameters
    ----------
    response : Response
        The response to check.
    true : array_like
        True values.
    """
    t = _seen(response, true)
    u = _U[:, None]
    x = response.ppf(u, t)
    _assert(np.diff(x, axis=0) >= 0.0, "ppf does not rise")
    _assert(response.cdf(x, t) >= u - 1e-9, "cdf(ppf(u)) is below u")
    nudge = 1e-9 * np.maximum(np.abs(x), 1.0)
    jumps = response.between(x - nudge, x + nudge, t)
    _assert(response.cdf(x - nudge, t) <= u + 1e-9, "cdf is above u before ppf(u)")
    off = np.abs(response.cdf(x, t) - u) > 1e-9
    _assert(~off | (jumps > 1e-6), "cdf(ppf(u)) differs from u where the cdf is continuous")


def _binning(response: Response, true: Array) -> tuple[Array, Array]:
    """Bins of true values, and of what is observed from them."""
    edges = np.linspace(true.min(), true.max() + 0.1 * max(np.ptp(true), 0.1), 5)
    inside = _seen(response, np.linspace(edges[0], edges[-1], 9))
    low, high = response.ppf(0.01, inside).min(), response.ppf(0.99, inside).max()
    return edges, np.linspace(low, high + 0.01 * max(high - low, 0.1), 13)


def check_matrix(response: Response, true: ArrayLike) -> None:
    """Hold the rows of the exact matrix to sum to the mean efficiency, and to be probabilities.

    Parameters
    ----------
    response : Response
        The response to check.
    true : array_like
        Their range is binned.
    """
    true_edges, reco_edges = _binning(response, np.atleast_1d(np.asarray(true, dtype=float)))
    rows = response.matrix(true_edges, reco_edges).values(flow=True)
    _assert((rows >= 0.0) & (rows <= 1.0 + 1e-12), "an entry of the matrix is no probability")
    n = 2000
    share = (np.arange(n) + 0.5) / n
    at = true_edges[:-1, None] + share * np.diff(true_edges)[:, None]
    mean = response.efficiency(at).mean(axis=1)
    # midpoints against Gauss-Legendre nodes: a jump of the efficiency may lie between two of them
    _assert(np.abs(rows.sum(axis=1) - mean) < 2e-3, f"rows sum to {rows.sum(axis=1)}, not {mean}")


def check_samples(response: Response, true: ArrayLike, *, n: int = 100_000, rng: int = 1) -> None:
    """Hold draws to the exact matrix (chi2, false-alarm probability 1e-6 a row), and to their uniforms.

    Parameters
    ----------
    response : Response
        The response to check.
    true : array_like
        Their range is binned.
    n : int
        Draws a row.
    rng : int
        Seed of the uniforms.
    """
    from scipy import stats

    generator = np.random.default_rng(rng)
    true_edges, reco_edges = _binning(response, np.atleast_1d(np.asarray(true, dtype=float)))
    rows = response.matrix(true_edges, reco_edges).values(flow=True)
    for low, high, row in zip(true_edges[:-1], true_edges[1:], rows, strict=True):
        t = generator.uniform(low, high, n)
        u = uniforms_like(generator, (response.n_uniforms, n))
        x = response.sample(t, u)
        half = response.sample(t[::-2], u[:, ::-2])
        _assert(np.array_equal(half, x[::-2], equal_nan=True), "bits depend on what is beside")
        place = np.searchsorted(reco_edges, x[~np.isnan(x)], side="right")
        counts = np.append(np.bincount(place, minlength=row.size), np.isnan(x).sum())
        exact = n * np.append(row, 1.0 - row.sum())
        many = exact > 10.0
        counts = np.append(counts[many], counts[~many].sum())
        exact = np.append(exact[many], exact[~many].sum())
        # what is expected hardly ever joins the largest bin, so that no term is far from its Gaussian limit
        if exact[-1] < 10.0:
            largest = int(exact[:-1].argmax())
            counts[largest] += counts[-1]
            exact[largest] += exact[-1]
            counts, exact = counts[:-1], exact[:-1]
        chi2 = float((np.square(counts - exact) / exact).sum())
        p = float(stats.chi2.sf(chi2, max(exact.size - 1, 1)))
        _assert(p > _FALSE_ALARM, f"draws and matrix differ: chi2 {chi2:.1f}, p {p:.1e}")


def check_then(response: Response, true: ArrayLike) -> None:
    """Hold `then` to be associative, and to agree with the product of matrices on fine bins.

    Parameters
    ----------
    response : Response
        The response to check.
    true : array_like
        At most three of them are looked at.
    """
    t = _seen(response, true)[:3]
    width = float(np.max(_width(response, t), initial=0.0)) or 0.1
    second = Smear(Normal(), 0.5 * width, efficiency=0.8)
    third = Smear(Normal(), 0.3 * width)
    ends = response.ppf([[0.1], [0.5], [0.9]], t)
    left, right = response.then(second).then(third), response.then(second.then(third))
    off = np.abs(left.cdf(ends, t) - right.cdf(ends, t))
    _assert(off < 1e-12, f"then is not associative: {off.max()}")
    middle = np.linspace(
        response.ppf(0.001, t).min() - width, response.ppf(0.999, t).max() + width, 800
    )
    reco = np.linspace(middle[0], middle[-1], 12)
    first = response.bin_probabilities([-np.inf, *middle, np.inf], t)
    product = (
        response.efficiency(t)[:, None] * first[:, 1:-1] @ second.matrix(middle, reco).values()
    )
    composed = response.then(second)
    exact = composed.efficiency(t)[:, None] * composed.bin_probabilities(reco, t)
    off = np.abs(product - exact)
    # a middle bin's flat average is off by h^2/(24 width^2); what lies outside of the middle is left out
    spacing = float(middle[1] - middle[0])
    allowed = 2e-3 + (spacing / width) ** 2 + (first[:, 0] + first[:, -1])[:, None]
    _assert(off <= allowed, f"then and the product of matrices differ by {off.max():.1e}")


def check_response(response: Response, true: ArrayLike, *, n: int = 100_000) -> None:
    """Run every check.

    Parameters
    ----------
    response : Response
        The response to check.
    true : array_like
        True values at which it is meant to be used; two or more that differ.
    n : int
        Draws a row that are held to the exact matrix; fewer for a response that is slow to draw from.

    Raises
    ------
    AssertionError
        If the contract is broken.
    """
    for check in (check_efficiency, check_cdf, check_pdf, check_ppf, check_matrix, check_then):
        check(response, true)
    check_samples(response, true, n=n)

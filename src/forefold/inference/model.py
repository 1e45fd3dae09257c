"""What an experiment expects of its parameters, with all derivatives; pure arrays.

Parameters may be one set, or many of them in rows: what depends on them then has their number before its own shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from forefold.matrix.uncertainty import element_variance, folded_covariance, row_variances

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.matrix.uncertainty import Moments

    Array = NDArray[np.float64]

__all__ = ["Expectation", "Expected", "Function", "Spectrum", "Templates", "along", "moved"]


class Spectrum(Protocol):
    """True contents as a function of parameters."""

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Give contents, shape (..., n_true), and their derivatives, shape (..., parameters, n_true), or (parameters, n_true) where all are equal."""
        ...


@dataclass(frozen=True)
class Templates:
    """Sum of spectra, each with a parameter that scales it.

    Attributes
    ----------
    contents : ndarray, shape (parameters, n_true)
    """

    contents: Array

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """See `Spectrum`."""
        return x @ self.contents, self.contents


@dataclass(frozen=True)
class Function:
    """A function of parameters, with its derivatives or numerical ones.

    Attributes
    ----------
    function : callable
        Of an array of parameters, gives contents.
    gradient : callable or None
        Of an array of parameters, gives derivatives, shape (parameters, n_true).
    steps : ndarray, shape (parameters,)
        Of numerical derivatives.
    """

    function: Callable[[Array], Array]
    gradient: Callable[[Array], Array] | None
    steps: Array

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """See `Spectrum`; the function knows one set of parameters at a time."""
        if x.ndim == 2:
            contents, slopes = zip(*map(self, x), strict=True)
            return np.array(contents), np.array(slopes)
        here = self.function(x)
        if self.gradient is not None:
            return here, self.gradient(x)
        rows = np.empty((len(x), len(here)))
        for k, step in enumerate(self.steps):
            up, down = x.copy(), x.copy()
            up[k] += step
            down[k] -= step
            rows[k] = (self.function(up) - self.function(down)) / (2.0 * step)
        return here, rows


class Expected(NamedTuple):
    """What is expected in each reconstructed bin.

    Attributes
    ----------
    mean : ndarray, shape (..., n_reco)
    covariance : ndarray, shape (..., n_reco, n_reco), or (..., n_reco)
        Of `mean`, from a finite simulation; variances alone where bins are independent.
    slopes : ndarray, shape (..., parameters, n_reco)
        Derivatives of `mean`; (parameters, n_reco) where all are equal.
    truth : ndarray, shape (..., n_true)
    truth_slopes : ndarray, shape (..., parameters of the truth, n_true)
    scales : ndarray, shape (..., scaled)
        Of backgrounds. These three are empty where no variance depends on them.
    """

    mean: Array
    covariance: Array
    slopes: Array
    truth: Array
    truth_slopes: Array
    scales: Array


def moved(values: Array, odd: Array, even: Array, pulls: Array) -> Array:
    """Give what pulls make of numbers: a parabola through both shifts, and a straight line beyond one standard deviation.

    Parameters
    ----------
    values : ndarray
    odd, even : ndarray, shape (pulls, *shape of values)
        Half the difference, and half the sum, of the shifts up and down.
    pulls : ndarray, shape (..., pulls)

    Returns
    -------
    ndarray, shape (..., *shape of values)
    """
    n = len(odd)
    if not n:
        return values
    size = abs(pulls)
    bent = np.where(size <= 1.0, pulls * pulls, 2.0 * size - 1.0)
    shift = pulls @ odd.reshape(n, -1) + bent @ even.reshape(n, -1)
    return np.asarray(values + shift.reshape(*pulls.shape[:-1], *values.shape))


_NONE = np.zeros(0)
_MOST = 2**21  # numbers of covariances of rows that are kept


@dataclass(frozen=True)
class Expectation:
    """True contents through matrices that pulls shift, with backgrounds.

    Attributes
    ----------
    spectrum : Spectrum
        Of the first `n_truth` parameters.
    n_truth : int
    matrix : ndarray, shape (n_true + scaled + 1, n_reco)
        Rows of the response, fakes for each true event included; of backgrounds with a parameter, which follow those of the truth; and of all
        background without one.
    odd, even : ndarray, shape (pulls, n_true + scaled + 1, n_reco)
        Half the difference, and half the sum, of the shifts up and down.
    simulation : Moments or None
        Of the events that filled the matrix; None where its statistics do not count.
    fakes_spread : ndarray, shape (n_reco,)
        Variance of fakes for a squared true event.
    scaled_variance : ndarray, shape (scaled, n_reco)
        Of backgrounds with a parameter.
    fixed_variance : ndarray, shape (n_reco,)
    exposure : float
        Multiplies all.
    """

    spectrum: Spectrum
    n_truth: int
    matrix: Array
    odd: Array
    even: Array
    simulation: Moments | None
    fakes_spread: Array
    scaled_variance: Array
    fixed_variance: Array
    exposure: float

    def __call__(self, x: Array) -> Expected:
        """Expect counts.

        Parameters
        ----------
        x : ndarray, shape (..., parameters)
            Of the truth, of scaled backgrounds, pulls.

        Returns
        -------
        Expected
        """
        if self._lines is not None:
            slopes, fixed, variance = self._lines
            return Expected(x @ slopes + fixed, variance, slopes, _NONE, _NONE, _NONE)
        n, m = self.n_truth, len(self.scaled_variance)
        truth, rows = self.spectrum(x[..., :n])
        scales, pulls = x[..., n : n + m], x[..., n + m :]
        matrix, bends = self._shifted(pulls)
        contents = np.concatenate([truth, scales, np.ones((*x.shape[:-1], 1))], axis=-1)
        mean = contents @ matrix if matrix.ndim == 2 else (contents[:, None] @ matrix)[:, 0]
        own = truth.shape[-1]
        parts = [rows @ matrix[..., :own, :], matrix[..., own:-1, :]]
        if len(self.odd):
            odd, even = (np.tensordot(contents, bend, (-1, 1)) for bend in (self.odd, self.even))
            parts.append(odd + bends[..., None] * even)
        e = self.exposure
        covariance = e * e * self._covariance(truth, scales)
        return Expected(e * mean, covariance, e * _stacked(parts), truth, rows, scales)

    @cached_property
    def _lines(self) -> tuple[Array, Array, Array] | None:
        """Derivatives of the mean, what no parameter scales, and its variance, of templates without pulls, where only the mean changes."""
        if not isinstance(self.spectrum, Templates) or len(self.odd) or self._moves:
            return None
        own = self.spectrum.contents.shape[1]
        slopes = [self.spectrum.contents @ self.matrix[:own], self.matrix[own:-1]]
        e = self.exposure
        return e * np.concatenate(slopes), e * self.matrix[-1], e * e * self.fixed_variance

    def _shifted(self, pulls: Array) -> tuple[Array, Array]:
        """Matrix at pulls, and the derivatives of how much they bend it."""
        bends = np.where(abs(pulls) <= 1.0, 2.0 * pulls, 2.0 * np.sign(pulls))
        return moved(self.matrix, self.odd, self.even, pulls), bends

    @property
    def independent(self) -> bool:
        """Whether reconstructed bins have variances alone, as no simulated event migrates between them."""
        return not self._migrates

    @property
    def fits_at_once(self) -> bool:
        """Whether many sets of parameters go together: covariances between bins are there for each, which is for some bins."""
        return not self._migrates or self._spread.size * self.matrix.shape[1] <= _MOST

    @property
    def size(self) -> int:
        """How many numbers one of many sets of parameters takes, about."""
        rows, bins = (int(n) for n in self.matrix.shape)
        if self._migrates:
            bins *= bins
        if isinstance(self.spectrum, Templates) and not len(self.odd):
            return bins
        return bins * (len(self.odd) + self.n_truth + rows * bool(len(self.odd)) + 1) + rows

    @cached_property
    def finite(self) -> bool:
        """Whether anything of it is known from a finite simulation."""
        return bool(self._moves or np.any(self.fixed_variance))

    @cached_property
    def _moves(self) -> bool:
        """Whether a variance depends on parameters."""
        return bool(self._spread.any() or self.fakes_spread.any() or self.scaled_variance.any())

    @cached_property
    def _spread(self) -> Array:
        """Variances of the elements of the response, shape (n_true, n_reco)."""
        simulation = self.simulation
        rows = len(self.matrix) - len(self.scaled_variance) - 1
        return (
            np.zeros((rows, self.matrix.shape[1]))
            if simulation is None
            else element_variance(simulation)
        )

    @cached_property
    def _migrates(self) -> bool:
        """Whether events of a true bin go to several reconstructed ones, which correlates these."""
        if self.simulation is None or not self._spread.any():
            return False
        whole = folded_covariance(self.simulation, np.ones(len(self.simulation.rows)))
        return bool(np.any(whole - np.diag(np.diagonal(whole))))

    def _covariance(self, truth: Array, scales: Array) -> Array:
        alone = np.square(truth.sum(axis=-1, keepdims=True)) * self.fakes_spread
        alone = alone + self.fixed_variance + np.square(scales) @ self.scaled_variance
        if self.simulation is None or not self._migrates:
            return np.asarray(np.square(truth) @ self._spread + alone)
        if truth.ndim == 1:
            covariance = folded_covariance(self.simulation, truth)
        else:
            covariance = np.tensordot(np.square(truth), self._row_by_row, 1)
        own = np.arange(self.matrix.shape[1])
        covariance[..., own, own] += alone
        return covariance

    @cached_property
    def _row_by_row(self) -> Array:
        """Covariance of what each true bin contributes, for one event in it, shape (n_true, n_reco, n_reco)."""
        assert self.simulation is not None
        units = np.eye(len(self._spread))
        return np.array([folded_covariance(self.simulation, one) for one in units])

    def spread_slopes(self, expected: Expected, slope: Array) -> Array | float:
        """Give derivatives of half a deviance that come from those of the covariance.

        Parameters
        ----------
        expected : Expected
        slope : ndarray, shape (..., n_reco)
            Derivative with respect to the mean; that with respect to the covariance is minus half its square.

        Returns
        -------
        ndarray, shape (..., parameters), or 0.0
        """
        if not self._moves:
            return 0.0
        truth, squares = expected.truth, np.square(slope)
        by_truth = np.zeros(truth.shape)
        by_truth += truth.sum(axis=-1, keepdims=True) * (squares @ self.fakes_spread)[..., None]
        if self.simulation is not None:
            by_truth += truth * row_variances(self.simulation, slope)
        moving = np.zeros((*slope.shape[:-1], expected.slopes.shape[-2]))
        moving[..., : self.n_truth] = -along(expected.truth_slopes, by_truth)
        norms = slice(self.n_truth, self.n_truth + len(self.scaled_variance))
        moving[..., norms] = -expected.scales * (squares @ self.scaled_variance.T)
        return self.exposure**2 * moving


def along(slopes: Array, weights: Array) -> Array:
    """Sum over bins: slopes (..., parameters, n), or (parameters, n) that are equal for all, with weights (..., n)."""
    if slopes.ndim == 2:
        return (slopes @ weights.T).T
    return np.asarray((slopes @ weights[..., None])[..., 0])


def _stacked(parts: list[Array]) -> Array:
    """Put slopes of several kinds of parameters into one array; those that are equal for all, once for each where others are not."""
    shape = max((part.shape[:-2] for part in parts), key=len)
    whole = [np.broadcast_to(part, (*shape, *part.shape[-2:])) for part in parts]
    return np.concatenate(whole, axis=-2)

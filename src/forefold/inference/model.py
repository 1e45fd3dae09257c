"""What an experiment expects of its parameters, with all derivatives; pure arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from forefold.matrix.uncertainty import cell_variance, folded_covariance, row_variances

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from forefold.matrix.uncertainty import Moments

    Array = NDArray[np.float64]

__all__ = ["Expectation", "Expected", "Function", "Spectrum", "Templates", "moved"]


class Spectrum(Protocol):
    """True contents as a function of parameters."""

    def __call__(self, x: Array) -> tuple[Array, Array]:
        """Give contents, shape (n_true,), and their derivatives, shape (parameters, n_true)."""
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
        """See `Spectrum`."""
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
    mean : ndarray, shape (n_reco,)
    covariance : ndarray, shape (n_reco, n_reco), or (n_reco,)
        Of `mean`, from a finite simulation; variances alone where bins are independent.
    slopes : ndarray, shape (parameters, n_reco)
        Derivatives of `mean`.
    truth : ndarray, shape (n_true,)
    truth_slopes : ndarray, shape (parameters of the truth, n_true)
    scales : ndarray, shape (scaled,)
        Of backgrounds.
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
    pulls : ndarray, shape (pulls,)

    Returns
    -------
    ndarray, shape of `values`
    """
    n = len(pulls)
    if not n:
        return values
    size = abs(pulls)
    bent = np.where(size <= 1.0, pulls * pulls, 2.0 * size - 1.0)
    shift = pulls @ odd.reshape(n, -1) + bent @ even.reshape(n, -1)
    return np.asarray(values + shift.reshape(values.shape))


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
        x : ndarray, shape (parameters,)
            Of the truth, of scaled backgrounds, pulls.

        Returns
        -------
        Expected
        """
        n, m = self.n_truth, len(self.scaled_variance)
        truth, rows = self.spectrum(x[:n])
        scales, pulls = x[n : n + m], x[n + m :]
        matrix, bends = self._shifted(pulls)
        contents = np.concatenate([truth, scales, [1.0]])
        slopes = [rows @ matrix[: len(truth)], matrix[len(truth) : -1]]
        if len(pulls):
            slopes.append(contents @ self.odd + bends[:, None] * (contents @ self.even))
        e = self.exposure
        covariance = e * e * self._covariance(truth, scales)
        return Expected(
            e * (contents @ matrix), covariance, e * np.concatenate(slopes), truth, rows, scales
        )

    def _shifted(self, pulls: Array) -> tuple[Array, Array]:
        """Matrix at pulls, and the derivatives of how much they bend it."""
        bends = np.where(abs(pulls) <= 1.0, 2.0 * pulls, 2.0 * np.sign(pulls))
        return moved(self.matrix, self.odd, self.even, pulls), bends

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
        known = self.simulation
        rows = len(self.matrix) - len(self.scaled_variance) - 1
        return np.zeros((rows, self.matrix.shape[1])) if known is None else cell_variance(known)

    @cached_property
    def _migrates(self) -> bool:
        """Whether events of a true bin go to several reconstructed ones, which correlates these."""
        if self.simulation is None or not self._spread.any():
            return False
        whole = folded_covariance(self.simulation, np.ones(len(self.simulation.rows)))
        return bool(np.any(whole - np.diag(np.diagonal(whole))))

    def _covariance(self, truth: Array, scales: Array) -> Array:
        alone = truth.sum() ** 2 * self.fakes_spread + self.fixed_variance
        alone = alone + np.square(scales) @ self.scaled_variance
        if self.simulation is None or not self._migrates:
            return np.asarray(np.square(truth) @ self._spread + alone)
        found = folded_covariance(self.simulation, truth)
        found[np.diag_indices_from(found)] += alone
        return found

    def spread_slopes(self, found: Expected, slope: Array) -> Array:
        """Give derivatives of half a deviance that come from those of the covariance.

        Parameters
        ----------
        found : Expected
        slope : ndarray, shape (n_reco,)
            Derivative with respect to the mean; that with respect to the covariance is minus half its square.

        Returns
        -------
        ndarray, shape (parameters,)
        """
        moving = np.zeros(len(found.slopes))
        if not self._moves:
            return moving
        truth, rows = found.truth, found.truth_slopes
        if self.simulation is not None:
            moving[: self.n_truth] -= rows @ (truth * row_variances(self.simulation, slope))
        fakes = float(self.fakes_spread @ np.square(slope))
        moving[: self.n_truth] -= truth.sum() * fakes * rows.sum(axis=1)
        norms = slice(self.n_truth, self.n_truth + len(found.scales))
        moving[norms] -= found.scales * (self.scaled_variance @ np.square(slope))
        return self.exposure**2 * moving

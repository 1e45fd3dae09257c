"""What an experiment expects of its parameters, with all derivatives; pure arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["Expectation", "Expected", "Function", "Spectrum", "Templates"]


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
    mean, variance : ndarray, shape (n_reco,)
        The variance is that of a finite simulation.
    slopes, variance_slopes : ndarray, shape (parameters, n_reco)
    """

    mean: Array
    variance: Array
    slopes: Array
    variance_slopes: Array


@dataclass(frozen=True)
class Expectation:
    """True contents through matrices that pulls shift, with backgrounds.

    Attributes
    ----------
    spectrum : Spectrum
        Of the first `n_truth` parameters.
    n_truth : int
    matrix : ndarray, shape (n_true, n_reco)
        Fakes for each true event included.
    odd, even : ndarray, shape (pulls, n_true, n_reco)
        Half the difference, and half the sum, of the shifts up and down.
    spread : ndarray, shape (n_true, n_reco)
        Variances of the elements of the matrix; zeros where they do not count.
    fakes_spread : ndarray, shape (n_reco,)
        Variance of fakes for a squared true event.
    backgrounds : ndarray, shape (scaled, n_reco)
        Those with a parameter, which follow those of the truth.
    fixed : ndarray, shape (n_reco,)
        Background without a parameter.
    fixed_variance : ndarray, shape (n_reco,)
    exposure : float
        Multiplies all.
    """

    spectrum: Spectrum
    n_truth: int
    matrix: Array
    odd: Array
    even: Array
    spread: Array
    fakes_spread: Array
    backgrounds: Array
    fixed: Array
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
        n, m = self.n_truth, len(self.backgrounds)
        truth, rows = self.spectrum(x[:n])
        scales, pulls = x[n : n + m], x[n + m :]
        matrix, bends = self._shifted(pulls)
        mean = truth @ matrix + scales @ self.backgrounds + self.fixed
        slopes = [rows @ matrix, self.backgrounds]
        if len(pulls):
            slopes.append(truth @ self.odd + bends[:, None] * (truth @ self.even))
        variance, moving = self._variance(truth, rows, len(x))
        e = self.exposure
        return Expected(e * mean, e * e * variance, e * np.concatenate(slopes), e * e * moving)

    def _shifted(self, pulls: Array) -> tuple[Array, Array]:
        """Matrix at pulls: a parabola through both shifts, and a straight line beyond one standard deviation."""
        if not len(pulls):
            return self.matrix, pulls
        size = abs(pulls)
        bent = np.where(size <= 1.0, pulls * pulls, 2.0 * size - 1.0)
        bends = np.where(size <= 1.0, 2.0 * pulls, 2.0 * np.sign(pulls))
        n = len(pulls)
        moved = pulls @ self.odd.reshape(n, -1) + bent @ self.even.reshape(n, -1)
        return self.matrix + moved.reshape(self.matrix.shape), bends

    @cached_property
    def _exact(self) -> bool:
        """Whether no variance depends on parameters."""
        return not (self.spread.any() or self.fakes_spread.any())

    def _variance(self, truth: Array, rows: Array, n: int) -> tuple[Array, Array]:
        if self._exact:
            return self.fixed_variance, np.zeros((n, len(self.fixed_variance)))
        total = truth.sum()
        variance = truth**2 @ self.spread + total**2 * self.fakes_spread + self.fixed_variance
        moving = np.zeros((n, len(variance)))
        moving[: self.n_truth] = 2.0 * (
            (rows * truth) @ self.spread + total * rows.sum(axis=1)[:, None] * self.fakes_spread
        )
        return variance, moving

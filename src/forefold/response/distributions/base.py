"""What every family can do, and how arrays go to the kernels and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np

from forefold._inputs import unmasked

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

__all__ = ["Family", "apply", "arrays"]


def arrays(*values: ArrayLike) -> list[NDArray[np.float64]]:
    """Broadcast values against each other, as float64.

    Parameters
    ----------
    *values : array_like
        Numbers or arrays whose shapes broadcast.

    Returns
    -------
    list of ndarray
        To be read only.

    Raises
    ------
    ValueError
        If an element is masked.
    """
    converted = [unmasked("an argument", v) for v in values]
    shape = np.broadcast_shapes(*(v.shape for v in converted))
    return [np.broadcast_to(v, shape) for v in converted]


def apply(kernel: Callable[..., None], *values: ArrayLike, head: tuple[Any, ...] = ()) -> Any:
    """Run a kernel that fills an array from flat arrays, on values that broadcast.

    Parameters
    ----------
    kernel : callable
        Takes `head`, the flat arrays, and the array to fill.
    *values : array_like
        Numbers or arrays whose shapes broadcast.
    head : tuple
        What comes before the arrays.

    Returns
    -------
    ndarray
        In the values' common shape.
    """
    columns = arrays(*values)
    out = np.empty(columns[0].size)
    kernel(*head, *(np.array(v, order="C").reshape(-1) for v in columns), out)
    return out.reshape(columns[0].shape)


class Family(ABC):
    """A family of distributions with a location and a width sigma.

    A sigma of zero is a point at the location. A negative or NaN sigma gives NaN.
    """

    @property
    def n_uniforms(self) -> int:
        """Uniforms that a draw takes."""
        return 1

    def pdf(self, x: ArrayLike, location: ArrayLike, sigma: ArrayLike) -> NDArray[np.float64]:
        """Density.

        Parameters
        ----------
        x, location, sigma : array_like
            In one unit; they broadcast.

        Returns
        -------
        ndarray
            In the inverse unit of `x`.
        """
        return self._pdf(*arrays(x, location, sigma))

    def between(
        self, low: ArrayLike, high: ArrayLike, location: ArrayLike, sigma: ArrayLike
    ) -> NDArray[np.float64]:
        """Probability from low to high, as the difference of the nearer tails.

        Parameters
        ----------
        low, high : array_like
            May be infinite. A point on `high` is not counted, one on `low` is.
        location, sigma : array_like
            Location and width; they broadcast.

        Returns
        -------
        ndarray
            In the shape to which the arguments broadcast.
        """
        return self._between(*arrays(low, high, location, sigma))

    def ppf(self, u: ArrayLike, location: ArrayLike, sigma: ArrayLike) -> NDArray[np.float64]:
        """Quantile: where `cdf` is u.

        Parameters
        ----------
        u : array_like
            From 0 to 1; these two give the ends of the support.
        location, sigma : array_like
            Location and width; they broadcast.

        Returns
        -------
        ndarray
            In the shape to which the arguments broadcast.
        """
        return self._ppf(*arrays(u, location, sigma))

    def mean(self, location: ArrayLike, sigma: ArrayLike) -> NDArray[np.float64]:
        """Mean.

        Parameters
        ----------
        location, sigma : array_like
            Location and width; they broadcast.

        Returns
        -------
        ndarray
            In the shape to which the arguments broadcast.
        """
        return self._mean(*arrays(location, sigma))

    def std(self, location: ArrayLike, sigma: ArrayLike) -> NDArray[np.float64]:
        """Root of the variance: the standard deviation.

        Parameters
        ----------
        location, sigma : array_like
            Location and width; they broadcast.

        Returns
        -------
        ndarray
            In the shape to which the arguments broadcast.
        """
        return self._std(*arrays(location, sigma))

    def cdf(self, x: ArrayLike, location: ArrayLike, sigma: ArrayLike) -> NDArray[np.float64]:
        """Probability at and below x.

        Parameters
        ----------
        x, location, sigma : array_like
            Value, location and width; they broadcast.

        Returns
        -------
        ndarray
            In the shape to which the arguments broadcast.
        """
        return self._cdf(*arrays(x, location, sigma))

    def bin_probabilities(
        self, edges: ArrayLike, location: ArrayLike, sigma: ArrayLike
    ) -> NDArray[np.float64]:
        """Exact probability of every bin.

        Parameters
        ----------
        edges : array_like, shape (k + 1,)
            Ascending; the outer ones may be infinite.
        location, sigma : array_like, shape s
            Location and width; they broadcast.

        Returns
        -------
        ndarray, shape s + (k,)
            One probability for each bin; the bins are the last axis.

        Raises
        ------
        ValueError
            If the edges do not ascend.
        """
        e = np.asarray(edges, dtype=np.float64)
        if e.ndim != 1 or e.size < 2 or not np.all(np.diff(e) > 0):
            message = f"edges are {e.tolist()}; two or more ascending numbers are needed"
            raise ValueError(message)
        at, width = arrays(location, sigma)
        # bins in front, so that arrays within a family (weights of a mixture) meet the location
        bins = (slice(None),) + (None,) * at.ndim
        return np.moveaxis(self.between(e[:-1][bins], e[1:][bins], at, width), 0, -1)

    def sample(self, u: ArrayLike, location: ArrayLike, sigma: ArrayLike) -> NDArray[np.float64]:
        """Draws from given uniforms, with the bits of the engine.

        Parameters
        ----------
        u : array_like
            Uniforms in the open interval (0, 1); with `n_uniforms` rows in front where that is not one.
        location, sigma : array_like
            Location and width; they broadcast.

        Returns
        -------
        ndarray
            In the shape to which the arguments broadcast.
        """
        return self.ppf(u, location, sigma)

    @abstractmethod
    def _pdf(self, x: Array, at: Array, width: Array) -> Array: ...

    @abstractmethod
    def _between(self, low: Array, high: Array, at: Array, width: Array) -> Array: ...

    @abstractmethod
    def _ppf(self, u: Array, at: Array, width: Array) -> Array: ...

    @abstractmethod
    def _mean(self, at: Array, width: Array) -> Array: ...

    @abstractmethod
    def _std(self, at: Array, width: Array) -> Array: ...

    def _cdf(self, x: Array, at: Array, width: Array) -> Array:
        probability = self._between(np.full_like(x, -np.inf), x, at, width)
        here = (width == 0.0) & (x == self._limit(at)) & ~np.isnan(probability)
        return np.where(here, 1.0, probability)

    def _limit(self, at: Array) -> Array:
        """Where everything is when sigma is zero."""
        return at
